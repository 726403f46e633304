import { BLOCK_LENGTH } from "../limits.ts";

/** Reads a stream of bytes block by block. A block is valid until the next one is read. */
export interface ByteReader {
  /** Gives the next block, whatever its type; null at the end. */
  read(): Promise<unknown>;
  /** Cancels the stream. A read that is waiting ends. */
  cancel(reason: unknown): Promise<void>;
}

/**
 * Reads a stream. A byte stream is read into one buffer that is used again, as new buffers would fill the memory.
 *
 * @param stream The stream; locked until it ends or is cancelled.
 */
export function createByteReader(stream: ReadableStream<unknown>): ByteReader {
  const { reader, next } = openBuffered(stream as ReadableStream<Uint8Array>) ?? openPlain(stream);
  return {
    async read() {
      const block = await next();
      if (block === null) reader.releaseLock();
      return block;
    },
    async cancel(reason) {
      await reader.cancel(reason);
      reader.releaseLock();
    },
  };
}

interface Opened {
  readonly reader: ReadableStreamGenericReader & { releaseLock(): void };
  readonly next: () => Promise<unknown>;
}

function openPlain(stream: ReadableStream<unknown>): Opened {
  const reader = stream.getReader();
  return {
    reader,
    async next() {
      const { done, value } = await reader.read();
      return done ? null : value;
    },
  };
}

/** Gives null if the stream is not a byte stream. The streams that Bun 1.4 itself creates never are. */
function openBuffered(stream: ReadableStream<Uint8Array>): Opened | null {
  let reader: ReadableStreamBYOBReader;
  try {
    reader = stream.getReader({ mode: "byob" });
  } catch {
    return null;
  }
  let buffer = new ArrayBuffer(BLOCK_LENGTH);
  return {
    reader,
    async next() {
      const { done, value } = await reader.read(new Uint8Array(buffer));
      if (value !== undefined) buffer = value.buffer;
      return done ? null : value;
    },
  };
}
