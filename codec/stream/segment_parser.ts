import { BASE64_START, base64Member, isBase64Start, notBase64 } from "./base64_member.ts";
import { hasControl, hasRawSpace, JsonScanner, parseShort, type Scan } from "./json_scanner.ts";
import { decodeEnvelope, decodeFields, decodeSegment, objectJson, type SegmentPlace } from "./segment_json.ts";
import type { MessageEnvelope } from "./types.ts";
import { decodeErrors, type MessageDecodeError, notJson } from "../errors.ts";
import { parseJson } from "../json.ts";
import { base64Place } from "../../schema/segments.ts";
import type { Seg } from "../../schema/types.ts";
import { Base64Decoder, decodeBase64 } from "../../util/base64.ts";
import { defineMembers, describeType } from "../../util/values.ts";

/** Something that the parser found in the text of a message. Events come in the order of the text. */
export type ParserEvent =
  /** The members before the segments. More members may follow the segments. */
  | { readonly name: "envelope"; readonly envelope: MessageEnvelope }
  /** A complete segment. */
  | { readonly name: "segment"; readonly segment: Seg }
  /** A segment whose member `key` of `holder` is bytes. Events `bytes` follow, and then an event `end`. */
  | { readonly name: "binary"; readonly segment: Seg; readonly holder: object; readonly key: "data" | "base64" }
  | { readonly name: "bytes"; readonly bytes: Uint8Array<ArrayBuffer> }
  | { readonly name: "end" };

/** A method that finds events. It yields `undefined` if more text must be fed. */
type Events<T = void> = Generator<ParserEvent | undefined, T>;

/** Limits of a parser. */
export interface ParserOptions {
  /** How deep segment lists may be nested inside one another. */
  readonly maxDepth: number;
  /** Largest number of characters of JSON that are held at a time. */
  readonly maxBuffered: number;
}

/** The beginning of a string, which decides whether the string is base64. */
interface StringStart {
  readonly text: string;
  /** True if the string ends after this text. */
  readonly isEnded: boolean;
}

const UNREAD: StringStart = { text: "", isEnded: false };

/** A segment that is being read. */
interface OpenSegment extends SegmentPlace {
  /** JSON of the members that are not decoded yet, each such as `"key":1`. */
  members: string[];
  /** Characters held in `members`. */
  held: number;
  /** Type of the segment; null if the type was not read yet, or is not a string. */
  type: string | null;
  /** The segment that was yielded before all its members were read; null if none was yielded yet. */
  given: Seg | null;
  /** True if the segment is a list whose items are yielded one by one. */
  isList: boolean;
}

/**
 * Finds the segments in the text of one message. Feed {@linkcode scanner} whenever {@linkcode parse} yields undefined.
 */
export class SegmentParser {
  readonly scanner: JsonScanner = new JsonScanner();
  readonly #maxDepth: number;
  readonly #maxBuffered: number;

  /** @param options Limits. */
  constructor({ maxDepth, maxBuffered }: ParserOptions) {
    this.#maxDepth = maxDepth;
    this.#maxBuffered = maxBuffered;
  }

  /**
   * Parses one message. It throws the same errors as `decodeMessage`. If there are several errors, it throws the first
   * one in the text.
   */
  *parse(): Events<undefined> {
    if ((yield* this.scanner.peek()) !== "{") {
      const json = yield* this.#value("$", 0);
      yield* this.#finish();
      throw notAnObject("$", "an object", json);
    }
    this.scanner.skip();
    const members: string[] = [];
    let envelope: MessageEnvelope | null = null;
    let decoded = 0;
    let held = 0;
    let hasInfo = false;
    let hasSegment = false;
    for (let index = 0; yield* this.scanner.enter(index, "}"); index++) {
      const { name, raw } = yield* this.#key("$", held);
      if (name !== "message_segment") {
        const path = name === "message_info" || name === "raw_message" ? `$.${name}` : "$";
        members.push(`${raw}:${yield* this.#value(path, held + raw.length)}`);
        held += members.at(-1)?.length ?? 0;
        hasInfo ||= name === "message_info";
        continue;
      }
      if (hasSegment) throw repeated("$.message_segment");
      hasSegment = true;
      if (hasInfo) {
        envelope = decodeEnvelope(objectJson(members), { hasSegment });
        decoded = members.length;
        yield { name: "envelope", envelope };
      }
      yield* this.#segment({ path: "$.message_segment", lists: 0 });
    }
    yield* this.#finish();
    if (envelope !== null && decoded === members.length) return undefined;
    const complete = decodeEnvelope(objectJson(members), { hasSegment });
    if (envelope === null) yield { name: "envelope", envelope: complete };
    else defineMembers(envelope, complete); // adds later members; of repeated members, the last one counts
  }

