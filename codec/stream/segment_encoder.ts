import { ByteBudget } from "./byte_budget.ts";
import { cutMessage, cutSegment } from "./message_text.ts";
import { TextBlocks } from "./text_blocks.ts";
import type { BinarySeg, MessageEnvelope, StreamMessage } from "./types.ts";
import { BLOCK_LENGTH } from "../limits.ts";
import { MAX_DEPTH } from "../../schema/limits.ts";
import type { Seg } from "../../schema/types.ts";

/** Length in characters of the blocks that {@linkcode SegmentEncoderStream} makes. */
const TEXT_BLOCK_LENGTH = 262_144;

/** Options of {@linkcode encodeStream} and {@linkcode SegmentEncoderStream}. */
export interface EncodeStreamOptions {
  /**
   * Largest text that may be written, in bytes.
   *
   * @default {Infinity}
   */
  maxBytes?: number;
  /**
   * How deep segment lists may be nested inside one another.
   *
   * @default {32}
   */
  maxDepth?: number;
}

/** Returns the next block; null at the end. Short blocks are joined as long as no bytes must be loaded. */
async function nextBlock(blocks: TextBlocks): Promise<string | null> {
  try {
    let block = blocks.next(TEXT_BLOCK_LENGTH);
    for (; block === ""; block = blocks.next(TEXT_BLOCK_LENGTH)) await blocks.load();
    while (block !== null && block.length < TEXT_BLOCK_LENGTH / 2) {
      const more = blocks.next(TEXT_BLOCK_LENGTH - block.length);
      if (more === null || more === "") break;
      block += more;
    }
    return block;
  } catch (error) {
    blocks.abandon(error);
    throw error;
  }
}

/** Writes blocks of text into the buffers of a byte stream. */
class ByteWriter {
  readonly #blocks: TextBlocks;
  readonly #encoder = new TextEncoder();
  /** Bytes that did not fit in the last buffer. */
  #pending: Uint8Array = new Uint8Array();

  constructor(blocks: TextBlocks) {
    this.#blocks = blocks;
  }

  /**
   * Fills a buffer until it is full or bytes must be loaded. Returns the number of bytes written. 0 means that
   * `blocks.load` must be called first, null means the end.
   */
  fill(view: Uint8Array): number | null {
    let at = 0;
    while (at < view.length) {
      if (this.#pending.length === 0) {
        const room = view.length - at;
        const block = this.#blocks.next(Math.min(BLOCK_LENGTH, room));
        if (block === null && at === 0) return null;
        if (block === null || block === "") return at;
        const { read, written } = this.#encoder.encodeInto(block, view.subarray(at));
        at += written;
        if (read < block.length) this.#pending = this.#encoder.encode(block.slice(read));
      }
      const fitting = this.#pending.subarray(0, view.length - at);
      view.set(fitting, at);
      at += fitting.length;
      this.#pending = this.#pending.subarray(fitting.length);
    }
    return at;
  }
}

/**
 * Encodes one message as a stream of the bytes that `encodeMessage` would write. At any time, not more than one block
 * of each `Blob` or stream in the message is held in memory.
 *
 * Use it for files, HTTP bodies and peers that use this library. It does not help with other peers, because no runtime
 * can send one WebSocket message in several blocks.
 *
 * The bytes of segments are read and base64-encoded while the result is read. Cancelling the result cancels the streams
 * in the message. The result is a byte stream, so a BYOB reader that reuses its buffer saves memory. A `Uint8Array` in
 * the message must not change before it is read.
 *
 * @param message The message. Streams in it are locked at once.
 * @param options Limits on size and nesting. If the text is larger than `maxBytes`, the stream fails with `too_large`.
 * @returns The JSON of the message as UTF-8. If a stream in the message fails, the result fails with the same error.
 * @throws {MessageEncodeError} If the message is nested too deep, breaks a rule of the protocol or cannot be written as
 * JSON.
 * @throws {TypeError} If a stream in the message is locked or used twice.
 *
 * @example A message with a stream in it
 * ```ts
 * import { createMessage, encodeStream, seg } from "@maim/message";
 *
 * const video = new Blob(["not really a video"]).stream(); // or the body of a response, or a file
 * const message = createMessage({ platform: "qq", user: "10001" }, seg.text("请看"), seg.of("video", video));
 * const text = await new Response(encodeStream(message)).text();
 * console.log(text.includes('"video","data":"bm90IHJlYWxseSBhIHZpZGVv"')); // true
 * ```
 */
