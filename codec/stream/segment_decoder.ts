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
   * How deep segment lists may be nested inside one another.
   *
   * @default {32}
   */
  maxDepth?: number;
  /**
   * Largest number of characters of JSON that are held in memory. The limit applies to the members around the segments,
   * and to each segment without its base64.
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
   * The promise resolves when the first segment is reached. If `message_info` follows the segments in the text, the
   * promise resolves only after the last segment, so read the segments first. Other members that follow the segments,
   * usually `raw_message`, are added to the object when the iteration has ended.
   *
   * If an error ends the iteration before the promise resolves, the promise rejects with this error. A rejection that
   * nobody handles does no harm.
   */
  readonly envelope: Promise<MessageEnvelope>;
  /** Ends the iteration and cancels the source. If the bytes of a segment are still being read, their stream fails. */
  return(): Promise<IteratorResult<DecodedSeg, void>>;
}

const DONE: IteratorResult<never, void> = { done: true, value: undefined };

/** The stream with the bytes of a segment that `next` has returned. */
interface OpenStream {
  /** Null if the stream was cancelled, was skipped or has failed. */
  controller: ReadableByteStreamController | null;
}

class StreamSegmentReader implements SegmentReader {
  readonly #source: TextSource;
  readonly #parser: SegmentParser;
  readonly #events: ReturnType<SegmentParser["parse"]>;
  readonly #envelope = Promise.withResolvers<MessageEnvelope>();
  /** Promise of the last read. Each read waits for the previous one. */
  #turn: Promise<unknown> = Promise.resolve();
  /** An event that was read because `envelope` was requested before the first segment. */
  #early: ParserEvent | null = null;
  /** The stream whose bytes come next in the text; null if a segment comes next. */
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
    const error = new Error("Reading of the segments was ended before the last segment");
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
    controller?.error(new Error("Bytes were skipped, because the next segment was requested; read them first"));
    while ((await this.#advance())?.name === "bytes");
    this.#stream = null;
  }

  /** Puts a stream of the bytes into the segment, in the place of the base64. Returns the segment. */
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
 * Decodes the segments of one message while its text is read. This is the reverse of `encodeStream`. At any time, not
 * more than one block of bytes is held in memory.
 *
 * The data of `image`, `voice`, `video` and `emoji` segments and the `base64` of `file` segments become streams of
 * bytes. Their base64 may have a `data:` prefix, no padding, white space or the URL-safe alphabet. An emoji that is a
 * character stays a string. Everything else is held in memory, up to `maxBuffered`, and decoded as in `decodeMessage`.
 * Only the items of the outermost list are streamed, and their number is not limited. A list inside this list is held
 * in memory as one segment.
 *
 * The source is read only when a segment or its bytes are read. Requesting the next segment skips the unread bytes of
 * the previous one, and leaving the loop cancels the source.
 *
 * Members may come in any order; `data` that comes before `type` is held in memory. If a member is repeated, the last
 * one counts, as in `JSON.parse`; but a member that was already returned must not be repeated. Segments before an error
 * in the text are returned before the error is thrown.
 *
 * @param source The JSON of one ordinary message in UTF-8, cut anywhere.
 * @param options Limits on size, nesting and memory.
 * @returns The segments, and the message without its segments as `envelope`.
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
 * @returns The segments, and the message without its segments as `envelope`.
 */
export function decodeTextBlocks(source: Blocks<string>, options: DecodeSegmentsOptions = {}): SegmentReader {
  const { maxBytes = Infinity } = options;
  return new StreamSegmentReader(textSource(source, maxBytes), options);
}
