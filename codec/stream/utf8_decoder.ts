/** Returns the number of bytes at the end that are the beginning of an incomplete character. */
function unfinished(bytes: Uint8Array): number {
  for (let back = 1; back <= 3 && back <= bytes.length; back++) {
    const byte = bytes[bytes.length - back] ?? 0;
    if ((byte & 0xc0) === 0x80) continue;
    return byte >= (back === 1 ? 0xc0 : back === 2 ? 0xe0 : 0xf0) ? back : 0;
  }
  return 0;
}

function joined(start: Uint8Array, rest: Uint8Array): Uint8Array {
  const bytes = new Uint8Array(start.length + rest.length);
  bytes.set(start);
  bytes.set(rest, start.length);
  return bytes;
}

/**
 * Decodes UTF-8 that comes in blocks. The blocks may be cut anywhere. A BOM is kept.
 *
 * The options `fatal` and `stream` of `TextDecoder` are not used. With them, Deno 2.9 makes strings of two bytes per
 * character, which takes three times as long and needs more memory.
 */
export class Utf8Decoder {
  readonly #decoder = new TextDecoder("utf-8", { ignoreBOM: true });
  readonly #createError: () => Error;
  #rest: Uint8Array = new Uint8Array();

  /** @param createError Makes the error that is thrown if the bytes are not UTF-8. */
  constructor(createError: () => Error) {
    this.#createError = createError;
  }

  /** Decodes the next bytes up to the last complete character. */
  push(bytes: Uint8Array): string {
    const block = this.#rest.length === 0 ? bytes : joined(this.#rest, bytes);
    const end = block.length - unfinished(block);
    this.#rest = block.slice(end);
    const complete = block.subarray(0, end);
    const text = this.#decoder.decode(complete);
    if (text.includes("\ufffd")) this.#check(complete); // either U+FFFD was sent, or the bytes are not UTF-8
    return text;
  }

  /** Ends the text; throws if a character is not complete. */
  end(): void {
    if (this.#rest.length > 0) throw this.#createError();
  }

  #check(bytes: Uint8Array): void {
    try {
      new TextDecoder("utf-8", { fatal: true }).decode(bytes);
    } catch {
      throw this.#createError();
    }
  }
}
