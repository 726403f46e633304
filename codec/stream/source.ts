import { type ByteReader, createByteReader } from "./byte_reader.ts";
import { Utf8Decoder } from "./utf8_decoder.ts";
import { decodeErrors, notJson } from "../errors.ts";
import { BLOCK_LENGTH } from "../limits.ts";
import { utf8Length } from "../../util/utf8.ts";

/** Anything that returns blocks one after the other. */
export type Blocks<T> = ReadableStream<T> | AsyncIterable<T> | Iterable<T>;

/** Text that is read block by block. A call of `next` must end before the following call. */
export interface TextSource {
  /** Returns the next block, which may be empty; null at the end. */
  next(): Promise<string | null>;
  /** Cancels the source. A read that is still waiting ends. */
  cancel(reason: unknown): Promise<void>;
}

/** Returns a reader of a stream or of an iterable. */
function readerOf(blocks: Blocks<unknown>): ByteReader {
  if (blocks instanceof ReadableStream) return createByteReader(blocks);
  const iterator = Symbol.asyncIterator in blocks ? blocks[Symbol.asyncIterator]() : blocks[Symbol.iterator]();
  return {
    async read() {
      const { done, value } = await iterator.next();
      return done ? null : value;
    },
    async cancel() {
      await iterator.return?.();
    },
  };
}

/**
 * Reads bytes as UTF-8.
 *
 * @param blocks The bytes.
 * @param maxBytes Limit on the number of bytes.
 */
export function byteSource(blocks: Blocks<Uint8Array>, maxBytes: number): TextSource {
  const reader = readerOf(blocks);
  const decoder = new Utf8Decoder(notJson);
  let rest: Uint8Array = new Uint8Array();
  let bytes = 0;
  let isEnded = false;
  return {
    async next() {
      if (isEnded) return null;
      if (rest.length === 0) {
        const next = await reader.read();
        if (next === null) {
          isEnded = true;
          decoder.end();
          return null;
        }
        if (!(next instanceof Uint8Array)) {
          throw new TypeError(`Source of decodeSegments() must give Uint8Array blocks; received ${typeof next}`);
        }
        bytes += next.length;
        if (bytes > maxBytes) throw decodeErrors.tooManyBytes(maxBytes);
        rest = next;
      }
      const block = rest.subarray(0, BLOCK_LENGTH);
      rest = rest.subarray(BLOCK_LENGTH);
      return decoder.push(block);
    },
    cancel: (reason) => reader.cancel(reason),
  };
}

/**
 * Reads text that already comes in blocks.
 *
 * @param blocks The text.
 * @param maxBytes Limit on the size of the text in UTF-8 bytes.
 */
export function textSource(blocks: Blocks<string>, maxBytes: number): TextSource {
  const reader = readerOf(blocks);
  let bytes = 0;
  return {
    async next() {
      const next = await reader.read();
      if (next === null) return null;
      if (typeof next !== "string") {
        throw new TypeError(`Source of the text must give strings; received ${typeof next}`);
      }
      if (maxBytes !== Infinity) bytes += utf8Length(next);
      if (bytes > maxBytes) throw decodeErrors.tooManyBytes(maxBytes);
      return next;
    },
    cancel: (reason) => reader.cancel(reason),
  };
}
