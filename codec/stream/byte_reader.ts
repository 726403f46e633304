/** Bytes read into one buffer, as many as one piece of text is made of. */
const SIZE = 65_536;

/** Reads a stream of bytes chunk by chunk; a chunk is good until the next is read. */
export interface ByteReader {
  /** Gives the next chunk, whatever it is; null at the end. */
  read(): Promise<unknown>;
  /** Gives the stream up, and whoever waits for a chunk. */
  cancel(reason: unknown): Promise<void>;
}

/**
 * Reads a stream, a byte stream into one buffer that is used again: fresh ones are what fills the memory.
 *
 * @param stream The stream; locked until it ends or is cancelled.
 */
export function createByteReader(stream: ReadableStream<unknown>): ByteReader {
  const { reader, next } = openBuffered(stream as ReadableStream<Uint8Array>) ?? openPlain(stream);
  return {
    async read() {
      const chunk = await next();
      if (chunk === null) reader.releaseLock();
      return chunk;
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

/** Null where the stream is no byte stream; those of Bun 1.4 itself never are. */
function openBuffered(stream: ReadableStream<Uint8Array>): Opened | null {
  let reader: ReadableStreamBYOBReader;
  try {
    reader = stream.getReader({ mode: "byob" });
  } catch {
    return null;
  }
  let buffer = new ArrayBuffer(SIZE);
  return {
    reader,
    async next() {
      const { done, value } = await reader.read(new Uint8Array(buffer));
      if (value !== undefined) buffer = value.buffer;
      return done ? null : value;
    },
  };
}
