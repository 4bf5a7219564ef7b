import { fromBinary } from '@bufbuild/protobuf';
import { BinaryReader, WireType } from '@bufbuild/protobuf/wire';
import {
  type DescriptorProto,
  type EnumDescriptorProto,
  type FieldDescriptorProto,
  type FileDescriptorProto,
  FileDescriptorProtoSchema,
} from '@bufbuild/protobuf/wkt';

/** A `.proto` file as it was built. */
export interface DescribedFile {
  /** The name by which other files import it. */
  readonly name: string;
  /** The serialized google.protobuf.FileDescriptorProto, exactly as the descriptor set holds it. */
  readonly bytes: Buffer;
  /** The names of the files that it imports. */
  readonly imports: readonly string[];
}

/** The files of a descriptor set and what they declare. Names are full names without a dot in front. */
export interface Descriptors {
  /** The files by their names. */
  readonly files: ReadonlyMap<string, DescribedFile>;
  /** The file that declares each symbol: service, method, message, field, oneof, enumeration, value of one, extension. */
  readonly bySymbol: ReadonlyMap<string, DescribedFile>;
  /** The files that declare the extensions of a message, by the message's name and the number of the extension. */
  readonly byExtension: ReadonlyMap<string, ReadonlyMap<number, DescribedFile>>;
}

/** Reads a serialized google.protobuf.FileDescriptorSet. Throws when it is none. */
export function readDescriptors(set: Uint8Array): Descriptors {
  const files = new Map<string, DescribedFile>();
  const bySymbol = new Map<string, DescribedFile>();
  const byExtension = new Map<string, Map<number, DescribedFile>>();
  for (const bytes of filesIn(set)) {
    const proto = fromBinary(FileDescriptorProtoSchema, bytes);
    const file = { name: proto.name, bytes, imports: proto.dependency };
    files.set(file.name, file);
    for (const symbol of symbolsOf(proto)) bySymbol.set(symbol, file);
    for (const { extendee, number } of extensionsOf(proto)) {
      const extended = extendee.slice(1); // it is written with a dot in front
      const numbers = byExtension.get(extended) ?? new Map<number, DescribedFile>();
      byExtension.set(extended, numbers.set(number, file));
    }
  }
  return { files, bySymbol, byExtension };
}

/** The field of google.protobuf.FileDescriptorSet that holds the files. */
const FILE = 1;

function* filesIn(set: Uint8Array): Generator<Buffer> {
  const reader = new BinaryReader(set);
  while (reader.pos < reader.len) {
    const [field, type] = reader.tag();
    if (field === FILE && type === WireType.LengthDelimited) yield Buffer.from(reader.bytes());
    else reader.skip(type, field);
  }
}

function* symbolsOf({ package: scope, messageType, enumType, extension, service }: FileDescriptorProto): Generator<string> {
  yield* declaredIn(scope, messageType, enumType, extension);
  for (const { name, method } of service) yield* named(within(scope, name), method);
}

function* declaredIn(
  scope: string,
  messages: DescriptorProto[],
  enums: EnumDescriptorProto[],
  extensions: FieldDescriptorProto[],
): Generator<string> {
  for (const { name, field, oneofDecl, nestedType, enumType, extension } of messages) {
    const message = within(scope, name);
    yield* named(message, [...field, ...oneofDecl]);
    yield* declaredIn(message, nestedType, enumType, extension);
  }
  for (const { name, value } of enums) {
    yield within(scope, name);
    for (const { name } of value) yield within(scope, name); // as in C++, values are siblings of their enumeration
  }
  for (const { name } of extensions) yield within(scope, name);
}

/** A symbol and those that it holds. */
function* named(symbol: string, members: { name: string }[]): Generator<string> {
  yield symbol;
  for (const { name } of members) yield within(symbol, name);
}

function within(scope: string, name: string): string {
  return scope === '' ? name : `${scope}.${name}`;
}

interface Extending {
  readonly extension: FieldDescriptorProto[];
}

function extensionsOf({ extension, messageType }: FileDescriptorProto): FieldDescriptorProto[] {
  const nested = (message: DescriptorProto): Extending[] => [message, ...message.nestedType.flatMap(nested)];
  return [{ extension }, ...messageType.flatMap(nested)].flatMap(({ extension }: Extending) => extension);
}
