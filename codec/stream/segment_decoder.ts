import type { Seg } from "../../schema/types.ts";
import { assign } from "./segment_shape.ts";
import { type ParserEvent, SegmentParser } from "./segment_parser.ts";
import type { BinarySeg, MessageEnvelope } from "./message_text.ts";
import { bytesSource, type Chunks, piecesSource, type TextSource } from "./source.ts";

/** Options of {@linkcode decodeSegments}. */
export interface DecodeSegmentsOptions {
  /**
   * Largest text taken, in UTF-8 bytes.
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
  /**
   * How many characters of JSON are held: those of the envelope, and those of each segment but for its base64.
   *
   * @default {16777216}
   */
  maxBuffered?: number;
}

/** A segment as {@linkcode decodeSegments} gives it. */
export type DecodedSeg = Seg | BinarySeg<ReadableStream<Uint8Array>>;

/** The segments of one message, read as they are asked for. */
export interface SegmentReader extends AsyncIterableIterator<DecodedSeg, void, void> {
  /**
   * The message without its segments. Asking for it reads on as far as the first segment.
   *
   * Resolves when the segments begin, or where `message_info` follows them at their end: then ask for the segments
   * first. Members behind the segments, as `raw_message` by custom, are in the object once the iteration has ended.
   * Rejects with what ends the iteration before that; nobody has to listen.
   */
  readonly envelope: Promise<MessageEnvelope>;
  /** Leaves the iteration: cancels the source and whatever is still read of a segment. */
  return(): Promise<IteratorResult<DecodedSeg, void>>;
}

const DONE: IteratorResult<never, void> = { done: true, value: undefined };

/** The stream of a segment that was handed out. */
interface Given {
  controller: ReadableByteStreamController | null;
}

class Decoding implements SegmentReader {
  readonly #source: TextSource;
  readonly #parser: SegmentParser;
  readonly #events: ReturnType<SegmentParser["parse"]>;
  readonly #envelope = Promise.withResolvers<MessageEnvelope>();
  /** Steps follow one another, whoever asks for them. */
  #turn: Promise<unknown> = Promise.resolve();
  /** What was read before it was asked for. */
  #early: ParserEvent | null = null;
  /** The stream whose bytes come next. */
  #given: Given | null = null;
  #state: "new" | "begun" | "over" | { readonly fault: unknown } = "new";

  constructor(source: TextSource, { maxDepth = 32, maxBuffered = 16_777_216 }: DecodeSegmentsOptions) {
    this.#source = source;
    this.#parser = new SegmentParser({ maxDepth, maxBuffered });
    this.#events = this.#parser.parse();
    this.#envelope.promise.catch(() => {}); // who iterates gets the same error
  }

  get envelope(): Promise<MessageEnvelope> {
    if (this.#state === "new") {
      this.#state = "begun";
      // A fault rejects the envelope too.
      void this.#inTurn(async () => {
        this.#early = await this.#advance();
      }).catch(() => {});
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
      while (event?.kind === "envelope") event = await this.#advance();
      if (event?.kind === "segment") return { done: false, value: event.segment };
      if (event?.kind === "binary") return { done: false, value: this.#give(event) };
      this.#state = "over";
      return DONE;
    });
  }

  async return(): Promise<IteratorResult<DecodedSeg, void>> {
    if (typeof this.#state === "object" || this.#state === "over") return DONE;
    const error = new Error("Cannot go on as the iteration was left");
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
    this.#turn = turn.catch(() => {}); // whoever asked has the error
    return turn;
  }

  /** Reads until something is found; null at the end of the message. */
  async #advance(): Promise<ParserEvent | null> {
    if (typeof this.#state === "object") throw this.#state.fault;
    try {
      for (;;) {
        const step = this.#events.next();
        if (step.done === true) return null;
        const event = step.value;
        if (event?.kind === "envelope") this.#envelope.resolve(event.envelope);
        if (event !== undefined) return event;
        const piece = await this.#source.next();
        if (piece === null) this.#parser.scanner.end();
        else this.#parser.scanner.feed(piece);
      }
    } catch (error) {
      if (typeof this.#state === "object" || this.#state === "over") throw error;
      this.#fail(error);
      this.#state = { fault: error };
      this.#source.cancel(error).catch(() => {}); // the first error counts
      throw error;
    }
  }

  /** Tells everyone who waits. */
  #fail(error: unknown): void {
    this.#envelope.reject(error);
    const given = this.#given;
    given?.controller?.error(error);
    this.#given = null;
    if (given !== null) given.controller = null;
  }

  /** Reads past the bytes that nobody took. */
  async #skipBytes(): Promise<void> {
    if (this.#given === null) return;
    const { controller } = this.#given;
    this.#given = { controller: null };
    controller?.error(new Error("Cannot read data of the segment as a later one was asked for"));
    while ((await this.#advance())?.kind === "bytes");
    this.#given = null;
  }

  #give({ segment, holder, key }: ParserEvent & { kind: "binary" }): DecodedSeg {
    const given: Given = { controller: null };
    this.#given = given;
    const stream = new ReadableStream({
      type: "bytes",
      start: (controller: ReadableByteStreamController) => void (given.controller = controller),
      pull: (controller: ReadableByteStreamController) => this.#inTurn(() => this.#pull(given, controller)),
      cancel: () => void (given.controller = null), // its bytes are passed over with the next segment
    }, { highWaterMark: 0 });
    assign(holder, { [key]: stream });
    return segment;
  }

  async #pull(given: Given, controller: ReadableByteStreamController): Promise<void> {
    if (this.#given !== given || given.controller === null) return;
    const event = await this.#advance();
    if (event?.kind !== "bytes" && this.#given === given) this.#given = null;
    if (given.controller === null) return; // cancelled meanwhile
    if (event?.kind === "bytes") return controller.enqueue(event.bytes);
    controller.close();
    controller.byobRequest?.respond(0);
  }
}

/**
 * Decodes the segments of one message as they come, in memory bounded by a chunk: the way back of `encodeStream`.
 *
 * Data of `image`, `voice`, `video` and `emoji` segments and `base64` of `file` segments are streams of the bytes, which
 * may come with a `data:` prefix, without padding, with white space or in the URL-safe alphabet; an emoji that is a
 * character stays a string. Everything else is held, up to `maxBuffered`, and decoded as `decodeMessage` does. Only the
 * elements of the outermost list are streamed, however many: a list in a list is one segment in memory.
 *
 * The source is read as the segments and their bytes are: asking for the next segment passes over what was not read of
 * the last, and leaving the loop cancels the source. Members may come in any order; where `data` stands before `type`
 * it is held. Of members that come twice the last counts, as in `JSON.parse`, but one that was handed out may not come
 * again. Of several faults the first in the text is reported, after the segments before it.
 *
 * @param source The JSON of one ordinary message in UTF-8, cut anywhere.
 * @param options Limits on size, nesting and memory.
 * @returns The segments, and the envelope around them.
 *
 * @example Files written as they come
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
  return new Decoding(bytesSource(source, maxBytes), options);
}

/**
 * Does the same with text that is in pieces already, cut anywhere but inside a surrogate pair.
 *
 * @param source The JSON of one ordinary message.
 * @param options Limits on size, nesting and memory.
 * @returns The segments, and the envelope around them.
 */
export function decodePieces(source: Chunks<string>, options: DecodeSegmentsOptions = {}): SegmentReader {
  const { maxBytes = Infinity } = options;
  return new Decoding(piecesSource(source, maxBytes), options);
}
