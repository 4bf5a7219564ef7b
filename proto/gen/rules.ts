// Code generated from the contracts by deploy/generate-rules.ts. DO NOT EDIT.

/** What each method takes, by its path. */
export const methods = {
  '/telltale.lab.v1.LabService/DescribeScenario': { request: 'telltale.lab.v1.DescribeScenarioRequest', maxBytes: 1024 },
  '/telltale.lab.v1.LabService/GetResult': { request: 'telltale.lab.v1.GetResultRequest', maxBytes: 1024 },
  '/telltale.lab.v1.LabService/ListResults': { request: 'telltale.lab.v1.ListResultsRequest', maxBytes: 1024 },
  '/telltale.lab.v1.LabService/ListScenarios': { request: 'telltale.lab.v1.ListScenariosRequest', maxBytes: 1024 },
  '/telltale.lab.v1.LabService/ReportRecords': { request: 'telltale.lab.v1.ReportRecordsRequest', maxBytes: 1048576 },
  '/telltale.lab.v1.LabService/RunScenario': { request: 'telltale.lab.v1.RunScenarioRequest', maxBytes: 16384 },
  '/telltale.lab.v1.LabService/StopRun': { request: 'telltale.lab.v1.StopRunRequest', maxBytes: 1024 },
  '/telltale.orders.v1.OrderService/CreateOrder': { request: 'telltale.orders.v1.CreateOrderRequest', maxBytes: 1048576 },
  '/telltale.orders.v1.OrderService/GetOrder': { request: 'telltale.orders.v1.GetOrderRequest', maxBytes: 4096 },
  '/telltale.orders.v1.OrderService/ImportOrders': { request: 'telltale.orders.v1.ImportOrdersRequest', maxBytes: 1048576 },
  '/telltale.orders.v1.OrderService/ListOrders': { request: 'telltale.orders.v1.ListOrdersRequest', maxBytes: 1024 },
  '/telltale.orders.v1.OrderService/LookupOrders': { request: 'telltale.orders.v1.LookupOrdersRequest', maxBytes: 4096 },
  '/telltale.orders.v1.OrderService/WatchOrder': { request: 'telltale.orders.v1.WatchOrderRequest', maxBytes: 4096 },
  '/telltale.payments.v1.PaymentService/Charge': { request: 'telltale.payments.v1.ChargeRequest', maxBytes: 4096 },
  '/telltale.payments.v1.PaymentService/GetCharge': { request: 'telltale.payments.v1.GetChargeRequest', maxBytes: 4096 },
  '/telltale.storefront.v1.StorefrontService/GetProfile': { request: 'telltale.storefront.v1.GetProfileRequest', maxBytes: 1024 },
  '/telltale.storefront.v1.StorefrontService/PlaceOrder': { request: 'telltale.storefront.v1.PlaceOrderRequest', maxBytes: 1048576 },
  '/telltale.storefront.v1.StorefrontService/WatchOrder': { request: 'telltale.storefront.v1.WatchOrderRequest', maxBytes: 4096 },
  '/telltale.users.v1.UserService/GetUser': { request: 'telltale.users.v1.UserRequest', maxBytes: 1024 },
  '/telltale.users.v1.UserService/ListUsers': { request: 'telltale.users.v1.ListUsersRequest', maxBytes: 1024 }
} as const;

