import type { Dashboard } from '@grafana/grafana-foundation-sdk/dashboard';
import { deadlines } from './dashboards/deadlines.ts';
import { envoy } from './dashboards/envoy.ts';
import { mesh } from './dashboards/mesh.ts';
import { multiplexing } from './dashboards/multiplexing.ts';
import { node } from './dashboards/node.ts';
import { service } from './dashboards/service.ts';

/** All dashboards, in the order of their links. */
export const dashboards: readonly Dashboard[] = [mesh, service, multiplexing, deadlines, envoy, node];
