import { type ParserEvent, SegmentParser } from "./segment_parser.ts";
import { type Blocks, byteSource, type TextSource, textSource } from "./source.ts";
import type { BinarySeg, MessageEnvelope } from "./types.ts";
import { MAX_BUFFERED } from "../limits.ts";
import { MAX_DEPTH } from "../../schema/limits.ts";
import type { Seg } from "../../schema/types.ts";
import { defineMembers } from "../../util/values.ts";

/** Options of {@linkcode decodeSegments}. */
export interface DecodeSegmentsOptions {
  /**
   * Largest text accepted, in UTF-8 bytes.
   *
   * @default {Infinity}
   */
  maxBytes?: number;
  /**
   * Limit on segment lists nested inside one another.
   *
   * @default {32}
   */
  maxDepth?: number;
  /**
   * Limit on the characters of JSON that are held in memory. It applies to the envelope, and to each segment without
   * its base64.
   *
   * @default {16777216}
   */
  maxBuffered?: number;
}

/** A segment as {@linkcode decodeSegments} returns it. */
export type DecodedSeg = Seg | BinarySeg<ReadableStream<Uint8Array>>;

/** The segments of one message. Each segment is read when it is requested. */
export interface SegmentReader extends AsyncIterableIterator<DecodedSeg, void, void> {
  /**
   * The message without its segments. Reading this property reads the text up to the first segment.
   *
   * The promise resolves when the segments begin. If `message_info` follows the segments in the text, the promise
   * resolves only after the last segment, so read the segments first. Members that follow the segments, usually
   * `raw_message`, are in the object when the iteration has ended. If an error ends the iteration before the promise
   * resolves, the promise rejects with this error. The rejection may be ignored.
   */
  readonly envelope: Promise<MessageEnvelope>;
  /**
   * Ends the iteration. The source is cancelled. If the bytes of a segment are still being read, their stream fails.
   */
  return(): Promise<IteratorResult<DecodedSeg, void>>;
}

const DONE: IteratorResult<never, void> = { done: true, value: undefined };

/** The stream of the bytes of a segment that was given out. */
interface OpenStream {
  /** Null once the stream has ended. */
  controller: ReadableByteStreamController | null;
}

class StreamSegmentReader implements SegmentReader {
  readonly #source: TextSource;
  readonly #parser: SegmentParser;
  readonly #events: ReturnType<SegmentParser["parse"]>;
  readonly #envelope = Promise.withResolvers<MessageEnvelope>();
  /** The last step. Each step waits for the previous one. */
  #turn: Promise<unknown> = Promise.resolve();
  /** An event that was read before it was requested. */
  #early: ParserEvent | null = null;
  /** The stream whose bytes come next. */
  #stream: OpenStream | null = null;
  #state: "new" | "begun" | "over" | { readonly error: unknown } = "new";

  constructor(source: TextSource, { maxDepth = MAX_DEPTH, maxBuffered = MAX_BUFFERED }: DecodeSegmentsOptions) {
    this.#source = source;
    this.#parser = new SegmentParser({ maxDepth, maxBuffered });
    this.#events = this.#parser.parse();
    this.#envelope.promise.catch(() => {}); // the iteration throws the same error
  }

  get envelope(): Promise<MessageEnvelope> {
    if (this.#state === "new") {
      this.#state = "begun";
      const readAhead = async (): Promise<void> => {
        this.#early = await this.#advance();
      };
      this.#inTurn(readAhead).catch(() => {}); // an error also rejects the envelope
    }
    return this.#envelope.promise;
  }

