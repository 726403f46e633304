import { type ByteReader, createByteReader } from "./byte_reader.ts";
import { MessageDecodeError } from "../errors.ts";
import { invalidJson } from "./json_scanner.ts";
import { utf8Length } from "../../util/utf8.ts";
import { Utf8Decoder } from "./utf8_decoder.ts";

/** Bytes decoded at once; V8 15 keeps strings from 128 KiB on where they are slow to free. */
const WINDOW = 65_536;

/** Whatever gives chunks one after the other. */
export type Chunks<T> = ReadableStream<T> | AsyncIterable<T> | Iterable<T>;

/** Text that is read piece by piece, one call at a time. */
export interface TextSource {
  /** Gives the next piece, which may be empty; null at the end. */
  next(): Promise<string | null>;
  /** Gives the source up, and whoever waits for a piece. */
  cancel(reason: unknown): Promise<void>;
}

function tooLarge(maxBytes: number): MessageDecodeError {
  return new MessageDecodeError(`Cannot decode message as it must take at most ${maxBytes} bytes`, {
    code: "too_large",
    path: "$",
  });
}

/** Reads a stream, or anything iterable, in the same way. */
function readerOf(chunks: Chunks<unknown>): ByteReader {
  if (chunks instanceof ReadableStream) return createByteReader(chunks);
  const iterator = Symbol.asyncIterator in chunks ? chunks[Symbol.asyncIterator]() : chunks[Symbol.iterator]();
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
 * @param chunks Where they come from.
 * @param maxBytes How many there may be.
 */
export function bytesSource(chunks: Chunks<Uint8Array>, maxBytes: number): TextSource {
  const reader = readerOf(chunks);
  const decoder = new Utf8Decoder(invalidJson);
  let chunk: Uint8Array = new Uint8Array();
  let bytes = 0;
  let isEnded = false;
  return {
    async next() {
      if (isEnded) return null;
      if (chunk.length === 0) {
        const next = await reader.read();
        if (next === null) {
          isEnded = true;
          decoder.end();
          return null;
        }
        if (!(next instanceof Uint8Array)) {
          throw new TypeError(`Cannot decode segments as their source must give bytes: received ${typeof next}`);
        }
        bytes += next.length;
        if (bytes > maxBytes) throw tooLarge(maxBytes);
        chunk = next;
      }
      const part = chunk.subarray(0, WINDOW);
      chunk = chunk.subarray(WINDOW);
      return decoder.push(part);
    },
    cancel: (reason) => reader.cancel(reason),
  };
}

/**
 * Reads text that is in pieces already.
 *
 * @param chunks Where they come from.
 * @param maxBytes How many bytes of UTF-8 there may be.
 */
export function piecesSource(chunks: Chunks<string>, maxBytes: number): TextSource {
  const reader = readerOf(chunks);
  let bytes = 0;
  return {
    async next() {
      const next = await reader.read();
      if (next === null) return null;
      if (typeof next !== "string") {
        throw new TypeError(`Cannot decode segments as their source must give text: received ${typeof next}`);
      }
      if (maxBytes !== Infinity) bytes += utf8Length(next);
      if (bytes > maxBytes) throw tooLarge(maxBytes);
      return next;
    },
    cancel: (reason) => reader.cancel(reason),
  };
}
