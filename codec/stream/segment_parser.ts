import type { Seg } from "../../schema/types.ts";
import { Base64Decoder, bytesOf } from "../../util/base64.ts";
import { MessageDecodeError } from "../errors.ts";
import { hasControl, hasRawSpace, invalidJson, JsonScanner, parseSmall, type Step } from "./json_scanner.ts";
import {
  assign,
  base64Member,
  type Fields,
  isBase64Start,
  isBinaryType,
  PartDecoder,
  repeated,
} from "./segment_shape.ts";
import type { MessageEnvelope } from "./message_text.ts";

/** What is found in the text of a message, in its order. */
export type ParserEvent =
  /** Everything before the segments is known; more may follow them. */
  | { readonly kind: "envelope"; readonly envelope: MessageEnvelope }
  /** A segment in memory. */
  | { readonly kind: "segment"; readonly segment: Seg }
  /** A segment of which one member is bytes: they follow, and then their end. */
  | { readonly kind: "binary"; readonly segment: Seg; readonly holder: Fields; readonly key: "data" | "base64" }
  | { readonly kind: "bytes"; readonly bytes: Uint8Array<ArrayBuffer> }
  | { readonly kind: "end" };

type Events<T = undefined> = Generator<ParserEvent | undefined, T>;

/** Limits of a parser. */
export interface ParserOptions {
  /** How many segment lists may stand inside one another. */
  readonly maxDepth: number;
  /** Characters of JSON held at a time. */
  readonly maxBuffered: number;
}

/** How many characters tell an emoji from base64. */
const SNIFFED = 4;

/** A segment that is being read. */
interface OpenSegment {
  /** Where it stands in the list; null for the only one of its message. */
  readonly index: number | null;
  readonly path: string;
  /** The text of its members so far, but for the one that was handed out. */
  members: string[];
  used: number;
  type: unknown;
  /** The segment once it was handed out. */
  given: Seg | null;
  /** Whether its list was handed out, item by item. */
  isList: boolean;
}

/** Finds the segments in the text of one message. Feed {@linkcode scanner} whenever {@linkcode parse} gives undefined. */
export class SegmentParser {
  readonly scanner: JsonScanner = new JsonScanner();
  readonly #parts: PartDecoder;
  readonly #maxBuffered: number;

  /** @param options Limits. */
  constructor({ maxDepth, maxBuffered }: ParserOptions) {
    this.#parts = new PartDecoder(maxDepth);
    this.#maxBuffered = maxBuffered;
  }

  /** Parses one message; throws what `decodeMessage` would, if in the order of the text. */
  *parse(): Events {
    if ((yield* this.scanner.peek()) !== "{") {
      const json = yield* this.#value("$", 0);
      yield* this.#finish();
      this.#parts.refuse(json);
    }
    this.scanner.skip();
    const members: string[] = [];
    let envelope: MessageEnvelope | null = null;
    let decoded = 0;
    let used = 0;
    let hasInfo = false;
    let hasSegment = false;
    for (let isFirst = true; yield* this.scanner.enter(isFirst, "}"); isFirst = false) {
      const { name, raw } = yield* this.#key("$", used);
      if (name !== "message_segment") {
        const path = name === "message_info" || name === "raw_message" ? `$.${name}` : "$";
        members.push(`${raw}:${yield* this.#value(path, used + raw.length)}`);
        used += members.at(-1)?.length ?? 0;
        hasInfo ||= name === "message_info";
        continue;
      }
      if (hasSegment) throw repeated("$.message_segment");
      hasSegment = true;
      if (hasInfo) {
        envelope = this.#parts.envelope(members, true);
        decoded = members.length;
        yield { kind: "envelope", envelope };
      }
      yield* this.#segment(null);
    }
    yield* this.#finish();
    if (envelope !== null && decoded === members.length) return;
    const whole = this.#parts.envelope(members, hasSegment);
    if (envelope === null) yield { kind: "envelope", envelope: whole };
    else assign(envelope, whole); // members behind the segments, and the last of those that came twice
  }

