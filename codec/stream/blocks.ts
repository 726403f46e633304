import { type ByteReader, createByteReader } from "./byte_reader.ts";
import { MessageEncodeError } from "../errors.ts";
import type { BinaryData, CutText } from "./message_text.ts";
import { utf8Length } from "../../util/utf8.ts";

const EMPTY = new Uint8Array();

/** Limits the bytes of a text that is written piece by piece. */
export class Budget {
  readonly #maxBytes: number;
  #left: number;

  /** @param maxBytes How many bytes the text may take. */
  constructor(maxBytes: number) {
    this.#maxBytes = maxBytes;
    this.#left = maxBytes;
  }

  /** Whether nothing needs to be counted. */
  get isEndless(): boolean {
    return this.#maxBytes === Infinity;
  }

  /** Takes bytes off; throws when none are left. */
  spend(bytes: number): void {
    this.#left -= bytes;
    if (this.#left >= 0) return;
    throw new MessageEncodeError(`Cannot encode message as it must take at most ${this.#maxBytes} bytes`, {
      code: "too_large",
      path: "$",
    });
  }
}

/** A stretch of text that is taken piece by piece. */
interface Stretch {
  /** Takes about `max` characters: "" when it has to wait first, null at the end. */
  take(max: number): string | null;
  wait(): Promise<void>;
  cancel(reason: unknown): Promise<void>;
  /** Bytes it is known to take; the rest it spends as it comes. */
  readonly known: number;
}

/** JSON text; never cut inside a surrogate pair. */
class TextStretch implements Stretch {
  readonly #text: string;
  #at = 0;

  constructor(text: string) {
    this.#text = text;
  }

