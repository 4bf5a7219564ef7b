import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { ConfigError, kitVariables, parseConfig, storeVariables } from './config.ts';

const variables = { ...kitVariables, ...storeVariables };
const parse = (env: NodeJS.ProcessEnv) => parseConfig(variables, env);

describe('parseConfig', () => {
  it('takes the defaults from an empty environment and freezes the result', () => {
    const config = parse({});
    assert.deepEqual(config.TELLTALE_LISTEN, { host: '127.0.0.1', port: 50052 });
    assert.equal(config.DATABASE_URL, undefined);
    assert.ok(Object.isFrozen(config));
  });

  it('reads every type', () => {
    const config = parse({
      TELLTALE_LISTEN: '10.0.0.1:0',
      TELLTALE_DRAIN_WAIT_MS: '250',
      TELLTALE_REFLECTION: 'true',
      DATABASE_URL: 'postgresql://user@host/db',
    });
    assert.deepEqual(config.TELLTALE_LISTEN, { host: '10.0.0.1', port: 0 });
    assert.equal(config.TELLTALE_DRAIN_WAIT_MS, 250);
    assert.equal(config.TELLTALE_REFLECTION, true);
    assert.equal(config.DATABASE_URL, 'postgresql://user@host/db');
  });

  const wrong: Record<string, string[]> = {
    TELLTALE_DRAIN_WAIT_MS: ['', ' ', '0x10', '1e3', '-1', '1.5', 'NaN', '9999999999', 'ten'],
    TELLTALE_REFLECTION: ['', 'TRUE', 'yes', '1'],
    TELLTALE_LISTEN: ['', '50052', 'host', 'host:', 'host:65536', 'http://host:1', ':1'],
    TELLTALE_LOG_LEVEL: ['', 'INFO', 'loud'],
    TELLTALE_SIDECAR_ADMIN: ['', '127.0.0.1:15000', 'https://host'],
    DATABASE_URL: ['', 'mysql://host/db', 'nonsense'],
  };
  for (const [name, values] of Object.entries(wrong)) {
    for (const value of values) {
      it(`refuses ${JSON.stringify(value)} as ${name} and names it`, () => {
        assert.throws(() => parse({ [name]: value }), new RegExp(`^ConfigError: the environment is wrong:\n  ${name}: .{10,}`));
      });
    }
  }

  it('lists all problems at once, unknown names with the nearest known one', () => {
    const env = { TELLTALE_LOGLEVEL: 'info', TELLTALE_RESET_RATE: 'x', TELLTALE_LISTEN: 'y', TELLTALE_ZZZZZZZZZZ: '' };
    assert.throws(
      () => parse(env),
      (error: ConfigError) => {
        assert.ok(error instanceof ConfigError);
        assert.match(error.message, /TELLTALE_LOGLEVEL: no such variable; did you mean TELLTALE_LOG_LEVEL\?/);
        assert.match(error.message, /TELLTALE_ZZZZZZZZZZ: no such variable; remove it/);
        assert.match(error.message, /TELLTALE_RESET_RATE: "x" is not a whole number/);
        assert.match(error.message, /TELLTALE_LISTEN: "y" is not an address/);
        return true;
      },
    );
  });

  it('never shows the value of a URL, which can hold a password', () => {
    assert.throws(
      () => parse({ DATABASE_URL: 'mysql://user:canary@host/db' }),
      (error: Error) => !error.message.includes('canary'),
    );
  });
});