  *#finish(): Step<void> {
    if ((yield* this.scanner.peek()) !== "") throw invalidJson();
  }

  #value(path: string, used: number): Step<string> {
    return this.scanner.value(() => this.#tooLarge(path), this.#maxBuffered - used);
  }

  #key(path: string, used: number): Step<{ name: string; raw: string }> {
    return this.scanner.key(() => this.#tooLarge(path), this.#maxBuffered - used);
  }

  #tooLarge(path: string): MessageDecodeError {
    const need = `${path} must take at most ${this.#maxBuffered} characters, or be bytes`;
    return new MessageDecodeError(`Cannot decode message as ${need}`, { code: "too_large", path });
  }

  // -------------------------------------------------------------------------------------------- segments

  *#segment(index: number | null): Events {
    const path = index === null ? "$.message_segment" : `$.message_segment.data[${index}]`;
    if ((yield* this.scanner.peek()) !== "{") {
      this.#parts.segment(yield* this.#value(path, 0), index);
      throw invalidJson(); // never reached: what is no object is no segment
    }
    this.scanner.skip();
    const open: OpenSegment = { index, path, members: [], used: 0, type: undefined, given: null, isList: false };
    for (let isFirst = true; yield* this.scanner.enter(isFirst, "}"); isFirst = false) {
      const { name, raw } = yield* this.#key(path, open.used);
      const isHanded = open.given !== null || open.isList;
      if (isHanded && (name === "type" || name === "data")) throw repeated(`${path}.${name}`);
      if (name === "data" && (yield* this.#data(open, raw))) continue;
      const value = yield* this.#value(name === "data" ? `${path}.data` : path, open.used + raw.length);
      if (name === "type") open.type = parseSmall(value);
      this.#hold(open, `${raw}:${value}`);
    }
    yield* this.#close(open);
  }

  #hold(open: OpenSegment, member: string): void {
    open.members.push(member);
    open.used += member.length;
  }

  #decode({ members, index }: OpenSegment, ...more: string[]): Seg {
    return this.#parts.segment(`{${[...members, ...more].join(",")}}`, index);
  }

  *#close(open: OpenSegment): Events {
    const { given, members, index, path } = open;
    if (given !== null) {
      if (members.length > 0) assign(given, this.#decode(open, '"type":"x"'), (key) => key !== "type");
    } else if (open.isList) {
      this.#decode(open, '"type":"x"'); // members of the list itself have no place to go, but must be JSON
    } else {
      const segment = this.#decode(open);
      if (index !== null || segment.type !== "seglist") return yield* this.#give(segment, path);
      // Its type came last.
      for (const [at, item] of (segment.data as Seg[]).entries()) yield* this.#give(item, `${path}.data[${at}]`);
    }
  }

  /** Gives a segment that was held in memory. */
  *#give(segment: Seg, path: string): Events {
    const member = base64Member(segment);
    if (member === null) return yield { kind: "segment", segment };
    const { holder, key, text } = member;
    yield { kind: "binary", segment, holder, key };
    const bytes = bytesOf(text, key === "data" ? `${path}.data` : `${path}.data.base64`);
    if (bytes.length > 0) yield { kind: "bytes", bytes };
    yield { kind: "end" };
  }

  // -------------------------------------------------------------------------------------------- data

  /** Reads the data of a segment if that can be handed out as it comes; true when it was read. */
  *#data(open: OpenSegment, raw: string): Events<boolean> {
    const first = yield* this.scanner.peek();
    if (open.type === "seglist" && open.index === null && first === "[") {
      yield* this.#list(open);
      return true;
    }
    if (open.type === "file" && first === "{") {
      yield* this.#file(open, raw);
      return true;
    }
    if (!isBinaryType(open.type) || first !== '"') return false;
    this.scanner.skip();
    const start = open.type === "emoji" ? yield* this.#sniff() : { text: "", isEnded: false };
    if (!isBase64Start(start.text)) {
      this.#hold(open, `${raw}:${JSON.stringify(yield* this.#restOfString(start, open))}`);
      return true;
    }
    open.given = this.#take(open, `${raw}:""`);
    yield { kind: "binary", segment: open.given, holder: open.given as unknown as Fields, key: "data" }; // no index there
    yield* this.#bytes(`${open.path}.data`, start);
    return true;
  }

  /** Decodes what is known of a segment; its members from here on are another lot. */
  #take(open: OpenSegment, data: string): Seg {
    const segment = this.#decode(open, data);
    open.members = [];
    open.used = 0;
    return segment;
  }

  *#list(open: OpenSegment): Events {
    open.isList = true;
    this.#take(open, '"data":[]'); // for the limit on nesting
    this.scanner.skip();
    for (let index = 0; yield* this.scanner.enter(index === 0, "]"); index++) yield* this.#segment(index);
  }

  *#file(open: OpenSegment, raw: string): Events {
    const path = `${open.path}.data`;
    const inner: string[] = [];
    let holder: Fields | null = null;
    this.scanner.skip();
    for (let isFirst = true; yield* this.scanner.enter(isFirst, "}"); isFirst = false) {
      const { name, raw: key } = yield* this.#key(path, open.used);
      const isContent = name === "base64" && (yield* this.scanner.peek()) === '"';
      if (holder !== null && name === "base64") throw repeated(`${path}.base64`);
      if (!isContent) {
        inner.push(`${key}:${yield* this.#value(path, open.used + key.length)}`);
        open.used += inner.at(-1)?.length ?? 0;
        continue;
      }
      this.scanner.skip();
      open.given = this.#take(open, `${raw}:{${[...inner.splice(0), `${key}:""`].join(",")}}`);
      holder = open.given.data as Fields; // an object was written just now
      yield { kind: "binary", segment: open.given, holder, key: "base64" };
      yield* this.#bytes(`${path}.base64`, { text: "", isEnded: false });
    }
    if (holder === null) this.#hold(open, `${raw}:{${inner.join(",")}}`);
    else if (inner.length > 0) {
      assign(holder, this.#parts.segment(`{"type":"x","data":{${inner.join(",")}}}`, open.index).data as Fields);
    }
  }

  // -------------------------------------------------------------------------------------------- strings

  /** Reads the first characters of a string. */
  *#sniff(): Step<{ text: string; isEnded: boolean }> {
    let text = "";
    while (text.length < SNIFFED) {
      const run = this.scanner.run();
      if (run === null) return { text, isEnded: true };
      if (run === undefined) yield;
      else if (!run.isEscape && hasControl(run.text)) throw invalidJson();
      else text += run.text;
    }
    return { text, isEnded: false };
  }

  *#restOfString({ text: start, isEnded }: { text: string; isEnded: boolean }, open: OpenSegment): Step<string> {
    let text = start;
    for (;;) {
      if (open.used + text.length > this.#maxBuffered) throw this.#tooLarge(`${open.path}.data`);
      const run = isEnded ? null : this.scanner.run();
      if (run === null) return text;
      if (run === undefined) yield;
      else if (!run.isEscape && hasControl(run.text)) throw invalidJson();
      else text += run.text;
    }
  }

  /** Reads a string of base64 to its end. */
  *#bytes(path: string, { text: start, isEnded }: { text: string; isEnded: boolean }): Events {
    const decoder = new Base64Decoder(path);
    let text = start;
    let raw = "";
    for (let isOpen = !isEnded; isOpen || text !== "";) {
      const run = isOpen ? this.scanner.run() : undefined;
      if (run === null) isOpen = false;
      if (run) {
        text += run.text; // runs between escapes are short: they go together
        if (!run.isEscape) raw += run.text;
        continue;
      }
      if (hasRawSpace(raw)) throw invalidJson();
      if (text !== "") {
        const bytes = decode(decoder, text, raw);
        if (bytes.length > 0) yield { kind: "bytes", bytes };
      }
      text = raw = "";
      if (isOpen) yield;
    }
    const bytes = decoder.end();
    if (bytes.length > 0) yield { kind: "bytes", bytes };
    yield { kind: "end" };
  }
}

/** Other control characters are no base64 either, but the text is no JSON first. */
function decode(decoder: Base64Decoder, text: string, raw: string): Uint8Array<ArrayBuffer> {
  try {
    return decoder.push(text);
  } catch (error) {
    throw hasControl(raw) ? invalidJson() : error;
  }
}