  *#finish(): Scan<void> {
    if ((yield* this.scanner.peek()) !== "") throw notJson();
  }

  #value(path: string, held: number): Scan<string> {
    return this.scanner.value(() => this.#tooLarge(path), this.#maxBuffered - held);
  }

  #key(path: string, held: number): Scan<{ name: string; raw: string }> {
    return this.scanner.key(() => this.#tooLarge(path), this.#maxBuffered - held);
  }

  #tooLarge(path: string): MessageDecodeError {
    const limit = `${this.#maxBuffered} characters`;
    return decodeErrors.tooLarge(
      `Message holds more than ${limit} at ${path}; raise 'maxBuffered', or send the data as base64 of a segment`,
      path,
    );
  }

  // -------------------------------------------------------------------------------------------- segments

  *#segment(place: SegmentPlace): Events {
    const { path } = place;
    if ((yield* this.scanner.peek()) !== "{") {
      throw notAnObject(path, "a segment object", yield* this.#value(path, 0));
    }
    this.scanner.skip();
    const open: OpenSegment = { ...place, members: [], held: 0, type: null, given: null, isList: false };
    for (let index = 0; yield* this.scanner.enter(index, "}"); index++) {
      const { name, raw } = yield* this.#key(path, open.held);
      const isGiven = open.given !== null || open.isList;
      if (isGiven && (name === "type" || name === "data")) throw repeated(`${path}.${name}`);
      if (name === "data" && (yield* this.#data(open, raw))) continue;
      const value = yield* this.#value(name === "data" ? `${path}.data` : path, open.held + raw.length);
      if (name === "type") open.type = stringOf(value);
      hold(open, `${raw}:${value}`);
    }
    yield* this.#close(open);
  }

  /** Makes a segment from the members that were read so far. */
  #decode(open: OpenSegment): Seg {
    return decodeSegment(objectJson(open.members), open, this.#maxDepth);
  }

  *#close(open: OpenSegment): Events {
    const { given, members, path, lists } = open;
    if (given !== null || open.isList) {
      // These members follow the data. Those of the outermost list are ignored, but they must be valid JSON.
      const more = decodeFields(objectJson(members));
      if (given !== null) defineMembers(given, more);
      return;
    }
    const segment = this.#decode(open);
    if (lists > 0 || segment.type !== "seglist") return yield* this.#give(segment, path);
    // The type of this list came after its data, so its items are in memory.
    for (const [index, item] of (segment.data as Seg[]).entries()) yield* this.#give(item, `${path}.data[${index}]`);
  }

  /** Yields a segment that is in memory. */
  *#give(segment: Seg, path: string): Events {
    const member = base64Member(segment);
    if (member === null) return yield { name: "segment", segment };
    const { holder, key, text } = member;
    yield { name: "binary", segment, holder, key };
    const textPath = key === "data" ? `${path}.data` : `${path}.data.base64`;
    const bytes = decodeBase64(text);
    if (bytes === null) throw notBase64(textPath);
    if (bytes.length > 0) yield { name: "bytes", bytes };
    yield { name: "end" };
  }

  // -------------------------------------------------------------------------------------------- data

  /** Reads the data of a segment. Returns false if it did not; the caller then reads the data as one JSON value. */
  *#data(open: OpenSegment, raw: string): Events<boolean> {
    const first = yield* this.scanner.peek();
    if (open.type === "seglist" && open.lists === 0 && first === "[") {
      yield* this.#list(open, raw);
      return true;
    }
    const place = open.type === null ? null : base64Place(open.type);
    if (place === "base64" && first === "{") {
      yield* this.#file(open, raw);
      return true;
    }
    if (place === null || place === "base64" || first !== '"') return false;
    this.scanner.skip();
    const start = place === "data or text" ? yield* this.#startOfString() : UNREAD;
    if (!isBase64Start(start.text)) {
      hold(open, `${raw}:${JSON.stringify(yield* this.#restOfString(start, open))}`);
      return true;
    }
    const segment = this.#giveOut(open, `${raw}:""`);
    yield { name: "binary", segment, holder: segment, key: "data" };
    yield* this.#bytes(`${open.path}.data`, start);
    return true;
  }

  /**
   * Decodes the members that were read so far. `data` is JSON of an empty placeholder: the real data is yielded later,
   * while it is read.
   */
  #giveOut(open: OpenSegment, data: string): Seg {
    open.members.push(data);
    const segment = this.#decode(open);
    open.members = [];
    open.held = 0;
    if (!open.isList) open.given = segment;
    return segment;
  }

  *#list(open: OpenSegment, raw: string): Events {
    open.isList = true;
    this.#giveOut(open, `${raw}:[]`); // checks the list and the limit on nesting
    this.scanner.skip();
    for (let index = 0; yield* this.scanner.enter(index, "]"); index++) {
      yield* this.#segment({ path: `${open.path}.data[${index}]`, lists: 1 });
    }
  }

  *#file(open: OpenSegment, raw: string): Events {
    const path = `${open.path}.data`;
    const members: string[] = [];
    let holder: object | null = null;
    this.scanner.skip();
    for (let index = 0; yield* this.scanner.enter(index, "}"); index++) {
      const { name, raw: key } = yield* this.#key(path, open.held);
      const isContent = name === "base64" && (yield* this.scanner.peek()) === '"';
      if (holder !== null && name === "base64") throw repeated(`${path}.base64`);
      if (!isContent) {
        members.push(`${key}:${yield* this.#value(path, open.held + key.length)}`);
        open.held += members.at(-1)?.length ?? 0;
        continue;
      }
      this.scanner.skip();
      const segment = this.#giveOut(open, `${raw}:${objectJson([...members.splice(0), `${key}:""`])}`);
      holder = segment.data as object; // an object, because the line above wrote it as one
      yield { name: "binary", segment, holder, key: "base64" };
      yield* this.#bytes(`${path}.base64`, UNREAD);
    }
    if (holder === null) hold(open, `${raw}:${objectJson(members)}`);
    else defineMembers(holder, decodeFields(objectJson(members)));
  }

  // -------------------------------------------------------------------------------------------- strings

  *#startOfString(): Scan<StringStart> {
    let text = "";
    while (text.length < BASE64_START) {
      const next = this.scanner.readString();
      if (next === null) return { text, isEnded: true };
      if (next === undefined) yield;
      else if (!next.isEscape && hasControl(next.text)) throw notJson();
      else text += next.text;
    }
    return { text, isEnded: false };
  }

  *#restOfString({ text: start, isEnded }: StringStart, open: OpenSegment): Scan<string> {
    let text = start;
    for (;;) {
      if (open.held + text.length > this.#maxBuffered) throw this.#tooLarge(`${open.path}.data`);
      const next = isEnded ? null : this.scanner.readString();
      if (next === null) return text;
      if (next === undefined) yield;
      else if (!next.isEscape && hasControl(next.text)) throw notJson();
      else text += next.text;
    }
  }

  /** Reads a string of base64 to its end and yields its bytes. */
  *#bytes(path: string, { text: start, isEnded }: StringStart): Events {
    const decoder = new Base64Decoder(() => notBase64(path));
    let text = start;
    let raw = "";
    for (let isOpen = !isEnded; isOpen || text !== "";) {
      const next = isOpen ? this.scanner.readString() : undefined;
      if (next === null) isOpen = false;
      if (next) {
        text += next.text; // texts between escapes are short, so they are joined
        if (!next.isEscape) raw += next.text;
        continue;
      }
      if (hasRawSpace(raw)) throw notJson();
      if (text !== "") {
        const bytes = decode(decoder, text, raw);
        if (bytes.length > 0) yield { name: "bytes", bytes };
      }
      text = raw = "";
      if (isOpen) yield;
    }
    const bytes = decoder.end();
    if (bytes.length > 0) yield { name: "bytes", bytes };
    yield { name: "end" };
  }
}

function hold(open: OpenSegment, member: string): void {
  open.members.push(member);
  open.held += member.length;
}

/** Returns the value of a JSON text if it is a string; null for any other value. */
function stringOf(json: string): string | null {
  const value = parseShort(json);
  return typeof value === "string" ? value : null;
}

/** Makes the error for a value that should be an object. Throws another error if `json` is not valid JSON. */
function notAnObject(path: string, expected: string, json: string): MessageDecodeError {
  return decodeErrors.shape({ path, expected, received: describeType(parseJson(json)) });
}

/** Makes the error for a member that is repeated after it was yielded. */
function repeated(path: string): MessageDecodeError {
  return decodeErrors.shape({ path, expected: "given only once", received: "a second one" });
}

/**
 * Decodes base64. `raw` is the part of `text` that was not written as an escape. If decoding fails and `raw` contains a
 * control character, which JSON allows only as an escape, the error says that the text is not JSON, as in
 * `decodeMessage`.
 */
function decode(decoder: Base64Decoder, text: string, raw: string): Uint8Array<ArrayBuffer> {
  try {
    return decoder.push(text);
  } catch (error) {
    throw hasControl(raw) ? notJson() : error;
  }
}
