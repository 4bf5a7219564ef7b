import { type Schema, Validator } from '@cfworker/json-schema';
import schema from './result.schema.json' with { type: 'json' };
import { RESULT_VERSION, type Result } from './result.ts';

/** How much is said of what is wrong, at most. */
const SAID_AT_MOST = 3;

// an incomplete one has arms without figures: all that is wrong is said, and not the first
const validator = new Validator(schema as Schema, '2020-12', false);

/**
 * Reads the text of a result document.
 *
 * @throws TypeError that says why it is none: no JSON, a version that is not known here, or where it differs from result.schema.json
 */
export function readResult(text: string): Result {
  const document = parsed(text);
  const version = (document as { schemaVersion?: unknown } | null)?.schemaVersion;
  if (typeof version === 'number' && version !== RESULT_VERSION) {
    throw new TypeError(`this is a result of version ${version}, and known here is ${RESULT_VERSION}`);
  }
  const { valid, errors } = validator.validate(document);
  if (valid) return document as Result;
  // the last of a chain is the one that says what; those before it, where it is
  const said = errors.filter(({ keyword }) => !['properties', 'items', 'additionalProperties', '$ref'].includes(keyword));
  const wrong = said.slice(0, SAID_AT_MOST).map(({ instanceLocation, error }) => `${instanceLocation}: ${error}`);
  throw new TypeError(`this is no result: ${wrong.join(' ')}`);
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    throw new TypeError('this is no result: it is not JSON');
  }
}
