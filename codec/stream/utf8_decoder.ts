/** How many bytes at the end begin a character that is not all there. */
function unfinished(bytes: Uint8Array): number {
  for (let back = 1; back <= 3 && back <= bytes.length; back++) {
    const byte = bytes[bytes.length - back] ?? 0;
    if ((byte & 0xc0) === 0x80) continue;
    return byte >= (back === 1 ? 0xc0 : back === 2 ? 0xe0 : 0xf0) ? back : 0;
  }
  return 0;
}

function joined(start: Uint8Array, rest: Uint8Array): Uint8Array {
  const whole = new Uint8Array(start.length + rest.length);
  whole.set(start);
  whole.set(rest, start.length);
  return whole;
}

/**
 * Decodes UTF-8 in pieces cut anywhere. A BOM stays.
 *
 * Deno 2.9 decodes with `fatal` or `stream` into strings of two bytes a character: three times slower, and more to free.
 */
export class Utf8Decoder {
  readonly #decoder = new TextDecoder("utf-8", { ignoreBOM: true });
  readonly #fault: () => Error;
  #rest: Uint8Array = new Uint8Array();

  /** @param fault Makes what is thrown when the bytes are no UTF-8. */
  constructor(fault: () => Error) {
    this.#fault = fault;
  }

  /** Decodes the next bytes as far as characters are complete. */
  push(bytes: Uint8Array): string {
    const whole = this.#rest.length === 0 ? bytes : joined(this.#rest, bytes);
    const end = whole.length - unfinished(whole);
    this.#rest = whole.slice(end);
    const part = whole.subarray(0, end);
    const text = this.#decoder.decode(part);
    if (text.includes("\ufffd")) this.#check(part); // it may stand there by itself
    return text;
  }

  /** Says that there are no more bytes. */
  end(): void {
    if (this.#rest.length > 0) throw this.#fault();
  }

  #check(bytes: Uint8Array): void {
    try {
      new TextDecoder("utf-8", { fatal: true }).decode(bytes);
    } catch {
      throw this.#fault();
    }
  }
}
