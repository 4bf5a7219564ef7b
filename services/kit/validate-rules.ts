/** What the contracts say of requests, as deploy/generate-rules.ts writes it to proto/gen/rules.ts. */
export interface Contracts {
  /** By the path of a method: "/telltale.users.v1.UserService/GetUser". */
  readonly methods: Readonly<Record<string, MethodRules>>;
  /** By the full name of a message, each that a request can hold, and each that has rules: a rule for each field that has any. */
  readonly messages: Readonly<Record<string, readonly FieldRules[]>>;
}

/** What a method takes. */
export interface MethodRules {
  /** The full name of its request message. */
  readonly request: string;
  /** The longest request in bytes, of a stream the longest message. */
  readonly maxBytes: number;
}

/** The rules of one field. */
export type FieldRules = NamedField & (TextRules | NumberRules | EnumRules | MessageFieldRules | NoRules);

interface NamedField {
  /** Its name as in the `.proto`: "unit_price_minor". */
  readonly field: string;
  /** Its name in the generated code: "unitPriceMinor". */
  readonly key: string;
  /** Whether it may be absent: it is `optional` in the `.proto`. The rules hold when it is there. */
  readonly optional?: boolean;
  /** How many elements a list may have; absent when the field is no list. The other rules are those of each element. */
  readonly list?: SizeRules;
  /** How many entries a map with texts as keys may have; absent when the field is no map. The other rules are those of each value. */
  readonly map?: SizeRules;
}

/** How many there may be. */
export interface SizeRules {
  readonly min?: number;
  readonly max: number;
}

/** A text: well-formed, from `min` to `max` characters (Unicode code points), and as each of the patterns. */
export interface TextRules {
  readonly kind: 'text';
  readonly min?: number;
  readonly max?: number;
  readonly patterns?: readonly { readonly matches: RegExp; readonly says: string }[];
}

/** A number from `gte` to `lte`, which NaN is not; an int64 is a bigint. */
export interface NumberRules {
  readonly kind: 'number';
  readonly gte?: number | bigint;
  readonly lte?: number | bigint;
}

/** One of the values of an enum: their names by their numbers. */
export interface EnumRules {
  readonly kind: 'enum';
  readonly values: Readonly<Record<number, string>>;
}

/** A message with rules of its own, which must be there when it is required. */
export interface MessageFieldRules {
  readonly kind: 'message';
  /** Its full name. */
  readonly of: string;
  readonly required?: boolean;
}

/** Elements of a list, or values of a map, without rules of their own. */
interface NoRules {
  readonly kind: 'any';
}
