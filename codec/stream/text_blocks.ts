/**
 * Makes the text of a message block by block, while it is sent.
 * @module
 */

import type { ByteBudget } from "./byte_budget.ts";
import { type ByteReader, createByteReader } from "./byte_reader.ts";
import type { CutText } from "./message_text.ts";
import type { BinaryData } from "./types.ts";
import { encodeErrors } from "../errors.ts";
import { base64Length, encodeBase64 } from "../../util/base64.ts";
import { utf8Length } from "../../util/utf8.ts";

const EMPTY = new Uint8Array();

/** A text that is made block by block. */
interface BlockSource {
  /** Returns about `max` characters; `""` if {@linkcode load} must be called first, null at the end. */
  next(max: number): string | null;
  /** Loads bytes for the next call of {@linkcode next}. */
  load(): Promise<void>;
  cancel(reason: unknown): Promise<void>;
  /**
   * Size of the whole text in bytes; 0 if it is not known in advance. Then the source itself subtracts each block that
   * it makes from the budget.
   */
  readonly knownBytes: number;
}

/** JSON text in memory. It is never cut inside a surrogate pair. */
class JsonBlocks implements BlockSource {
  readonly #text: string;
  #at = 0;

  constructor(text: string) {
    this.#text = text;
  }

  get knownBytes(): number {
    return utf8Length(this.#text);
  }

  next(max: number): string | null {
    const start = this.#at;
    if (start >= this.#text.length) return null;
    let end = start + Math.max(2, max);
    if ((this.#text.charCodeAt(end - 1) & 0xfc00) === 0xd800) end--;
    this.#at = end;
    return this.#text.slice(start, end);
  }

  load(): Promise<void> {
    return Promise.resolve();
  }

  cancel(): Promise<void> {
    return Promise.resolve();
  }
}

/** The base64 of one binary, made while its bytes are read. */
class Base64Blocks implements BlockSource {
  readonly knownBytes: number;
  readonly #budget: ByteBudget;
  readonly #path: string;
  #source: Blob | null = null;
  #reader: ByteReader | null = null;
  /** One or two bytes from the end of the last block. Base64 encodes groups of three bytes. */
  #carry: Uint8Array = EMPTY;
  #bytes: Uint8Array = EMPTY;

  constructor(binary: BinaryData, path: string, budget: ByteBudget) {
    this.#path = path;
    this.#budget = budget;
    this.knownBytes = binary instanceof Uint8Array
      ? base64Length(binary.length)
      : binary instanceof Blob
      ? base64Length(binary.size)
      : 0;
    if (binary instanceof Uint8Array) this.#bytes = binary;
    else if (binary instanceof Blob) this.#source = binary;
    else this.#reader = createByteReader(binary); // locks the stream
  }

  next(max: number): string | null {
    if (this.#carry.length > 0) return this.#completeGroup();
    const bytes = this.#bytes;
    if (bytes.buffer instanceof ArrayBuffer && bytes.buffer.detached) { // the length of a detached buffer is 0
      throw new TypeError(`Bytes at ${this.#path} were transferred before they were read; send a copy of them`);
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

  /** Encodes the group of three bytes that began in the last block. Returns `""` if bytes are still missing. */
  #completeGroup(): string | null {
    const need = 3 - this.#carry.length;
    const group = new Uint8Array([...this.#carry, ...this.#bytes.subarray(0, need)]);
    this.#bytes = this.#bytes.subarray(need);
    const isShort = group.length < 3 && this.#reader !== null;
    this.#carry = isShort ? group : EMPTY;
    return isShort ? "" : this.#encode(group);
  }

  #encode(bytes: Uint8Array): string {
    const text = encodeBase64(bytes);
    if (this.knownBytes === 0) this.#budget.spend(text.length);
    return text;
  }

  async load(): Promise<void> {
    // A Blob is opened only now: it may be a file. Deno and Bun do not read the whole Blob into memory.
    if (this.#source !== null) this.#reader = createByteReader(this.#source.stream());
    this.#source = null;
    if (this.#bytes.length > 0) this.#carry = this.#bytes.slice();
    this.#bytes = EMPTY;
    const bytes = await this.#reader?.read();
    if (bytes instanceof Uint8Array) {
      this.#bytes = bytes;
    } else if (bytes === null) {
      this.#reader = null;
    } else if (this.#reader !== null) {
      const fault = { path: this.#path, expected: "bytes", received: typeof bytes };
      throw encodeErrors.shape(fault, "a stream in a message must give Uint8Array blocks");
    }
  }

  async cancel(reason: unknown): Promise<void> {
    const reader = this.#reader;
    this.#reader = this.#source = null;
    this.#carry = this.#bytes = EMPTY;
    await reader?.cancel(reason);
  }
}

/**
 * Makes the text of a message or segment block by block. At any time, not more than one block of each `Blob` or stream
 * is held in memory.
 */
export class TextBlocks {
  readonly #sources: readonly BlockSource[];
  readonly #budget: ByteBudget;
  #at = 0;
  #isBegun = false;

  /**
   * Locks every stream among the binaries. Nothing is read yet.
   *
   * @param text The text, cut where its binaries belong.
   * @param budget Limit on the bytes of the text.
   * @throws {TypeError} If a stream is locked or used twice.
   */
  constructor({ texts, binaries, paths }: CutText, budget: ByteBudget) {
    const streams = binaries.filter((binary) => binary instanceof ReadableStream);
    if (streams.some(({ locked }) => locked) || new Set(streams).size < streams.length) {
      throw new TypeError("A stream in the message is locked or used twice; give each segment a stream of its own");
    }
    this.#budget = budget;
    this.#sources = texts.flatMap((text, index): BlockSource[] => {
      const binary = binaries[index];
      if (binary === undefined) return [new JsonBlocks(text)];
      return [new JsonBlocks(text), new Base64Blocks(binary, paths[index] ?? "$", budget)];
    });
  }

  /**
   * Returns the next block.
   *
   * @param max Approximate number of characters. The block may be a little longer, because surrogate pairs and groups
   * of base64 are not cut.
   * @returns The block; `""` if {@linkcode load} must be called first, null at the end.
   * @throws {MessageEncodeError} If the budget is exceeded.
   */
  next(max: number): string | null {
    if (!this.#isBegun) {
      this.#isBegun = true;
      if (!this.#budget.isUnlimited) { for (const { knownBytes } of this.#sources) this.#budget.spend(knownBytes); }
    }
    for (; this.#at < this.#sources.length; this.#at++) {
      const block = this.#sources[this.#at]?.next(max) ?? null;
      if (block !== null) return block;
    }
    return null;
  }

  /** Loads the next bytes of the current binary. Call it when {@linkcode next} returned `""`. */
  async load(): Promise<void> {
    await this.#sources[this.#at]?.load();
  }

  /** Cancels every stream that was not read to its end. */
  async cancel(reason: unknown): Promise<void> {
    const left = this.#sources.slice(this.#at);
    this.#at = this.#sources.length;
    await Promise.all(left.map((source) => source.cancel(reason)));
  }

  /**
   * Like {@linkcode cancel}, but for use after an error. If cancelling fails, the second error is ignored, because the
   * first one is reported.
   */
  abandon(reason: unknown): void {
    this.cancel(reason).catch(() => {});
  }
}
