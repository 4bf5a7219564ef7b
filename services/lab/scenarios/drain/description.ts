import type { Description } from '../../scenario.ts';

/** What readers are told of this scenario. */
export const description: Description = {
  question: 'What do callers see when every pod of a service is replaced while they call?',
  method:
    'All pods of users are replaced while calls to it go on. In one arm its Deployment is restarted: each pod says that it does not ' +
    'serve, serves on until its callers have heard of it, lets calls end, and exits. One control is the same but for the ' +
    'wait: each pod says that it does not serve, takes no more calls at once, lets those that it has end, and exits; the calls ' +
    'themselves ask for that (`skip_drain_wait`). In the other each pod is killed, one after the other, when callers know the new ' +
    'one. The proxies’ retries are off in all, for they would hide what is lost.',
  reading:
    'The figure is the number of calls that fail in one rollout. What a killed pod loses is what it was at, and what is sent to it ' +
    'until the callers’ proxies have noticed: the longer calls take and the more there are, the more it is. A pod that only does ' +
    'not wait loses none of those that it has, but what is sent to it after it has stopped listening: graceful is not enough.',
  limits: [
    'Little load: a pod for which no call is under way when it begins to stop waits in the first control, too.',
    'Longer rollouts than a repetition may last (`seconds`): the last check says so.',
    'Retries, by which most of what a killed pod loses can be had back where calls may be repeated.',
    'Streams, and calls that take longer than a pod has to stop.',
    'The edge, and services that call others.',
  ],
};
