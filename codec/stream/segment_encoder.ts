import type { Seg } from "../../schema/types.ts";
import { withoutInfoNulls } from "../nulls.ts";
import { Budget, Pieces } from "./blocks.ts";
import {
  type BinarySeg,
  type CutText,
  type MessageEnvelope,
  splitAtBinaries,
  type StreamMessage,
} from "./message_text.ts";

/** Longest piece of text handed out, in characters, where nobody asks for another length. */
const PIECE = 262_144;

/** Longest piece encoded at once into bytes. V8 15 keeps strings from 128 KiB on where they are slow to free. */
const STEP = 65_536;

/** Bytes allocated for a reader that brings no buffer of its own. */
const CHUNK = 65_536;

/** Options of {@linkcode encodeStream} and {@linkcode SegmentEncoderStream}. */
export interface EncodeStreamOptions {
  /**
   * Largest text made, in bytes.
   *
   * @default {Infinity}
   */
  maxBytes?: number;
  /**
   * How many segment lists may stand inside one another.
   *
   * @default {32}
   */
  maxDepth?: number;
}

function piecesOf(message: StreamMessage, { maxBytes = Infinity, maxDepth = 32 }: EncodeStreamOptions): Pieces {
  return new Pieces(splitAtBinaries(message, withoutInfoNulls, { maxDepth }), new Budget(maxBytes));
}

/** Takes the next piece and joins what is short to it, as far as nothing has to be waited for. */
async function nextPiece(pieces: Pieces): Promise<string | null> {
  try {
    let piece = pieces.take(PIECE);
    for (; piece === ""; piece = pieces.take(PIECE)) await pieces.wait();
    while (piece !== null && piece.length < PIECE / 2) {
      const more = pieces.take(PIECE - piece.length);
      if (more === null || more === "") break;
      piece += more;
    }
    return piece;
  } catch (error) {
    pieces.abandon(error);
    throw error;
  }
}

/** Writes pieces into the buffers of a byte stream. */
class ByteWriter {
  readonly #pieces: Pieces;
  readonly #encoder = new TextEncoder();
  /** What a buffer had no room for. */
  #pending: Uint8Array = new Uint8Array();

  constructor(pieces: Pieces) {
    this.#pieces = pieces;
  }

