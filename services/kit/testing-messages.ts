import { create, type DescField, type DescMessage, type Message, ScalarType } from '@bufbuild/protobuf';
import { reflect } from '@bufbuild/protobuf/reflect';
import type { Contracts, FieldRules } from './validate-rules.ts';

/** Numbers from 0 to below 1, the same for the same seed (mulberry32). */
export function randomNumbers(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}

const CHARACTERS = ['a', 'Z', '0', ' ', 'é', '帆', '🧵', '\uFEFF', '\u2028', '\u0301', '\0', '\n', '\x7f', '\x85'];
const TEXTS = [
  '',
  '.',
  '..',
  '.~',
  '...',
  'a/b',
  'EUR',
  'eur',
  'EURO',
  'ÉUR',
  'EUR\n',
  '\nEUR',
  'ＥＵＲ',
  'x',
  'a\nb',
  '\0',
  '\ufffd',
];
const INT32 = [0, 1, -1, 2, 2 ** 31 - 1, -(2 ** 31)];
const INT64 = [0n, 1n, -1n, 2n ** 53n + 1n, 2n ** 63n - 1n, -(2n ** 63n)];
const DOUBLES = [0, -0, 0.5, 1, Number.NaN, Infinity, -Infinity, 5e-324, -5e-324, 1 + Number.EPSILON];

/** Makes a message with values at, and one beside, the edges of its rules, and with whatever else is odd about their types. */
export function randomMessage(desc: DescMessage, { messages }: Pick<Contracts, 'messages'>, random: () => number): Message {
  const pick = <Value>(values: readonly Value[]): Value => values[Math.floor(random() * values.length)] as Value;

  function valueFor(field: DescField, rules: FieldRules | undefined): unknown {
    if (field.message) return randomMessage(field.message, { messages }, random);
    if (field.enum) return pick([...field.enum.values.map(({ number }) => number), 99, -1]);
    switch (field.scalar) {
      case ScalarType.STRING:
        return text(rules);
      case ScalarType.DOUBLE:
        return pick([...DOUBLES, ...near(rules)]);
      case ScalarType.INT32:
        return pick([...INT32, ...near(rules)]);
      case ScalarType.UINT32:
        return pick([...INT32, ...near(rules)].filter(value => value >= 0));
      case ScalarType.INT64:
        return pick([...INT64, ...near(rules).map(BigInt)]);
      case ScalarType.UINT64:
        return pick([...INT64, 2n ** 64n - 1n].filter(value => value >= 0n));
      case ScalarType.BOOL:
        return pick([false, true]);
      default:
        throw new TypeError(`no values for ${field}`);
    }
  }

  function text(rules: FieldRules | undefined): string {
    if (random() < 0.3) return pick(TEXTS);
    const edges = rules?.kind === 'text' ? [rules.min, rules.max, 64, 128].flatMap(edge => edge ?? []) : [];
    const length = Math.max(0, pick(edges.length > 0 ? edges : [3]) + pick([-1, 0, 0, 0, 1]));
    const odd = random() < 0.1 ? CHARACTERS : CHARACTERS.slice(0, 10);
    const uniform = random() < 0.5 ? pick(odd) : undefined; // 64 characters of one, two and four bytes
    return Array.from({ length }, () => uniform ?? pick(odd)).join('');
  }

  const near = (rules: FieldRules | undefined): number[] => {
    const edges = rules?.kind === 'number' ? [rules.gte, rules.lte].flatMap(edge => edge ?? []) : [];
    return edges.flatMap(edge => [-1, 0, 0, 0, 1].map(by => Number(edge) + by));
  };

  function listLength(rules: FieldRules | undefined): number {
    const { min = 0, max = 3 } = rules?.list ?? {};
    return Math.max(0, random() < 0.9 ? pick([1, 2, 3, min]) : pick([min, max]) + pick([-1, 0, 1]));
  }

  const message = reflect(desc, create(desc), false);
  for (const field of desc.fields) {
    const rules = messages[desc.typeName]?.find(each => each.field === field.name);
    if (field.fieldKind === 'list') {
      const list = message.get(field);
      for (let left = listLength(rules); left > 0; left--) list.add(reflected(field, valueFor(field, rules)));
    } else if (field.fieldKind === 'map') {
      const map = message.get(field);
      for (const key of ['a b', 'c', 'd'].slice(0, pick([0, 1, 2, 3]))) map.set(key, reflected(field, valueFor(field, rules)));
    } else if ((field.fieldKind !== 'message' && !rules?.optional) || random() < 0.9) {
      message.set(field, reflected(field, valueFor(field, rules)));
    }
  }
  return message.message;
}

function reflected(field: DescField, value: unknown): unknown {
  return field.message ? reflect(field.message, value as Message, false) : value;
}