export function encodeStream(message: StreamMessage, options: EncodeStreamOptions = {}): ReadableStream<Uint8Array> {
  const { maxBytes = Infinity, maxDepth = MAX_DEPTH } = options;
  const blocks = new TextBlocks(cutMessage(message, { maxDepth }), new ByteBudget(maxBytes));
  const writer = new ByteWriter(blocks);
  const fail = (error: unknown): never => {
    blocks.abandon(error);
    throw error;
  };
  const respond = (controller: ReadableByteStreamController, written: number | null): void => {
    if (written === null) controller.close();
    controller.byobRequest?.respond(written ?? 0);
  };
  const loadAndFill = async (controller: ReadableByteStreamController, view: Uint8Array): Promise<void> => {
    let written: number | null = 0;
    for (; written === 0; written = writer.fill(view)) await blocks.load();
    respond(controller, written);
  };
  return new ReadableStream({
    type: "bytes",
    autoAllocateChunkSize: BLOCK_LENGTH,
    pull(controller): Promise<void> | void {
      try {
        const view = controller.byobRequest?.view as Uint8Array; // autoAllocateChunkSize makes sure that there is one
        const written = writer.fill(view);
        if (written === 0) return loadAndFill(controller, view).catch(fail);
        respond(controller, written);
      } catch (error) {
        fail(error);
      }
    },
    cancel: (reason) => blocks.cancel(reason),
  }, { highWaterMark: 0 });
}

/** Returns the text before and after the segments. `message_segment` is the last member of the message. */
function encodeEnvelope(envelope: MessageEnvelope, maxDepth: number): { head: string; tail: string } {
  const message: Partial<StreamMessage> = { ...envelope };
  delete message.message_segment; // the envelope may have this member, but the new one must be the last member
  message.message_segment = { type: "seglist", data: [] };
  const { texts: [text = ""] } = cutMessage(message as StreamMessage, { maxDepth, isAscii: true });
  const end = text.length - "]}}".length;
  return { head: text.slice(0, end), tail: text.slice(end) };
}

/**
 * Encodes the segments of one message as blocks of text. The segments become one `seglist`.
 *
 * The bytes of segments are read and base64-encoded while the result is read. The text is ASCII and has
 * `message_segment` as its last member. Apart from that, it is the text that `encodeMessage` would write. If a segment
 * is not valid, both the writable and the readable side fail.
 *
 * @example Segments as they come
 * ```ts
 * import { SegmentEncoderStream } from "@maim/message/codec";
 * import { seg } from "@maim/message/schema";
 *
 * const segments = ReadableStream.from([seg.text("你好"), seg.of("image", new Uint8Array([1, 2, 3]))]);
 * const texts = segments.pipeThrough(new SegmentEncoderStream({ message_info: { platform: "qq" } }));
 * let json = "";
 * for await (const text of texts) json += text;
 * console.log(JSON.parse(json).message_segment.data[1]); // { type: "image", data: "AQID" }
 * ```
 */
export class SegmentEncoderStream extends TransformStream<Seg | BinarySeg, string> {
  readonly #readable: ReadableStream<string>;

  /**
   * Creates the stream.
   *
   * @param envelope The message without its `message_segment`.
   * @param options Limits on size and nesting.
   * @throws {MessageEncodeError} If the envelope breaks a rule of the protocol or cannot be written as JSON.
   */
  constructor(envelope: MessageEnvelope, options: EncodeStreamOptions = {}) {
    const { maxBytes = Infinity, maxDepth = MAX_DEPTH } = options;
    const { head, tail } = encodeEnvelope(envelope, maxDepth);
    super();
    // This stream has no transformer, so its readable side returns the segments that are written to it.
    const segments = (super.readable as ReadableStream<unknown> as ReadableStream<Seg | BinarySeg>).getReader();
    const budget = new ByteBudget(maxBytes);
    let current = new TextBlocks({ texts: [head], binaries: [], paths: [] }, budget);
    let count = 0;
    let isLast = false;
    const advance = async (): Promise<void> => {
      const { done, value } = await segments.read();
      isLast = done;
      if (done) {
        current = new TextBlocks({ texts: [tail], binaries: [], paths: [] }, budget);
        return;
      }
      const path = `$.message_segment.data[${count}]`;
      // The list around the segment counts as one level of nesting.
      const { texts: [first = "", ...rest], ...cut } = cutSegment(value, path, {
        maxDepth: maxDepth - 1,
        isAscii: true,
      });
      current = new TextBlocks({ texts: [(count++ === 0 ? "" : ",") + first, ...rest], ...cut }, budget);
    };
    const fail = (error: unknown): void => {
      current.abandon(error);
      segments.cancel(error).catch(() => {}); // rejects only with an error that was reported already
    };
    this.#readable = new ReadableStream<string>({
      start: (controller) => {
        // If the writable side is aborted, reading ends at once, even in the middle of a segment.
        segments.closed.catch((error) => {
          current.abandon(error);
          controller.error(error);
        });
      },
      async pull(controller) {
        try {
          let block = await nextBlock(current);
          for (; block === null && !isLast; block = await nextBlock(current)) await advance();
          if (block === null) controller.close();
          else controller.enqueue(block);
        } catch (error) {
          fail(error);
          throw error;
        }
      },
      async cancel(reason) {
        await Promise.all([current.cancel(reason), segments.cancel(reason)]);
      },
    }, { highWaterMark: 0 });
  }

  /** The blocks of text. Each block is made when it is read. */
  override get readable(): ReadableStream<string> {
    return this.#readable;
  }
}
