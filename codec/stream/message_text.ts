/**
 * Writes a message as JSON text that is cut at its binaries. A binary is data that the caller inserts into the text
 * later: bytes, or long base64.
 * @module
 */

import { toAscii } from "../ascii.ts";
import { encodeErrors } from "../errors.ts";
import { survey, writeJson } from "../json.ts";
import { MAX_STRING_LENGTH } from "../limits.ts";
import { withoutInfoNulls } from "../nulls.ts";
import type { BinaryData, BinarySeg, StreamMessage } from "./types.ts";
import { isCustom } from "../../schema/guards.ts";
import { MAX_DEPTH } from "../../schema/limits.ts";
import { messageIssue, segmentIssue } from "../../schema/rules.ts";
import { mayHoldBytes } from "../../schema/segments.ts";
import type { Seg } from "../../schema/types.ts";
import { hasMember, isByteSource, isObject } from "../../util/values.ts";

/** The JSON text of a message or segment, cut where the base64 of its binaries belongs. */
export interface CutText<Data = BinaryData> {
  /**
   * The texts before, between and after the binaries, so one text more than there are binaries. If there is a binary,
   * all texts are ASCII.
   */
  readonly texts: readonly string[];
  /** The binaries that belong between the texts, in order. */
  readonly binaries: readonly Data[];
  /** JSON path of each binary, such as `$.message_segment.data[0].data`. */
  readonly paths: readonly string[];
}

/** Options of {@linkcode cutMessage} and {@linkcode cutSegment}. */
export interface CutOptions {
  /** How deep segment lists may be nested inside one another. @default {32} */
  readonly maxDepth?: number;
  /** True if the text must be ASCII even without binaries. @default {false} */
  readonly isAscii?: boolean;
}

type DataGuard<Data> = (value: unknown) => value is Data;

/** Writes a message whose binaries were replaced by markers. */
function write(value: object): string {
  const { left, hasBytes } = survey(value, MAX_STRING_LENGTH);
  if (hasBytes) {
    throw encodeErrors.shape(
      { path: "$", expected: "base64", received: "bytes" },
      "put bytes only into the data of a segment that holds base64, such as an image",
    );
  }
  if (left >= 0) return writeJson(value, MAX_STRING_LENGTH - left);
  throw encodeErrors.tooLarge("Message is too large for one string, even without its bytes; send less");
}

/** Replaces the binaries of a message by markers, and collects the binaries. */
class Binaries<Data> {
  readonly marker: string = `maim:${Math.random().toString(36).slice(2)}`;
  readonly found: Data[] = [];
  readonly paths: string[] = [];
  readonly #isData: DataGuard<Data>;
  readonly #maxDepth: number;

  constructor(isData: DataGuard<Data>, maxDepth: number) {
    this.#isData = isData;
    this.#maxDepth = maxDepth;
  }

  /** Copies a segment and replaces its binaries by markers. Returns the segment itself if it holds no binary. */
  mark(segment: unknown, path: string, depth: number = 0): unknown {
    if (!isObject(segment) || !Object.hasOwn(segment, "type") || !Object.hasOwn(segment, "data")) return segment;
    const { type, data } = segment;
    const marked = type === "seglist"
      ? this.#markList(data, `${path}.data`, depth)
      : typeof type === "string" && mayHoldBytes(type)
      ? this.#markData(type, data, `${path}.data`)
      : data;
    return marked === data ? segment : { ...segment, data: marked };
  }

  #markList(list: unknown, path: string, depth: number): unknown {
    if (!Array.isArray(list) || depth >= this.#maxDepth) return list; // the rules refuse such a list later
    const marked = list.map((item, index) => this.mark(item, `${path}[${index}]`, depth + 1));
    return marked.some((item, index) => item !== list[index]) ? marked : list;
  }

  #markData(type: string, data: unknown, path: string): unknown {
    if (type === "file" && hasMember(data, "base64") && this.#isData(data.base64)) {
      return { ...data, base64: this.#takeOut(data.base64, `${path}.base64`) };
    }
    return this.#isData(data) ? this.#takeOut(data, path) : data;
  }

  #takeOut(binary: Data, path: string): string {
    this.found.push(binary);
    this.paths.push(path);
    return this.marker;
  }
}

/**
 * Writes a value and cuts the text at the binaries. `mark` checks the value and returns it with markers in the place of
 * the binaries.
 */
function cut<Data>(
  mark: (binaries: Binaries<Data>) => object,
  isData: DataGuard<Data>,
  { maxDepth = MAX_DEPTH, isAscii = false }: CutOptions,
): CutText<Data> {
  for (;;) {
    const binaries = new Binaries(isData, maxDepth);
    const text = write(mark(binaries));
    const { found, marker, paths } = binaries;
    const texts = (isAscii || found.length > 0 ? toAscii(text) : text).split(marker);
    if (texts.length === found.length + 1) return { texts, binaries: found, paths };
    // If there are too many texts, the message itself contains the marker. The loop then tries another marker.
    if (texts.length <= found.length) {
      throw encodeErrors.shape({ path: "$", expected: "JSON" }, "a toJSON() method left out bytes; it must keep them");
    }
  }
}

/**
 * Checks a message, writes it as compact JSON and cuts the text where the base64 of its bytes belongs.
 *
 * If the message holds bytes, the text is ASCII, so that the engine can store it in one byte per character.
 *
 * @param message The message.
 * @param options The nesting limit, and whether the text must be ASCII.
 * @returns The texts, and the binaries between them.
 * @throws {MessageEncodeError} If the message is nested too deep, breaks a rule of the protocol or cannot be written as
 * JSON.
 */
export function cutMessage(message: StreamMessage, options: CutOptions = {}): CutText {
  return cutMessageAt(message, isByteSource, options);
}

/** Like {@linkcode cutMessage}, but cuts at the data that a guard accepts instead of at bytes. */
export function cutMessageAt<Data>(
  message: StreamMessage,
  isData: DataGuard<Data>,
  options: CutOptions = {},
): CutText<Data> {
  const { maxDepth = MAX_DEPTH } = options;
  const mark = (binaries: Binaries<Data>): object => {
    const marked = isObject(message) && !isCustom(message)
      ? { ...message, message_segment: binaries.mark(message.message_segment, "$.message_segment") }
      : message;
    const issue = messageIssue(marked, { maxDepth });
    if (issue !== null) throw encodeErrors.issue(issue);
    return isCustom(message) ? message : withoutInfoNulls(marked as StreamMessage); // no issue was found
  };
  return cut(mark, isData, options);
}

/**
 * Like {@linkcode cutMessage}, but for a single segment.
 *
 * @param segment The segment.
 * @param path JSON path of the segment, for errors.
 * @param options The nesting limit, for which the segment itself counts too, and whether the text must be ASCII.
 */
export function cutSegment(
  segment: Seg | BinarySeg,
  path: string,
  options: CutOptions = {},
): CutText {
  const { maxDepth = MAX_DEPTH } = options;
  const mark = (binaries: Binaries<BinaryData>): object => {
    const marked = binaries.mark(segment, path);
    const issue = segmentIssue(marked, path, maxDepth);
    if (issue !== null) throw encodeErrors.issue(issue);
    return marked as object; // no issue was found
  };
  return cut(mark, isByteSource, options);
}
