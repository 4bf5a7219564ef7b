-- Code generated from the contracts by deploy/generate-json-requests.ts. DO NOT EDIT.

-- Every HTTP request that calls a method: the message that it becomes, and the field that its body is ("*" for the whole).
local bindings = {
  { verb = "GET", template = "/api/lab/scenarios", message = "telltale.lab.v1.ListScenariosRequest" },
  { verb = "GET", template = "/api/lab/scenarios/{scenario}", message = "telltale.lab.v1.DescribeScenarioRequest" },
  { verb = "POST", template = "/api/lab/stop", message = "telltale.lab.v1.StopRunRequest", body = "*" },
  { verb = "GET", template = "/api/lab/results", message = "telltale.lab.v1.ListResultsRequest" },
  { verb = "GET", template = "/api/lab/results/{result_id}", message = "telltale.lab.v1.GetResultRequest" },
  { verb = "GET", template = "/api/users/{id}", message = "telltale.users.v1.UserRequest" },
  { verb = "GET", template = "/api/users", message = "telltale.users.v1.ListUsersRequest" },
  { verb = "GET", template = "/api/users/{user_id}/profile", message = "telltale.storefront.v1.GetProfileRequest" },
  { verb = "POST", template = "/api/orders", message = "telltale.storefront.v1.PlaceOrderRequest", body = "order" },
  { verb = "GET", template = "/api/orders/{order_id}", message = "telltale.storefront.v1.WatchOrderRequest" },
}

-- By the full name of a message: its fields by each name that protobuf's JSON has for them.
local messages = {
  ["telltale.lab.v1.ListScenariosRequest"] = {
  },
  ["telltale.lab.v1.DescribeScenarioRequest"] = {
    ["scenario"] = { name = "scenario", scalar = "string" },
  },
  ["telltale.lab.v1.StopRunRequest"] = {
    ["run_id"] = { name = "run_id", scalar = "string" },
    ["runId"] = { name = "run_id", scalar = "string" },
  },
  ["telltale.lab.v1.ListResultsRequest"] = {
    ["scenario"] = { name = "scenario", scalar = "string" },
  },
  ["telltale.lab.v1.GetResultRequest"] = {
    ["result_id"] = { name = "result_id", scalar = "string" },
    ["resultId"] = { name = "result_id", scalar = "string" },
  },
  ["telltale.users.v1.UserRequest"] = {
    ["id"] = { name = "id", scalar = "int32" },
  },
  ["telltale.users.v1.ListUsersRequest"] = {
    ["page_size"] = { name = "page_size", scalar = "int32" },
    ["pageSize"] = { name = "page_size", scalar = "int32" },
    ["page_token"] = { name = "page_token", scalar = "string" },
    ["pageToken"] = { name = "page_token", scalar = "string" },
  },
  ["telltale.storefront.v1.GetProfileRequest"] = {
    ["user_id"] = { name = "user_id", scalar = "int32" },
    ["userId"] = { name = "user_id", scalar = "int32" },
    ["order_limit"] = { name = "order_limit", scalar = "int32" },
    ["orderLimit"] = { name = "order_limit", scalar = "int32" },
  },
  ["telltale.storefront.v1.PlaceOrderRequest"] = {
    ["order"] = { name = "order", message = "telltale.orders.v1.CreateOrderRequest" },
  },
  ["telltale.orders.v1.CreateOrderRequest"] = {
    ["order_id"] = { name = "order_id", scalar = "string" },
    ["orderId"] = { name = "order_id", scalar = "string" },
    ["user_id"] = { name = "user_id", scalar = "int32" },
    ["userId"] = { name = "user_id", scalar = "int32" },
    ["lines"] = { name = "lines", list = true, message = "telltale.orders.v1.OrderLine" },
    ["currency_code"] = { name = "currency_code", scalar = "string" },
    ["currencyCode"] = { name = "currency_code", scalar = "string" },
  },
  ["telltale.orders.v1.OrderLine"] = {
    ["sku"] = { name = "sku", scalar = "string" },
    ["quantity"] = { name = "quantity", scalar = "int32" },
    ["unit_price_minor"] = { name = "unit_price_minor", scalar = "int64" },
    ["unitPriceMinor"] = { name = "unit_price_minor", scalar = "int64" },
  },
  ["telltale.storefront.v1.WatchOrderRequest"] = {
    ["order_id"] = { name = "order_id", scalar = "string" },
    ["orderId"] = { name = "order_id", scalar = "string" },
  },
}
