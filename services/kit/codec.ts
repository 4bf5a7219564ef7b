import { BinaryReader } from '@bufbuild/protobuf/wire';

/** A request that is longer than its method takes; it is not decoded. */
export class TooLong {
  readonly bytes: number;
  readonly maxBytes: number;

  constructor(bytes: number, maxBytes: number) {
    this.bytes = bytes;
    this.maxBytes = maxBytes;
  }
}

/** A decoder that yields {@link TooLong} instead of a message for more than `maxBytes`, so that the handler adapter can answer. */
export function limitedDecoder<Message>(
  decode: (bytes: Buffer) => Message,
  maxBytes: number,
): (bytes: Buffer) => Message | TooLong {
  return bytes => (bytes.length > maxBytes ? new TooLong(bytes.length, maxBytes) : decode(bytes));
}

const utf8 = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });
const lenientUtf8 = new TextDecoder('utf-8', { ignoreBOM: true });

/** Half a surrogate pair: no valid UTF-8 becomes a text with it. */
const INVALID = '\ud800';

function decodeUtf8(bytes: Uint8Array): string {
  try {
    return utf8.decode(bytes);
  } catch {
    return lenientUtf8.decode(bytes) + INVALID;
  }
}

/**
 * A request decoder that also notices what ts-proto's lets pass: strings must be valid UTF-8, as the protobuf specification
 * demands. An invalid one becomes a text that is not well-formed (`String.isWellFormed`), which the validator refuses by the
 * path of its field; bytes that are no protobuf at all throw, which grpc-js answers with INTERNAL.
 */
export function strictDecoder<Message>(decode: (bytes: Buffer) => Message): (bytes: Buffer) => Message {
  // ts-proto's decode takes a reader as well as bytes; its generated definition names only the bytes
  return bytes => decode(new BinaryReader(bytes, decodeUtf8) as unknown as Buffer);
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