  next(): Promise<IteratorResult<DecodedSeg, void>> {
    if (this.#state === "new") this.#state = "begun";
    return this.#inTurn(async () => {
      if (this.#state === "over") return DONE;
      await this.#skipBytes();
      let event = this.#early ?? await this.#advance();
      this.#early = null;
      while (event?.name === "envelope") event = await this.#advance();
      if (event?.name === "segment") return { done: false, value: event.segment };
      if (event?.name === "binary") return { done: false, value: this.#openStream(event) };
      this.#state = "over";
      return DONE;
    });
  }

  async return(): Promise<IteratorResult<DecodedSeg, void>> {
    if (typeof this.#state === "object" || this.#state === "over") return DONE;
    const error = new Error("Iteration over the segments was ended before their end");
    this.#fail(error);
    this.#state = "over";
    await this.#source.cancel(error);
    return DONE;
  }

  [Symbol.asyncIterator](): this {
    return this;
  }

  #inTurn<T>(act: () => Promise<T>): Promise<T> {
    const turn = this.#turn.then(act);
    this.#turn = turn.catch(() => {}); // the caller gets the error
    return turn;
  }

  /** Reads up to the next event; null at the end of the message. */
  async #advance(): Promise<ParserEvent | null> {
    if (typeof this.#state === "object") throw this.#state.error;
    try {
      for (;;) {
        const { done, value: event } = this.#events.next();
        if (done) return null;
        if (event?.name === "envelope") this.#envelope.resolve(event.envelope);
        if (event !== undefined) return event;
        const block = await this.#source.next();
        if (block === null) this.#parser.scanner.end();
        else this.#parser.scanner.feed(block);
      }
    } catch (error) {
      if (typeof this.#state === "object" || this.#state === "over") throw error;
      this.#fail(error);
      this.#state = { error };
      this.#source.cancel(error).catch(() => {}); // the first error counts
      throw error;
    }
  }

  /** Rejects the envelope and the open stream. */
  #fail(error: unknown): void {
    this.#envelope.reject(error);
    const stream = this.#stream;
    stream?.controller?.error(error);
    this.#stream = null;
    if (stream !== null) stream.controller = null;
  }

  /** Skips the unread bytes of the previous segment. */
  async #skipBytes(): Promise<void> {
    if (this.#stream === null) return;
    const { controller } = this.#stream;
    this.#stream = { controller: null };
    controller?.error(new Error("Bytes of a segment were skipped, as the next segment was asked for; read them first"));
    while ((await this.#advance())?.name === "bytes");
    this.#stream = null;
  }

  /** Replaces the base64 of a segment by a stream of the bytes. */
  #openStream({ segment, holder, key }: ParserEvent & { name: "binary" }): DecodedSeg {
    const open: OpenStream = { controller: null };
    this.#stream = open;
    const stream = new ReadableStream({
      type: "bytes",
      start: (controller: ReadableByteStreamController) => void (open.controller = controller),
      pull: (controller: ReadableByteStreamController) => this.#inTurn(() => this.#pull(open, controller)),
      cancel: () => void (open.controller = null), // unread bytes are skipped before the next segment
    }, { highWaterMark: 0 });
    defineMembers(holder, { [key]: stream });
    return segment;
  }

  async #pull(open: OpenStream, controller: ReadableByteStreamController): Promise<void> {
    if (this.#stream !== open || open.controller === null) return;
    const event = await this.#advance();
    if (event?.name !== "bytes" && this.#stream === open) this.#stream = null;
    if (open.controller === null) return; // cancelled in the meantime
    if (event?.name === "bytes") return controller.enqueue(event.bytes);
    controller.close();
    controller.byobRequest?.respond(0);
  }
}

/**
 * Decodes the segments of one message while its text is read. It is the reverse of `encodeStream`. It never holds more
 * than one block of bytes.
 *
 * The data of `image`, `voice`, `video` and `emoji` segments and the `base64` of `file` segments become streams of
 * bytes. Their base64 may have a `data:` prefix, no padding, white space or the URL-safe alphabet. An emoji that is a
 * character stays a string. Everything else is held in memory, up to `maxBuffered`, and decoded as in `decodeMessage`.
 * Only the items of the outermost list are streamed, and their number is not limited. A list inside this list is held
 * in memory as one segment.
 *
 * The source is read only when a segment or its bytes are read. Requesting the next segment skips the unread bytes of
 * the previous one, and leaving the loop cancels the source. Members may come in any order; `data` that comes before
 * `type` is held in memory. If a member is repeated, the last one counts, as in `JSON.parse`; but a member that was
 * already given out must not be repeated. If there are several errors, the first one in the text is thrown, after the
 * segments before it.
 *
 * @param source The JSON of one ordinary message in UTF-8, cut anywhere.
 * @param options Limits on size, nesting and memory.
 * @returns The segments, and the envelope around them.
 *
 * @example Reading the bytes of each segment
 * ```ts
 * import { createMessage, decodeSegments, encodeStream, seg } from "@maim/message";
 *
 * const message = createMessage({ platform: "qq", user: "10001" }, seg.text("请看"), seg.image(new Uint8Array(5000)));
 * const segments = decodeSegments(encodeStream(message));
 * console.log((await segments.envelope).message_info.platform); // qq
 * for await (const { type, data } of segments) {
 *   if (data instanceof ReadableStream) console.log(type, (await new Response(data).bytes()).length); // image 5000
 *   else console.log(type, data); // text 请看
 * }
 * ```
 */
export function decodeSegments(
  source: ReadableStream<Uint8Array> | AsyncIterable<Uint8Array> | Iterable<Uint8Array>,
  options: DecodeSegmentsOptions = {},
): SegmentReader {
  const { maxBytes = Infinity } = options;
  return new StreamSegmentReader(byteSource(source, maxBytes), options);
}

/**
 * Like {@linkcode decodeSegments}, but for blocks of text. The text may be cut anywhere except inside a surrogate pair.
 *
 * @param source The JSON of one ordinary message.
 * @param options Limits on size, nesting and memory.
 * @returns The segments, and the envelope around them.
 */
export function decodeTextBlocks(source: Blocks<string>, options: DecodeSegmentsOptions = {}): SegmentReader {
  const { maxBytes = Infinity } = options;
  return new StreamSegmentReader(textSource(source, maxBytes), options);
}
