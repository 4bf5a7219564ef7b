/** The variant of the proxies' routes that knows no deadline: files/envoy/_routes.yaml. */
export const POLICY = 'route-timeout';

/** Its time-out, in milliseconds. */
export const ROUTE_TIMEOUT_MS = 300;
