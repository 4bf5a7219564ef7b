import { BinaryReader } from '@bufbuild/protobuf/wire';

/** A request that is no message of its type, in a way that the wire format allows and the contract does not. */
export class Undecodable {
  /** What is wrong with it, for the caller. */
  readonly reason: string;

  constructor(reason: string) {
    this.reason = reason;
  }
}

const utf8 = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });

class InvalidUtf8 extends Error {}

function decodeUtf8(bytes: Uint8Array): string {
  try {
    return utf8.decode(bytes);
  } catch {
    throw new InvalidUtf8();
  }
}

/**
 * A request decoder that also checks what ts-proto's lets pass: strings must be valid UTF-8, as the protobuf specification
 * demands. An invalid one yields {@link Undecodable} instead of a message, so that the handler adapter can answer
 * INVALID_ARGUMENT; bytes that are no protobuf at all still throw, which grpc-js answers with INTERNAL.
 */
export function strictDecoder<Message>(decode: (bytes: Buffer) => Message): (bytes: Buffer) => Message | Undecodable {
  return bytes => {
    try {
      // ts-proto's decode takes a reader as well as bytes; its generated definition names only the bytes
      return decode(new BinaryReader(bytes, decodeUtf8) as unknown as Buffer);
    } catch (error) {
      if (error instanceof InvalidUtf8) return new Undecodable('a string field is not valid UTF-8');
      throw error;
    }
  };
}

/** The number of the field that padding is sent in: none of our messages has it, so every receiver skips it. */
const PADDING_FIELD = 15_000;
const LENGTH_DELIMITED = 2;

const padding = new WeakMap<object, number>();

/** Makes the serialized form of `message` longer by `bytes` and a few, when it is encoded by {@link paddedEncoder}. */
export function pad(message: object, bytes: number): void {
  padding.set(message, bytes);
}

/** An encoder that appends the padding that {@link pad} asked for. */
export function paddedEncoder<Message>(encode: (message: Message) => Buffer): (message: Message) => Buffer {
  return message => {
    const bytes = padding.get(message as object);
    if (bytes === undefined) return encode(message);
    padding.delete(message as object); // the same object may be an answer again
    return Buffer.concat([
      encode(message),
      varint((PADDING_FIELD << 3) | LENGTH_DELIMITED),
      varint(bytes),
      Buffer.alloc(bytes),
    ]);
  };
}

function varint(value: number): Buffer {
  const bytes: number[] = [];
  for (; value > 0x7f; value >>>= 7) bytes.push((value & 0x7f) | 0x80);
  return Buffer.from([...bytes, value]);
}
