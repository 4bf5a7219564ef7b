import type { Description } from '../../scenario.ts';
import { MEANINGS } from './figures.ts';

/** What readers are told of this scenario. */
export const description: Description = {
  question: 'Can the outermost caller tell from the code what to do, when the failure is three hops away?',
  method:
    'PlaceOrder goes from storefront to orders to payments, where one thing after the other goes wrong: its caller cancels, its ' +
    'deadline passes, payments answers UNAVAILABLE, payments answers RESOURCE_EXHAUSTED. The first two are real. The last two ' +
    'are told to payments by the request: it has all it needs, and answers as a service does that has not. In the control it ' +
    'answers UNKNOWN, as a service does whose handlers throw what nobody has foreseen.',
  reading: `Three layers are asked: the caller, which code it sees; every service on the way, what it reports; and the caller’s proxy, whether it names a pod that has answered, which it does where a service has failed and not where the caller has given up. ${Object.entries(
    MEANINGS,
  )
    .map(([code, meaning]) => `${code}: ${meaning}`)
    .join('. ')}. In the control the caller gets INTERNAL: a mistake in the program, for a person to look at.`,
  limits: [
    'A service that is away or overloaded in fact: `drain` and `stream-cap` have those.',
    'What each proxy counts and logs of a call: that is in its metrics and access log, which the lab does not read.',
    'Failures of a connection or a process, which proxies repeat before a caller sees them.',
    'Codes that say something of the request (INVALID_ARGUMENT, NOT_FOUND, FAILED_PRECONDITION).',
    'Clients that do not look at the code.',
  ],
};
