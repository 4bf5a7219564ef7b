-- Code generated from the contracts by deploy/generate-json-bodies.ts. DO NOT EDIT.

-- By the path that a body is posted to: which field of the request it is ("" for the whole), and which message.
local bodies = {
  ["/api/lab/stop"] = { name = "", message = "telltale.lab.v1.StopRunRequest" },
  ["/api/orders"] = { name = "order", message = "telltale.orders.v1.CreateOrderRequest" },
}

-- By the full name of a message: its fields by each name that protobuf's JSON has for them.
local messages = {
  ["telltale.lab.v1.StopRunRequest"] = {
    ["run_id"] = { name = "run_id" },
    ["runId"] = { name = "run_id" },
  },
  ["telltale.orders.v1.CreateOrderRequest"] = {
    ["order_id"] = { name = "order_id" },
    ["orderId"] = { name = "order_id" },
    ["user_id"] = { name = "user_id" },
    ["userId"] = { name = "user_id" },
    ["lines"] = { name = "lines", list = true, message = "telltale.orders.v1.OrderLine" },
    ["currency_code"] = { name = "currency_code" },
    ["currencyCode"] = { name = "currency_code" },
  },
  ["telltale.orders.v1.OrderLine"] = {
    ["sku"] = { name = "sku" },
    ["quantity"] = { name = "quantity" },
    ["unit_price_minor"] = { name = "unit_price_minor" },
    ["unitPriceMinor"] = { name = "unit_price_minor" },
  },
}
