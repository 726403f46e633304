import { messageIssue } from "../../schema/rules.ts";
import type { FileData, MessageBase, Seg } from "../../schema/types.ts";
import { MessageEncodeError, ruleText } from "../errors.ts";
import { survey, writeJson } from "../json.ts";
import { isCustom } from "../../schema/guards.ts";

// ---------------------------------------------------------------------------------------------- types

/** Bytes that become base64 on their way out: in memory, in a file, or still to come. */
export type BinaryData = Uint8Array | Blob | ReadableStream<Uint8Array>;

/** Data of a `file` segment whose content is bytes. */
export interface BinaryFileData<Data extends BinaryData = BinaryData> extends Omit<FileData, "base64"> {
  /** The content. */
  base64: Data;
}

/**
 * A segment whose data is bytes: an image, emoji, voice or video, a `file` whose `base64` is, or one of a type of your
 * own. Never a text, at or reply.
 */
export interface BinarySeg<Data extends BinaryData = BinaryData> extends Seg {
  /** The bytes, or the data of a `file` segment that holds them. */
  data: Data | BinaryFileData<Data>;
}

/** A message of which any segment, in lists in lists too, may be a {@linkcode BinarySeg}. */
export interface StreamMessage extends MessageBase {
  /** The content, a `seglist` by custom. */
  message_segment: Seg | BinarySeg;
}

/** A message without its content. */
export type MessageEnvelope = Omit<MessageBase, "message_segment">;

/** The JSON text of a message, cut where base64 belongs. */
export interface CutText<Data = BinaryData> {
  /** One more than there are binaries, and nothing but ASCII if there is one. */
  readonly parts: readonly string[];
  /** What goes between the parts, in order. */
  readonly binaries: readonly Data[];
  /** Where each binary stands, as `$.message_segment.data[0].data`. */
  readonly paths: readonly string[];
}

/** How a text is made. */
export interface CutOptions {
  /** How many segment lists may stand inside one another. @default {32} */
  readonly maxDepth?: number;
  /** Whether the text is ASCII even without binaries. @default {false} */
  readonly isAscii?: boolean;
  /** Rewrites the paths in errors and in the result. @default {no change} */
  readonly rename?: (path: string) => string;
}

// ---------------------------------------------------------------------------------------------- ASCII

/** In runs, yet none so long that putting its escapes together is what takes the time. */
const NOT_ASCII = /[\u0080-\uffff]{1,256}/g;

function escapes(run: string): string {
  let text = "";
  for (let index = 0; index < run.length; index++) text += `\\u${run.charCodeAt(index).toString(16).padStart(4, "0")}`;
  return text;
}

/**
 * Writes every character beyond ASCII in JSON text as escapes, one per UTF-16 unit.
 *
 * @param json JSON text.
 * @returns The same JSON in ASCII.
 */
export function toAscii(json: string): string {
  const text = json.replace(NOT_ASCII, escapes);
  // V8 15 keeps the result in two bytes a character, and whatever it is joined to; by way of bytes it takes one.
  return text === json ? json : new TextDecoder("latin1").decode(new TextEncoder().encode(text));
}

// ---------------------------------------------------------------------------------------------- JSON

/** No text of V8 is longer. */
const MAX_UNITS = 2 ** 29 - 24;

/** Writes what is left of a message when its binaries are out. */
function write(value: object): string {
  const { left, hasBytes } = survey(value, MAX_UNITS);
  if (hasBytes) {
    const need = "bytes must be the data of a segment that holds base64";
    throw new MessageEncodeError(`Cannot encode message as ${need}`, {
      ...{ code: "invalid_shape", path: "$", expected: "base64", received: "bytes" },
    });
  }
  if (left >= 0) return writeJson(value, MAX_UNITS - left);
  throw new MessageEncodeError("Cannot encode message as all but its binaries must fit in one string", {
    ...{ code: "too_large", path: "$" },
  });
}

// ---------------------------------------------------------------------------------------------- cutting

/** Types whose data is text or segments, never bytes. */
const NO_BYTES: ReadonlySet<unknown> = new Set(["text", "at", "reply", "seglist"]);