/** The rules of each message that a request can hold, by its full name. */
export const messages = {
  'telltale.lab.v1.CallRecord': [
    { field: 'run', key: 'run', kind: 'text' },
    { field: 'method', key: 'method', kind: 'text' },
    { field: 'pod', key: 'pod', kind: 'text' },
    { field: 'peer', key: 'peer', kind: 'text' },
    { field: 'status', key: 'status', kind: 'text' }
  ],
  'telltale.lab.v1.DescribeScenarioRequest': [
    {
      field: 'scenario',
      key: 'scenario',
      kind: 'text',
      patterns: [
        {
          matches: /^([A-Za-z0-9_~-][A-Za-z0-9._~-]?|[.][A-Za-z0-9_~-]|[A-Za-z0-9._~-]{3,128})$/u,
          says: 'must be 1 to 128 of A-Z a-z 0-9 . _ ~ - and neither . nor ..'
        }
      ]
    }
  ],
  'telltale.lab.v1.GetResultRequest': [
    {
      field: 'result_id',
      key: 'resultId',
      kind: 'text',
      patterns: [
        {
          matches: /^([A-Za-z0-9_~-][A-Za-z0-9._~-]?|[.][A-Za-z0-9_~-]|[A-Za-z0-9._~-]{3,128})$/u,
          says: 'must be 1 to 128 of A-Z a-z 0-9 . _ ~ - and neither . nor ..'
        }
      ]
    }
  ],
  'telltale.lab.v1.ListResultsRequest': [
    {
      field: 'scenario',
      key: 'scenario',
      kind: 'text',
      patterns: [
        {
          matches: /^([A-Za-z0-9_~-][A-Za-z0-9._~-]?|[.][A-Za-z0-9_~-]|[A-Za-z0-9._~-]{3,128})?$/u,
          says: 'must be empty, or 1 to 128 of A-Z a-z 0-9 . _ ~ - and neither . nor ..'
        }
      ]
    }
  ],
  'telltale.lab.v1.ListScenariosRequest': [],
  'telltale.lab.v1.ReportRecordsRequest': [
    {
      field: 'service',
      key: 'service',
      kind: 'text',
      patterns: [
        {
          matches: /^([A-Za-z0-9_~-][A-Za-z0-9._~-]?|[.][A-Za-z0-9_~-]|[A-Za-z0-9._~-]{3,128})$/u,
          says: 'must be 1 to 128 of A-Z a-z 0-9 . _ ~ - and neither . nor ..'
        }
      ]
    },
    {
      field: 'pod',
      key: 'pod',
      kind: 'text',
      patterns: [
        {
          matches: /^([A-Za-z0-9_~-][A-Za-z0-9._~-]?|[.][A-Za-z0-9_~-]|[A-Za-z0-9._~-]{3,128})$/u,
          says: 'must be 1 to 128 of A-Z a-z 0-9 . _ ~ - and neither . nor ..'
        }
      ]
    },
    { field: 'records', key: 'records', list: { max: 1000 }, kind: 'message', of: 'telltale.lab.v1.CallRecord' }
  ],
  'telltale.lab.v1.RunScenarioRequest': [
    {
      field: 'scenario',
      key: 'scenario',
      kind: 'text',
      patterns: [
        {
          matches: /^([A-Za-z0-9_~-][A-Za-z0-9._~-]?|[.][A-Za-z0-9_~-]|[A-Za-z0-9._~-]{3,128})$/u,
          says: 'must be 1 to 128 of A-Z a-z 0-9 . _ ~ - and neither . nor ..'
        }
      ]
    },
    { field: 'parameters', key: 'parameters', map: { max: 32 }, kind: 'text' }
  ],
  'telltale.lab.v1.StopRunRequest': [
    {
      field: 'run_id',
      key: 'runId',
      kind: 'text',
      patterns: [
        {
          matches: /^([A-Za-z0-9_~-][A-Za-z0-9._~-]?|[.][A-Za-z0-9_~-]|[A-Za-z0-9._~-]{3,128})$/u,
          says: 'must be 1 to 128 of A-Z a-z 0-9 . _ ~ - and neither . nor ..'
        }
      ]
    }
  ],
  'telltale.orders.v1.CreateOrderRequest': [
    {
      field: 'order_id',
      key: 'orderId',
      kind: 'text',
      patterns: [
        {
          matches: /^([A-Za-z0-9_~-][A-Za-z0-9._~-]?|[.][A-Za-z0-9_~-]|[A-Za-z0-9._~-]{3,128})$/u,
          says: 'must be 1 to 128 of A-Z a-z 0-9 . _ ~ - and neither . nor ..'
        }
      ]
    },
    { field: 'user_id', key: 'userId', kind: 'number', gte: 1 },
    { field: 'lines', key: 'lines', list: { min: 1, max: 200 }, kind: 'message', of: 'telltale.orders.v1.OrderLine' },
    {
      field: 'currency_code',
      key: 'currencyCode',
      kind: 'text',
      patterns: [ { matches: /^[A-Z]{3}$/u, says: 'must be three capital letters such as EUR' } ]
    }
  ],
  'telltale.orders.v1.GetOrderRequest': [
    {
      field: 'order_id',
      key: 'orderId',
      kind: 'text',
      patterns: [
        {
          matches: /^([A-Za-z0-9_~-][A-Za-z0-9._~-]?|[.][A-Za-z0-9_~-]|[A-Za-z0-9._~-]{3,128})$/u,
          says: 'must be 1 to 128 of A-Z a-z 0-9 . _ ~ - and neither . nor ..'
        }
      ]
    }
  ],
  'telltale.orders.v1.ImportOrdersRequest': [ { field: 'order', key: 'order', kind: 'message', of: 'telltale.orders.v1.CreateOrderRequest', required: true } ],
  'telltale.orders.v1.ListOrdersRequest': [
    { field: 'user_id', key: 'userId', kind: 'number', gte: 1 },
    { field: 'limit', key: 'limit', kind: 'number', gte: 0, lte: 10000 }
  ],
  'telltale.orders.v1.LookupOrdersRequest': [ { field: 'order_id', key: 'orderId', kind: 'text' } ],
  'telltale.orders.v1.OrderLine': [
    {
      field: 'sku',
      key: 'sku',
      kind: 'text',
      patterns: [ { matches: /^\P{Cc}{1,64}$/u, says: 'must be 1 to 64 characters, none a control character' } ]
    },
    { field: 'quantity', key: 'quantity', kind: 'number', gte: 1, lte: 1000 },
    { field: 'unit_price_minor', key: 'unitPriceMinor', kind: 'number', gte: 0n, lte: 1000000n }
  ],
  'telltale.orders.v1.WatchOrderRequest': [
    {
      field: 'order_id',
      key: 'orderId',
      kind: 'text',
      patterns: [
        {
          matches: /^([A-Za-z0-9_~-][A-Za-z0-9._~-]?|[.][A-Za-z0-9_~-]|[A-Za-z0-9._~-]{3,128})$/u,
          says: 'must be 1 to 128 of A-Z a-z 0-9 . _ ~ - and neither . nor ..'
        }
      ]
    }
  ],
  'telltale.payments.v1.ChargeRequest': [
    {
      field: 'idempotency_key',
      key: 'idempotencyKey',
      kind: 'text',
      patterns: [
        {
          matches: /^([A-Za-z0-9_~-][A-Za-z0-9._~-]?|[.][A-Za-z0-9_~-]|[A-Za-z0-9._~-]{3,128})$/u,
          says: 'must be 1 to 128 of A-Z a-z 0-9 . _ ~ - and neither . nor ..'
        }
      ]
    },
    {
      field: 'order_id',
      key: 'orderId',
      kind: 'text',
      patterns: [
        {
          matches: /^([A-Za-z0-9_~-][A-Za-z0-9._~-]?|[.][A-Za-z0-9_~-]|[A-Za-z0-9._~-]{3,128})$/u,
          says: 'must be 1 to 128 of A-Z a-z 0-9 . _ ~ - and neither . nor ..'
        }
      ]
    },
    { field: 'amount_minor', key: 'amountMinor', kind: 'number', gte: 1n },
    {
      field: 'currency_code',
      key: 'currencyCode',
      kind: 'text',
      patterns: [ { matches: /^[A-Z]{3}$/u, says: 'must be three capital letters such as EUR' } ]
    }
  ],
  'telltale.payments.v1.GetChargeRequest': [
    {
      field: 'idempotency_key',
      key: 'idempotencyKey',
      kind: 'text',
      patterns: [
        {
          matches: /^([A-Za-z0-9_~-][A-Za-z0-9._~-]?|[.][A-Za-z0-9_~-]|[A-Za-z0-9._~-]{3,128})$/u,
          says: 'must be 1 to 128 of A-Z a-z 0-9 . _ ~ - and neither . nor ..'
        }
      ]
    }
  ],
  'telltale.script.v1.Failure': [
    { field: 'code', key: 'code', kind: 'number', gte: 1, lte: 16 },
    { field: 'rate', key: 'rate', kind: 'number', gte: 0, lte: 1 }
  ],
  'telltale.script.v1.Script': [ { field: 'steps', key: 'steps', list: { max: 32 }, kind: 'message', of: 'telltale.script.v1.Step' } ],
  'telltale.script.v1.Step': [
    { field: 'service', key: 'service', kind: 'text', min: 1 },
    { field: 'method', key: 'method', kind: 'text' },
    { field: 'wait_ms', key: 'waitMs', kind: 'number', lte: 60000 },
    { field: 'burn_cpu_ms', key: 'burnCpuMs', kind: 'number', lte: 10000 },
    { field: 'fail', key: 'fail', kind: 'message', of: 'telltale.script.v1.Failure' },
    { field: 'pad_bytes', key: 'padBytes', kind: 'number', lte: 3145728 }
  ],
  'telltale.storefront.v1.GetProfileRequest': [
    { field: 'user_id', key: 'userId', kind: 'number', gte: 1 },
    { field: 'order_limit', key: 'orderLimit', kind: 'number', gte: 0, lte: 100 }
  ],
  'telltale.storefront.v1.PlaceOrderRequest': [ { field: 'order', key: 'order', kind: 'message', of: 'telltale.orders.v1.CreateOrderRequest', required: true } ],
  'telltale.storefront.v1.WatchOrderRequest': [
    {
      field: 'order_id',
      key: 'orderId',
      kind: 'text',
      patterns: [
        {
          matches: /^([A-Za-z0-9_~-][A-Za-z0-9._~-]?|[.][A-Za-z0-9_~-]|[A-Za-z0-9._~-]{3,128})$/u,
          says: 'must be 1 to 128 of A-Z a-z 0-9 . _ ~ - and neither . nor ..'
        }
      ]
    }
  ],
  'telltale.users.v1.ListUsersRequest': [
    { field: 'page_size', key: 'pageSize', kind: 'number', gte: 0, lte: 1000 },
    { field: 'page_token', key: 'pageToken', kind: 'text' }
  ],
  'telltale.users.v1.UserRequest': [ { field: 'id', key: 'id', kind: 'number', gte: 1 } ]
} as const;
