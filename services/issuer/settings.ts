import { type CleanedEnv, EnvError, makeExactValidator, str } from 'envalid';
import { ConfigError, flag, integer, kitVariables, parseConfig } from '../kit/config.ts';
import { identityOf } from '../kit/identity.ts';
import { shown } from '../kit/validate-shown.ts';
import type { Policy } from './policy.ts';

/** A variable with names of identities, with a comma between two; empty for none. */
const names = makeExactValidator<readonly string[]>(text => {
  const list = text === '' ? [] : text.split(',');
  for (const [index, name] of list.entries()) {
    if (list.indexOf(name) !== index) throw new EnvError(`${shown(name)} is there twice; remove one`);
    checkLabel(name);
  }
  return list;
});

/** A variable with the name of a namespace. */
const namespace = makeExactValidator<string>(text => {
  checkLabel(text);
  return text;
});

function checkLabel(name: string): void {
  try {
    identityOf(name, name);
  } catch {
    throw new EnvError(
      `${shown(name)} is no name; write 1 to 63 small letters, digits and inner dashes, names with a comma between`,
    );
  }
}

/** What the issuer reads: the one list of its variables. */
const issuerVariables = {
  TELLTALE_POD: kitVariables.TELLTALE_POD,
  TELLTALE_LOG_LEVEL: kitVariables.TELLTALE_LOG_LEVEL,
  TELLTALE_NAMESPACE: namespace({ desc: 'The namespace of all identities, and of their Secrets' }),
  TELLTALE_IDENTITIES: names({ desc: 'The names of all identities' }),
  TELLTALE_IDENTITY_HOSTS: names({ default: [], desc: 'Those whose leaves say the name as a host name too' }),
  TELLTALE_LEAF_HOURS: integer(1, 8760)({ default: 24, desc: 'How long a leaf is valid' }),
  TELLTALE_AUTHORITY_DAYS: integer(1, 36_500)({ default: 90, desc: 'How long an authority is valid' }),
  TELLTALE_SETTLE_MINUTES: integer(1, 1440)({ default: 5, desc: 'How long it takes until all have read a changed Secret' }),
  TELLTALE_NEW_AUTHORITY: flag({
    default: false,
    desc: 'Whether to begin a change of the authority, should none be under way',
  }),
  TELLTALE_IDENTITY_DIR: str({ default: '', desc: 'The folder to keep identities in, instead of Secrets of Kubernetes' }),
  KUBERNETES_SERVICE_HOST: str({ default: '', desc: "The API's address, which every pod is told" }),
  KUBERNETES_SERVICE_PORT: integer(1, 65_535)({ default: 443, desc: 'Its port' }),
};

/** The settings of the issuer. */
export type Settings = CleanedEnv<typeof issuerVariables> & { readonly policy: Policy };

/**
 * Reads the environment and checks it, each variable and what they must be together.
 *
 * @throws ConfigError that lists what is wrong
 */
export function parseSettings(env: NodeJS.ProcessEnv): Settings {
  const config = parseConfig(issuerVariables, env);
  const policy: Policy = {
    namespace: config.TELLTALE_NAMESPACE,
    names: config.TELLTALE_IDENTITIES,
    hosts: config.TELLTALE_IDENTITY_HOSTS,
    leafHours: config.TELLTALE_LEAF_HOURS,
    authorityDays: config.TELLTALE_AUTHORITY_DAYS,
    settleMinutes: config.TELLTALE_SETTLE_MINUTES,
  };
  const problems = [
    ...policy.hosts
      .filter(name => !policy.names.includes(name))
      .map(name => `TELLTALE_IDENTITY_HOSTS: ${name} is not in TELLTALE_IDENTITIES; add it there or remove it here`),
    ...(policy.leafHours * 4 > policy.authorityDays * 24
      ? [
          `TELLTALE_LEAF_HOURS: ${policy.leafHours} is more than a quarter of TELLTALE_AUTHORITY_DAYS; lower it or raise the other`,
        ]
      : []),
    ...(config.TELLTALE_IDENTITY_DIR === '' && config.KUBERNETES_SERVICE_HOST === ''
      ? ['TELLTALE_IDENTITY_DIR: is empty, but this is no pod of Kubernetes; name a folder']
      : []),
  ];
  if (problems.length > 0) throw new ConfigError(`the environment is wrong:\n${problems.map(line => `  ${line}`).join('\n')}`);
  return { ...config, policy };
}