/** Tells whether a value is bytes, or will give some. */
export function isBinary(value: unknown): value is BinaryData {
  return value instanceof Uint8Array || value instanceof Blob || value instanceof ReadableStream;
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

/** Collects the binaries of one message and puts a marker in the place of each. */
class Binaries<Data> {
  readonly marker: string = `maim:${Math.random().toString(36).slice(2)}`;
  readonly found: Data[] = [];
  readonly paths: string[] = [];
  readonly #takes: (value: unknown) => value is Data;
  readonly #maxDepth: number;

  constructor(takes: (value: unknown) => value is Data, maxDepth: number) {
    this.#takes = takes;
    this.#maxDepth = maxDepth;
  }

  /** Copies a segment, as far as binaries stand in it. */
  mark(segment: unknown, path: string, depth: number = 0): unknown {
    if (!isObject(segment) || !Object.hasOwn(segment, "type") || !Object.hasOwn(segment, "data")) return segment;
    const { type, data } = segment;
    const copy = type === "seglist"
      ? this.#markList(data, `${path}.data`, depth)
      : typeof type !== "string" || NO_BYTES.has(type)
      ? data
      : type === "file" && isObject(data) && Object.hasOwn(data, "base64") && this.#takes(data["base64"])
      ? { ...data, base64: this.#take(data["base64"], `${path}.data.base64`) }
      : this.#takes(data)
      ? this.#take(data, `${path}.data`)
      : data;
    return copy === data ? segment : { ...segment, data: copy };
  }

  #markList(list: unknown, path: string, depth: number): unknown {
    if (!Array.isArray(list) || depth >= this.#maxDepth) return list; // for the walk to refuse
    const copy = list.map((item, index) => this.mark(item, `${path}[${index}]`, depth + 1));
    return copy.some((item, index) => item !== list[index]) ? copy : list;
  }

  #take(binary: Data, path: string): string {
    this.found.push(binary);
    this.paths.push(path);
    return this.marker;
  }
}

/**
 * Checks a message, writes it as compact JSON and cuts the text where base64 of its binaries belongs.
 *
 * A text with binaries is ASCII, so that what carries it can keep a byte for a character.
 *
 * @param message The message.
 * @param clean Leaves out what is not written; gets an ordinary message, with markers in the places of its binaries.
 * @param options How the text is made.
 * @returns The parts of the text, and what goes between them.
 * @throws {MessageEncodeError} If it is too deep, breaks a rule of the wire or is not JSON.
 */
export function splitAtBinaries(
  message: StreamMessage,
  clean: (message: StreamMessage) => object,
  options: CutOptions = {},
): CutText {
  return splitAt(message, clean, isBinary, options);
}

/** Does what {@linkcode splitAtBinaries} does, for whatever is to be cut out. */
export function splitAt<Data>(
  message: StreamMessage,
  clean: (message: StreamMessage) => object,
  takes: (value: unknown) => value is Data,
  { maxDepth = 32, isAscii = false, rename = (path) => path }: CutOptions = {},
): CutText<Data> {
  for (;;) {
    const binaries = new Binaries(takes, maxDepth);
    const marked = isObject(message) && !isCustom(message)
      ? { ...message, message_segment: binaries.mark(message.message_segment, "$.message_segment") }
      : message;
    const issue = messageIssue(marked, { maxDepth });
    if (issue !== null) {
      const renamed = { ...issue, path: rename(issue.path) };
      throw new MessageEncodeError(ruleText("encode", renamed), renamed);
    }
    const checked = marked as StreamMessage; // no issue was found
    const text = write(isCustom(checked) ? checked : clean(checked));
    const { found, marker, paths } = binaries;
    const parts = (isAscii || found.length > 0 ? toAscii(text) : text).split(marker);
    if (parts.length === found.length + 1) return { parts, binaries: found, paths: paths.map(rename) };
    // Else the message itself holds the marker: another one is drawn. A toJSON that hides a binary stays what it is.
    if (parts.length <= found.length) {
      throw new MessageEncodeError("Cannot encode message as its toJSON must keep every binary", {
        ...{ code: "invalid_shape", path: "$", expected: "JSON" },
      });
    }
  }
}
