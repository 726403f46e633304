import { BLOCK_LENGTH } from "../limits.ts";

/** Reads a stream of bytes block by block. A block is valid only until the next read, because its buffer is reused. */
export interface ByteReader {
  /** Returns the next block; null at the end. The type of the block is not checked. */
  read(): Promise<unknown>;
  /** Cancels the stream. A read that is still waiting ends. */
  cancel(reason: unknown): Promise<void>;
}

/**
 * Creates the reader of a stream. A byte stream is read into one buffer that is reused, because a new buffer for each
 * block would need much memory.
 *
 * @param stream The stream. It is locked until it ends or is cancelled.
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

/**
 * Opens a byte stream. Returns null for any other stream. Streams that Bun 1.4 creates, such as the body of a response,
 * are never byte streams.
 */
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