  /** Fills a buffer as far as nothing has to be waited for; null at the end. */
  fill(view: Uint8Array): number | null {
    let at = 0;
    while (at < view.length) {
      if (this.#pending.length === 0) {
        const room = view.length - at;
        const piece = this.#pieces.take(Math.min(STEP, room));
        if (piece === null && at === 0) return null;
        if (piece === null || piece === "") return at;
        const { read, written } = this.#encoder.encodeInto(piece, view.subarray(at));
        at += written;
        if (read < piece.length) this.#pending = this.#encoder.encode(piece.slice(read));
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
 * Encodes one message as a stream of the bytes that `encodeMessage` would give, in memory bounded by a chunk.
 *
 * For files, HTTP bodies and peers of this library: no runtime can send one WebSocket message in pieces. Binary
 * segments are read and base64-encoded as the result is read; cancelling it cancels their streams. It is a byte stream:
 * a reader in BYOB mode that uses its buffer again pays for no others. A `Uint8Array` must not change meanwhile.
 *
 * @param message The message; streams in it are taken at once.
 * @param options Limits on size and nesting; a text beyond `maxBytes` is an error of the stream.
 * @returns The JSON of the message as UTF-8; a source that fails fails it with the same error.
 * @throws {MessageEncodeError} If the message is too deep, breaks a rule of the wire or is not JSON.
 * @throws {TypeError} If a stream in the message is locked.
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
  const pieces = piecesOf(message, options);
  const writer = new ByteWriter(pieces);
  const fail = (error: unknown): never => {
    pieces.abandon(error);
    throw error;
  };
  const answer = (controller: ReadableByteStreamController, written: number | null): void => {
    if (written === null) controller.close();
    controller.byobRequest?.respond(written ?? 0);
  };
  const wait = async (controller: ReadableByteStreamController, view: Uint8Array): Promise<void> => {
    let written: number | null = 0;
    for (; written === 0; written = writer.fill(view)) await pieces.wait();
    answer(controller, written);
  };
  return new ReadableStream({
    type: "bytes",
    autoAllocateChunkSize: CHUNK,
    pull(controller) {
      try {
        const view = controller.byobRequest?.view as Uint8Array; // autoAllocateChunkSize: there is always one
        const written = writer.fill(view);
        if (written === 0) return wait(controller, view).catch(fail);
        return answer(controller, written);
      } catch (error) {
        return fail(error);
      }
    },
    cancel: (reason) => pieces.cancel(reason),
  }, { highWaterMark: 0 });
}

/** Cuts the text of one segment, checked as if it stood alone. */
function cutSegment(segment: Seg | BinarySeg, index: number, maxDepth: number): CutText {
  const alone: StreamMessage = {
    message_info: { platform: "none" },
    message_segment: { type: "seglist", data: [segment] },
  };
  return splitAtBinaries(alone, ({ message_segment: { data } }) => (data as object[])[0] as object, {
    ...{ maxDepth, isAscii: true },
    rename: (path) => path.replace(".data[0]", `.data[${index}]`),
  });
}

/** Writes the text around the segments: the list is the last member. */
function cutEnvelope(envelope: MessageEnvelope, maxDepth: number): { head: string; tail: string } {
  const message: Partial<StreamMessage> = { ...envelope };
  delete message.message_segment; // of a whole message; the new one must be the last member
  message.message_segment = { type: "seglist", data: [] };
  const { parts: [text = ""] } = splitAtBinaries(message as StreamMessage, withoutInfoNulls, {
    maxDepth,
    isAscii: true,
  });
  return { head: text.slice(0, -3), tail: text.slice(-3) };
}

/**
 * Encodes the segments of one message as pieces of text; the segments written become one `seglist`.
 *
 * Binary segments are read and base64-encoded as the result is read. The text is ASCII, and what `encodeMessage` gives
 * of the same message with the segments last. A fault in a segment is an error of both sides.
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
   * @throws {MessageEncodeError} If the envelope breaks a rule of the wire or is not JSON.
   */
  constructor(envelope: MessageEnvelope, options: EncodeStreamOptions = {}) {
    const { maxBytes = Infinity, maxDepth = 32 } = options;
    const { head, tail } = cutEnvelope(envelope, maxDepth);
    super();
    // Without a transformer, what is written comes out as it is: segments, not text.
    const segments = (super.readable as ReadableStream<unknown> as ReadableStream<Seg | BinarySeg>).getReader();
    const budget = new Budget(maxBytes);
    let current = new Pieces({ parts: [head], binaries: [], paths: [] }, budget);
    let count = 0;
    let isLast = false;
    const advance = async (): Promise<void> => {
      const { done, value } = await segments.read();
      isLast = done;
      if (done) {
        current = new Pieces({ parts: [tail], binaries: [], paths: [] }, budget);
        return;
      }
      const { parts: [first = "", ...rest], ...cut } = cutSegment(value, count, maxDepth);
      current = new Pieces({ parts: [(count++ === 0 ? "" : ",") + first, ...rest], ...cut }, budget);
    };
    const fail = (error: unknown): void => {
      current.abandon(error);
      segments.cancel(error).catch(() => {}); // fails only where it has failed before
    };
    this.#readable = new ReadableStream<string>({
      start: (controller) => {
        // A writer that aborts is heard at once, in the middle of a segment too.
        segments.closed.catch((error) => {
          current.abandon(error);
          controller.error(error);
        });
      },
      async pull(controller) {
        try {
          let piece = await nextPiece(current);
          for (; piece === null && !isLast; piece = await nextPiece(current)) await advance();
          if (piece === null) controller.close();
          else controller.enqueue(piece);
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

  /** The pieces of text, each made when it is asked for. */
  override get readable(): ReadableStream<string> {
    return this.#readable;
  }
}
