import { type Client, connectivityState, status } from '@grpc/grpc-js';
import { trace } from '@opentelemetry/api';
import { metrics, observeTraced, samplers } from './metrics.ts';

type Channel = ReturnType<Client['getChannel']>;

/** Adds, for each channel, how many of its calls wait. */
const channels = new Set<() => void>();
samplers.add(() => {
  metrics.client.queued.reset();
  for (const addWaiting of channels) addWaiting();
});

/** Measures a channel and its calls. */
export interface ChannelObservation {
  /** Begins to measure a call of a method ("telltale.users.v1.UserService/GetUser"); tell what it returns how the call ended. */
  call(method: string): (code: status) => void;
}

/**
 * Begins to measure a channel, until it is closed. `upstream` is the short name of the service that it leads to. A channel here has
 * one subchannel, to the sidecar's listener, so that its state is that of the connection; of several, which only the lab's own
 * channels to pods have, it says whether there is any.
 */
export function observeChannel(channel: Channel, upstream: string): ChannelObservation {
  const labels = { grpc_target: upstream };
  let active = 0;
  const waiting = () => metrics.client.queued.inc(labels, state() === connectivityState.READY ? 0 : active);
  const forget = () => {
    if (active === 0 && state() === connectivityState.SHUTDOWN) channels.delete(waiting);
  };
  const state = followState(channel, labels, forget);
  channels.add(waiting);
  return {
    call: method => {
      const callLabels = { grpc_method: method, ...labels };
      const startedAt = performance.now();
      const span = trace.getActiveSpan();
      active++;
      metrics.client.started.inc(callLabels);
      metrics.client.active.inc(callLabels);
      return code => {
        active--;
        metrics.client.active.dec(callLabels);
        const durationLabels = { ...callLabels, grpc_status: status[code] };
        observeTraced(metrics.client.duration, durationLabels, (performance.now() - startedAt) / 1000, span);
        forget();
      };
    },
  };
}

/** Counts what becomes of the connection, and says when the channel is closed; what it returns says the channel's state. */
function followState(channel: Channel, labels: { grpc_target: string }, closed: () => void): () => connectivityState {
  const { subchannel } = metrics;
  for (const counter of [subchannel.disconnections, subchannel.succeeded, subchannel.failed]) counter.inc(labels, 0);
  let state = channel.getConnectivityState(false);
  const follow = () =>
    channel.watchConnectivityState(state, Number.POSITIVE_INFINITY, () => {
      const was = state;
      state = channel.getConnectivityState(false);
      if (state === connectivityState.READY) {
        subchannel.open.inc(labels);
        subchannel.succeeded.inc(labels);
      } else if (was === connectivityState.READY) {
        subchannel.open.dec(labels);
        subchannel.disconnections.inc(labels);
      }
      if (state === connectivityState.TRANSIENT_FAILURE) subchannel.failed.inc(labels);
      if (state === connectivityState.SHUTDOWN) closed();
      else follow();
    });
  follow();
  return () => state;
}