  get known(): number {
    return utf8Length(this.#text);
  }

  take(max: number): string | null {
    const start = this.#at;
    if (start >= this.#text.length) return null;
    let end = start + Math.max(2, max);
    if ((this.#text.charCodeAt(end - 1) & 0xfc00) === 0xd800) end--;
    this.#at = end;
    return this.#text.slice(start, end);
  }

  wait(): Promise<void> {
    return Promise.resolve();
  }

  cancel(): Promise<void> {
    return Promise.resolve();
  }
}

/** Characters that the base64 of some bytes takes, padding included. */
export const base64Length = (bytes: number): number => Math.ceil(bytes / 3) * 4;

/** One binary, base64-encoded as it comes. */
class Base64Stretch implements Stretch {
  readonly known: number;
  readonly #budget: Budget;
  readonly #path: string;
  #source: Blob | null = null;
  #reader: ByteReader | null = null;
  /** Bytes short of a group of three. */
  #carry: Uint8Array = EMPTY;
  #bytes: Uint8Array = EMPTY;

  constructor(binary: BinaryData, path: string, budget: Budget) {
    this.#path = path;
    this.#budget = budget;
    this.known = binary instanceof Uint8Array
      ? base64Length(binary.length)
      : binary instanceof Blob
      ? base64Length(binary.size)
      : 0;
    if (binary instanceof Uint8Array) this.#bytes = binary;
    else if (binary instanceof Blob) this.#source = binary;
    else this.#reader = createByteReader(binary); // from now on it is ours
  }

  take(max: number): string | null {
    if (this.#carry.length > 0) return this.#takeCarry();
    const bytes = this.#bytes;
    if (bytes.buffer instanceof ArrayBuffer && bytes.buffer.detached) { // it looks empty
      throw new TypeError(`Cannot encode message as ${this.#path} must stay in place until read: it was transferred`);
    }
    const length = Math.min(bytes.length - bytes.length % 3, Math.max(3, Math.floor(max / 4) * 3));
    if (length > 0) {
      this.#bytes = length < bytes.length ? bytes.subarray(length) : EMPTY;
      return this.#encode(bytes.subarray(0, length));
    }
    if (this.#reader !== null || this.#source !== null) return "";
    if (bytes.length === 0) return null;
    this.#bytes = EMPTY;
    return this.#encode(bytes);
  }

  /** Fills up the group that a chunk left short. */
  #takeCarry(): string | null {
    const need = 3 - this.#carry.length;
    const group = new Uint8Array([...this.#carry, ...this.#bytes.subarray(0, need)]);
    this.#bytes = this.#bytes.subarray(need);
    const isShort = group.length < 3 && this.#reader !== null;
    this.#carry = isShort ? group : EMPTY;
    return isShort ? "" : this.#encode(group);
  }

  #encode(bytes: Uint8Array): string {
    const text = bytes.toBase64();
    if (this.known === 0) this.#budget.spend(text.length);
    return text;
  }

  async wait(): Promise<void> {
    // A file is opened when its turn comes. Deno and Bun both stream a Blob without reading all of it.
    if (this.#source !== null) this.#reader = createByteReader(this.#source.stream());
    this.#source = null;
    if (this.#bytes.length > 0) this.#carry = this.#bytes.slice();
    this.#bytes = EMPTY;
    const chunk = await this.#reader?.read();
    if (chunk instanceof Uint8Array) {
      this.#bytes = chunk;
    } else if (chunk === null) {
      this.#reader = null;
    } else if (this.#reader !== null) {
      throw new MessageEncodeError(`Cannot encode message as ${this.#path} must give bytes: received ${typeof chunk}`, {
        ...{ code: "invalid_shape", path: this.#path, expected: "bytes", received: typeof chunk },
      });
    }
  }

  async cancel(reason: unknown): Promise<void> {
    const reader = this.#reader;
    this.#reader = this.#source = null;
    this.#carry = this.#bytes = EMPTY;
    await reader?.cancel(reason);
  }
}

/** The text of a message, or of part of one, taken in pieces without holding more than a chunk of a source. */
export class Pieces {
  readonly #stretches: readonly Stretch[];
  readonly #budget: Budget;
  #at = 0;
  #isBegun = false;

  /**
   * Takes possession of every stream among the binaries; nothing is read yet.
   *
   * @param text The parts of the text and what goes between them.
   * @param budget Limit on its bytes.
   * @throws {TypeError} If a stream is locked.
   */
  constructor({ parts, binaries, paths }: CutText, budget: Budget) {
    const streams = binaries.filter((binary) => binary instanceof ReadableStream);
    if (streams.some(({ locked }) => locked) || new Set(streams).size < streams.length) {
      throw new TypeError("Cannot encode message as its streams must be free to read: one is locked or there twice");
    }
    this.#budget = budget;
    this.#stretches = parts.flatMap((part, index): Stretch[] => {
      const binary = binaries[index];
      if (binary === undefined) return [new TextStretch(part)];
      return [new TextStretch(part), new Base64Stretch(binary, paths[index] ?? "$", budget)];
    });
  }

  /**
   * Takes the next piece.
   *
   * @param max About how many characters; a few more where a pair or a group of base64 needs them.
   * @returns The piece; "" when {@linkcode wait} has to be called first, null at the end.
   * @throws {MessageEncodeError} If the budget is exceeded.
   */
  take(max: number): string | null {
    if (!this.#isBegun) {
      this.#isBegun = true;
      if (!this.#budget.isEndless) { for (const { known } of this.#stretches) this.#budget.spend(known); }
    }
    for (; this.#at < this.#stretches.length; this.#at++) {
      const piece = this.#stretches[this.#at]?.take(max) ?? null;
      if (piece !== null) return piece;
    }
    return null;
  }

  /** Reads one chunk of the source whose turn it is. */
  async wait(): Promise<void> {
    await this.#stretches[this.#at]?.wait();
  }

  /** Releases every source that is not read to its end. */
  async cancel(reason: unknown): Promise<void> {
    const left = this.#stretches.slice(this.#at);
    this.#at = this.#stretches.length;
    await Promise.all(left.map((stretch) => stretch.cancel(reason)));
  }

  /** Does the same after a fault, which counts more than whatever goes wrong now. */
  abandon(reason: unknown): void {
    this.cancel(reason).catch(() => {});
  }
}
