import { encodeErrors, type MessageEncodeError } from "../../codec/errors.ts";
import { MAX_BYTES } from "../../codec/limits.ts";
import { ByteBudget } from "../../codec/stream/byte_budget.ts";
import { TextBlocks } from "../../codec/stream/text_blocks.ts";
import { base64Length } from "../../util/base64.ts";
import { cutMessage, type CutText } from "../../codec/stream/message_text.ts";
import type { StreamMessage } from "../../codec/stream/types.ts";
import { runtime } from "../../runtime/mod.ts";
import { isCustom } from "../../schema/guards.ts";
import type { WireMessage } from "../../schema/types.ts";
import { MAX_CHUNK_LENGTH } from "./frames.ts";
import type { ChunkSource } from "./outgoing.ts";
import type { SendStreamOptions } from "./transfers.ts";

/** Characters of one base64 group. A group is never divided between two chunks. */
const BASE64_GROUP = 4;

/** Milliseconds that a chunk waits for a slow source to fill it. */
const FILL_TIMEOUT = 20;

/** The text of a message that is sent as a stream. */
export interface StreamText {
  readonly source: ChunkSource;
  /** Bytes of the whole text, which is ASCII; `null` if the message holds a stream of unknown size. */
  readonly total: number | null;
}

function lengthOf({ texts, binaries }: CutText): number | null {
  let length = 0;
  for (const text of texts) length += text.length;
  for (const binary of binaries) {
    if (binary instanceof ReadableStream) return null;
    length += base64Length(binary instanceof Uint8Array ? binary.length : binary.size);
  }
  return length;
}

/**
 * Moves `message_info` to the front, so that the receiver can pass the message to a handler as soon as it has read this
 * member.
 */
function infoFirst(message: StreamMessage): StreamMessage {
  const { message_info, ...rest } = message;
  return { message_info, ...rest };
}

/** Joins the blocks of the sources, which may be small, to chunks that are as long as possible. */
class FullChunks implements ChunkSource {
  readonly #blocks: TextBlocks;
  /** The promise for the next block while it is being read; `null` at other times. */
  #reading: Promise<void> | null = null;

  constructor(blocks: TextBlocks) {
    this.#blocks = blocks;
  }

  async next(): Promise<string | null> {
    let chunk = "";
    while (chunk.length <= MAX_CHUNK_LENGTH - BASE64_GROUP) {
      const text = this.#reading === null ? this.#blocks.next(MAX_CHUNK_LENGTH - chunk.length) : "";
      if (text === null) return chunk === "" ? null : chunk;
      if (text !== "") chunk += text;
      else if (!await this.#waitForBlock(chunk === "" ? Infinity : FILL_TIMEOUT)) break;
    }
    return chunk;
  }

  cancel(reason: unknown): void {
    this.#blocks.abandon(reason);
  }

  /** Waits for the next block; returns false if it did not come within `ms`. */
  async #waitForBlock(ms: number): Promise<boolean> {
    const reading = this.#reading ??= this.#blocks.load();
    if (ms < Infinity) {
      const late = Promise.withResolvers<boolean>();
      const timer = runtime.after(ms, () => late.resolve(true));
      // A source that failed counts as ready: its error is thrown below.
      const isLate = await Promise.race([late.promise, reading.then(() => false, () => false)]);
      runtime.cancel(timer);
      if (isLate) return false;
    }
    this.#reading = null;
    await reading;
    return true;
  }
}

/**
 * Prepares a message to be sent as a stream. Locks the streams in it.
 *
 * @throws {MessageEncodeError} If the message nests too deep, breaks a rule of the protocol or is not JSON.
 * @throws {TypeError} If a stream is locked, or the message is a custom message.
 */
export function streamText(message: StreamMessage): StreamText {
  if (isCustom(message)) throw new TypeError("A custom message cannot be streamed; send it with sendCustom()");
  const cut = cutMessage(infoFirst(message), { isAscii: true });
  return { source: new FullChunks(new TextBlocks(cut, new ByteBudget(Infinity))), total: lengthOf(cut) };
}

function tooLarge(): MessageEncodeError {
  return encodeErrors.tooLarge(
    `Message is larger than ${MAX_BYTES} bytes, and the other side does not take chunks; send less in one message`,
  );
}

/**
 * Reads a whole message into memory. Used if the other side accepts a message only in one frame. Reports the number of
 * bytes read so far as progress.
 *
 * @throws {MessageEncodeError} `too_large` as soon as the message is known to exceed one frame.
 */
export async function readWholeMessage(
  message: StreamMessage,
  { signal, onProgress }: SendStreamOptions,
): Promise<WireMessage> {
  const { source, total } = streamText(message);
  const abort = () => source.cancel(signal?.reason);
  signal?.addEventListener("abort", abort);
  try {
    signal?.throwIfAborted();
    if (total !== null && total > MAX_BYTES) throw tooLarge();
    const blocks: string[] = [];
    let length = 0;
    for (let block = await source.next(); block !== null; block = await source.next()) {
      length += block.length;
      if (length > MAX_BYTES) throw tooLarge();
      blocks.push(block);
      onProgress?.({ sent: length, total });
    }
    signal?.throwIfAborted(); // a cancelled source ends early
    return JSON.parse(blocks.join("")); // no check needed: the text was encoded here
  } catch (error) {
    source.cancel(error);
    throw error;
  } finally {
    signal?.removeEventListener("abort", abort);
  }
}
