import type { Contracts, FieldRules } from './validate-rules.ts';

/** The contracts with one rule broken, for each rule, bound and pattern that they have, and what is broken in it. */
export function* brokenRules({ messages }: Pick<Contracts, 'messages'>): Generator<[string, Pick<Contracts, 'messages'>]> {
  for (const [message, fields] of Object.entries(messages)) {
    for (const [index, rules] of fields.entries()) {
      for (const [what, broken] of breaksOf(rules)) {
        yield [`${message}.${rules.field} has ${what}`, { messages: { ...messages, [message]: fields.with(index, broken) } }];
      }
    }
  }
}

function* breaksOf(rules: FieldRules): Generator<[string, FieldRules]> {
  if (rules.list) {
    const { min = 0, max } = rules.list;
    if (min > 0) yield ['one element fewer at least', { ...rules, list: { min: min - 1, max } }];
    yield ['one element more at least', { ...rules, list: { min: min + 1, max } }];
    yield ['one element more at most', { ...rules, list: { min, max: max + 1 } }];
    yield ['one element fewer at most', { ...rules, list: { min, max: max - 1 } }];
  }
  if (rules.kind === 'number') {
    for (const bound of ['gte', 'lte'] as const) {
      const value = rules[bound];
      if (value === undefined) continue;
      const one = typeof value === 'bigint' ? 1n : 1;
      for (const moved of [(value as number) + (one as number), (value as number) - (one as number)]) {
        yield [`${bound} ${moved}, not ${value}`, { ...rules, [bound]: moved }];
      }
    }
  }
  if (rules.kind === 'text') {
    const { min, max, patterns = [], ...rest } = rules;
    if (min !== undefined) yield ['one character more at least', { ...rules, min: min + 1 }];
    if (min !== undefined) yield ['one character fewer at least', { ...rules, min: min - 1 }];
    if (max !== undefined) yield ['one character more at most', { ...rules, max: max + 1 }];
    for (const { matches, says } of patterns) {
      yield [`no pattern ${matches}`, { ...rest, patterns: [] }];
      const bytes = { matches: new RegExp(matches.source.replace('\\P{Cc}', '[^]'), 'u'), says };
      if (bytes.matches.source !== matches.source) yield ['control characters allowed', { ...rest, patterns: [bytes] }];
      const slash = { matches: new RegExp(matches.source.replaceAll('._~', './_~'), 'u'), says };
      if (slash.matches.source !== matches.source) yield ['a slash allowed', { ...rest, patterns: [slash] }];
      const dots = { matches: new RegExp(matches.source.replace('{3,128}', '{1,128}'), 'u'), says };
      if (dots.matches.source !== matches.source) yield ['"." and ".." allowed', { ...rest, patterns: [dots] }];
      const units = { matches: new RegExp(matches.source.replace('\\P{Cc}', '[^\\x00-\\x1f\\x7f-\\x9f]')), says };
      if (units.matches.source !== matches.source) yield ['UTF-16 units counted', { ...rest, patterns: [units] }];
    }
  }
  if (rules.kind === 'enum') yield ['all values', { field: rules.field, key: rules.key, kind: 'any' }];
  if (rules.kind === 'message') {
    if (rules.required) yield ['nothing required', { ...rules, required: false }];
    yield ['nothing within it checked', { field: rules.field, key: rules.key, kind: 'any' }];
  }
}
