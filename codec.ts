/**
 * Text to message and back, with the rules of `schema.ts` on the way in and out.
 *
 * ```ts
 * import { decodeMessage, encodeMessage } from "@maim/message/codec";
 *
 * const text = '{"message_info":{"platform":"qq","message_id":7},"message_segment":{"type":"text","data":"hi"}}';
 * const message = decodeMessage(text);
 * console.log("message_info" in message && message.message_info.message_id); // "7": ids are strings from here on
 * console.log(encodeMessage(message));
 * ```
 *
 * Streams of any size go by `encodeStream` and `decodeSegments`.
 *
 * @module
 */

import { isCustom } from "./internal/kind.ts";
import { exceedsUtf8 } from "./internal/utf8.ts";
import {
  type BaseMessageInfo,
  type MessageBase,
  type MessageIssue,
  messageIssue,
  type PartyInfo,
  type Seg,
  type WireMessage,
} from "./schema.ts";

export { segBytes } from "./internal/segment_bytes.ts";
export { decodeSegments } from "./internal/segment_decoder.ts";
export type { DecodedSeg, DecodeSegmentsOptions, SegmentReader } from "./internal/segment_decoder.ts";
export { encodeStream, SegmentEncoderStream } from "./internal/segment_encoder.ts";
export type { EncodeStreamOptions } from "./internal/segment_encoder.ts";
export type { BinaryData, BinaryFileData, BinarySeg, MessageEnvelope, StreamMessage } from "./internal/segment_text.ts";
export { splitMessage } from "./internal/split.ts";

/** 100 MiB, the limit of the deployed peers. Source: maim_message 0.6.8, ws_connection.py, max_message_size. */
const MAX_BYTES = 104_857_600;

/** Far beyond what people write, and near a tenth of a second of work. */
const MAX_SEGMENTS = 100_000;

/** String units of the shortest segment there is, `{"type":""}`. */
const LEAST_SEGMENT = 11;

/** A Python reader gives up near 1,000 levels and takes the connection with it. */
const MAX_NESTING = 500;

/** V8 15 aborts the process when it writes one string of 2^28 units, unless a replacer is given. */
const REPLACER_FROM = 2 ** 27;

/** What is wrong, where: the members both codec errors share. */
export interface CodecFault<Code extends string> {
  /** Which rule was broken. */
  code: Code;
  /** JSON path of the fault; `$` when it is the whole text. */
  path: string;
  /** What belongs there. */
  expected?: string;
  /** Kind of what stands there, never its value. */
  received?: string;
}

/** Why a text is not a message. Codes are API, texts are not. */
export type MessageDecodeErrorCode = "too_large" | "too_deep" | "invalid_json" | "invalid_shape";

/** Why a message can not be written. Codes are API, texts are not. */
export type MessageEncodeErrorCode = "too_large" | "too_deep" | "invalid_shape";

/** A text from the other side is not a message. Nothing of the text is in the error. */
export class MessageDecodeError extends Error implements CodecFault<MessageDecodeErrorCode> {
  /** Which rule was broken. */
  readonly code: MessageDecodeErrorCode;
  /** JSON path of the fault; `$` when it is the whole text. */
  readonly path: string;
  /** What belongs there. */
  readonly expected?: string;
  /** Kind of what stands there, never its value. */
  readonly received?: string;

  /**
   * Creates the error.
   *
   * @param message What is wrong and what to do about it.
   * @param fault Code, path, expectation and kind found.
   */
  constructor(message: string, fault: CodecFault<MessageDecodeErrorCode>) {
    super(message);
    this.name = "MessageDecodeError";
    this.code = fault.code;
    this.path = fault.path;
    if (fault.expected !== undefined) this.expected = fault.expected;
    if (fault.received !== undefined) this.received = fault.received;
  }
}

/** A message of ours can not be written. Nothing was sent. */
export class MessageEncodeError extends Error implements CodecFault<MessageEncodeErrorCode> {
  /** Which rule was broken. */
  readonly code: MessageEncodeErrorCode;
  /** JSON path of the fault; `$` when it is the whole message. */
  readonly path: string;
  /** What belongs there. */
  readonly expected?: string;
  /** Kind of what stands there, never its value. */
  readonly received?: string;

  /**
   * Creates the error.
   *
   * @param message What is wrong and what to do about it.
   * @param fault Code, path, expectation and kind found.
   */
  constructor(message: string, fault: CodecFault<MessageEncodeErrorCode>) {
    super(message);
    this.name = "MessageEncodeError";
    this.code = fault.code;
    this.path = fault.path;
    if (fault.expected !== undefined) this.expected = fault.expected;
    if (fault.received !== undefined) this.received = fault.received;
  }
}

/** Options of {@linkcode decodeMessage}. */
export interface DecodeOptions {
  /**
   * Largest text taken, in UTF-8 bytes; checked before parsing.
   *
   * @default {104857600}
   */
  maxBytes?: number;
  /**
   * How many segment lists may stand inside one another.
   *
   * @default {32}
   */
  maxDepth?: number;
  /**
   * How many segments the message may hold, lists and what is in them counted alike.
   *
   * @default {100000}
   */
  maxSegments?: number;
}

/** Options of {@linkcode encodeMessage}. */
export interface EncodeOptions {
  /**
   * Largest text made, in UTF-8 bytes.
   *
   * @default {104857600}
   */
  maxBytes?: number;
}

function ruleText(act: string, { path, expected, received }: MessageIssue): string {
  return `Cannot ${act} message as ${path} must be ${expected}: received ${received}`;
}

// ---------------------------------------------------------------------------------------------- decode

/** Names the peers that are pointed at the wrong socket most often. */
function foreignHint(value: unknown): string {
  if (typeof value !== "object" || value === null) return "";
  if (Object.hasOwn(value, "post_type") || Object.hasOwn(value, "self_id")) {
    return "; this is a OneBot event: connect OneBot to an adapter, not to a maim_message server";
  }
  if (Object.hasOwn(value, "msg_id") && Object.hasOwn(value, "payload")) {
    return "; this is an API-server envelope: use the legacy WebSocket port of the peer";
  }
  return "";
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch (error) {
    // The engine's own text quotes the input, so it is not passed on.
    if (error instanceof RangeError) {
      throw new MessageDecodeError("Cannot decode message as it nests too deep", { code: "too_deep", path: "$" });
    }
    throw new MessageDecodeError("Cannot decode message as the text must be JSON (NaN and Infinity are not)", {
      code: "invalid_json",
      path: "$",
    });
  }
}

const isUnsafe = (value: number): boolean => value >= 2 ** 53 || value <= -(2 ** 53);

/** Looks for a number that may have lost digits, with a stack of its own: free JSON nests without limit. */
function hasUnsafeNumber(root: object): boolean {
  const open: object[] = [root];
  const inheritsNothing = isEmpty(Object.prototype);
  for (let value = open.pop(); value !== undefined; value = open.pop()) {
    if (!inheritsNothing && !Array.isArray(value)) value = Object.values(value); // or the search would not end
    if (Array.isArray(value)) {
      for (const item of value) {
        if (typeof item === "number" && isUnsafe(item)) return true;
        if (typeof item === "object" && item !== null) open.push(item);
      }
    } else {
      for (const key in value) {
        const item = (value as Record<string, unknown>)[key];
        if (typeof item === "number" && isUnsafe(item)) return true;
        if (typeof item === "object" && item !== null) open.push(item);
      }
    }
  }
  return false;
}

function isEmpty(object: object): boolean {
  for (const _key in object) return false;
  return true;
}

/** 2^53 itself is exact, and so is a literal such as 1e22 that never claimed more digits. */
function exactNumber(value: number, source: string): number | string {
  if (!Number.isFinite(value)) return source;
  return /^-?\d+$/.test(source) && !/^-?9007199254740992$/.test(source) ? source : value;
}

function parseExact(text: string, rounded: WireMessage): WireMessage {
  let message: WireMessage;
  try {
    message = JSON.parse(text, (_key, value, context?: { source?: string }) => {
      return typeof value === "number" && isUnsafe(value) ? exactNumber(value, context?.source ?? `${value}`) : value;
    });
  } catch {
    throw new MessageDecodeError("Cannot decode message as it nests too deep", { code: "too_deep", path: "$" });
  }
  // A time is a quantity, not a name: nanoseconds stay a number, as the rule for it says.
  if (!isCustom(message) && !isCustom(rounded) && typeof rounded.message_info.time === "number") {
    message.message_info.time = rounded.message_info.time;
  }
  return message;
}

/** Counts with a stack of its own: lists may nest as deep as `maxDepth` allows. */
function countSegments(root: Seg): number {
  let count = 0;
  const open = [root];
  for (let next = open.pop(); next !== undefined; next = open.pop()) {
    count++;
    if (next.type === "seglist") { for (const inner of next.data as Seg[]) open.push(inner); } // the walk has proved it
  }
  return count;
}

function checkSegments({ message_segment }: MessageBase, maxSegments: number): void {
  if (countSegments(message_segment) <= maxSegments) return;
  throw new MessageDecodeError(`Cannot decode message as it must hold at most ${maxSegments} segments`, {
    code: "too_large",
    path: "$.message_segment.data",
  });
}

function decimal(id: number): string {
  return Math.abs(id) < 1e21 ? String(id) : BigInt(id).toString();
}

/** Turns the numbers among the ids of one info into strings, in place; an inherited member is none of ours. */
function nameIds(party: PartyInfo | null | undefined): void {
  if (party === undefined || party === null) return;
  const { user_info: user, group_info: group } = party;
  if (typeof user?.user_id === "number" && Object.hasOwn(party, "user_info")) user.user_id = decimal(user.user_id);
  if (typeof group?.group_id === "number" && Object.hasOwn(party, "group_info")) {
    group.group_id = decimal(group.group_id);
  }
}

function nameAllIds({ message_info: info }: MessageBase): void {
  if (typeof info.message_id === "number") info.message_id = decimal(info.message_id);
  nameIds(info);
  nameIds(info.sender_info);
  nameIds(info.receiver_info);
}

/**
 * Decodes one text frame.
 *
 * Nothing is dropped: unknown members and segment types stay. Changed are only ids given as numbers, which become
 * decimal strings, and integers beyond 2^53 wherever they stand, which become exact decimal strings.
 *
 * @param text The JSON of one message.
 * @param options Limits on size and nesting.
 * @returns An ordinary or a custom message; `isCustomMessage` tells them apart.
 * @throws {MessageDecodeError} If the text is too large, not JSON, or breaks a rule of the wire.
 *
 * @example A fault has a path
 * ```ts
 * import { decodeMessage, MessageDecodeError } from "@maim/message/codec";
 *
 * try {
 *   decodeMessage('{"message_info":{},"message_segment":{"type":"text","data":"hi"}}');
 * } catch (error) {
 *   if (error instanceof MessageDecodeError) console.log(error.code, error.path);
 *   // invalid_shape $.message_info.platform
 * }
 * ```
 */
export function decodeMessage(
  text: string,
  { maxBytes = MAX_BYTES, maxDepth = 32, maxSegments = MAX_SEGMENTS }: DecodeOptions = {},
): WireMessage {
  if (exceedsUtf8(text, maxBytes)) {
    throw new MessageDecodeError(`Cannot decode message as it must take at most ${maxBytes} bytes`, {
      code: "too_large",
      path: "$",
    });
  }
  const value = parse(text);
  const issue = messageIssue(value, { maxDepth, isParsed: true });
  if (issue !== null) throw new MessageDecodeError(ruleText("decode", issue) + foreignHint(value), issue);
  let message = value as WireMessage; // no issue was found
  // A short text has no room for them.
  if (text.length > maxSegments * LEAST_SEGMENT && !isCustom(message)) checkSegments(message, maxSegments);
  if (hasUnsafeNumber(message)) message = parseExact(text, message);
  if (!isCustom(message)) nameAllIds(message);
  return message;
}

// ---------------------------------------------------------------------------------------------- encode

/** Members whose own nulls are omitted, one level inside `message_info`. */
interface InfoTree {
  readonly [key: string]: InfoTree;
}
const PARTY: InfoTree = { user_info: {}, group_info: {} };
const INFO: InfoTree = { ...PARTY, format_info: {}, template_info: {}, sender_info: PARTY, receiver_info: PARTY };

function withoutNulls(object: Record<string, unknown>, tree: InfoTree): Record<string, unknown> {
  let copy: Record<string, unknown> | null = null;
  for (const key in object) {
    if (!Object.hasOwn(object, key)) continue;
    const value = object[key];
    const inside = Object.hasOwn(tree, key) ? tree[key] : undefined;
    const clean = value === null
      ? undefined
      : inside === undefined || value === undefined
      ? value
      : withoutNulls(value as Record<string, unknown>, inside); // the walk has proved it an object
    if (clean !== value) (copy ??= { ...object })[key] = clean;
  }
  return copy ?? object;
}

function withoutInfoNulls(message: MessageBase): unknown {
  const info = message.message_info as BaseMessageInfo & Record<string, unknown>; // interfaces lack an index signature
  const clean = withoutNulls(info, INFO);
  return clean === info ? message : { ...message, message_info: clean };
}

function nestsTooDeep(): MessageEncodeError {
  return new MessageEncodeError(`Cannot encode message as it must nest at most ${MAX_NESTING} levels`, {
    code: "too_deep",
    path: "$",
  });
}

/** What a look at a message finds before the engine writes it. */
interface Survey {
  /** String units left of the budget; the look ends when they are used up. */
  left: number;
  /** Whether there is a null anywhere: most messages hold none, and are spared the search for those to leave out. */
  hasNull: boolean;
}

/** Looks through a message, so that an oversized one is refused before the engine writes it. */
function survey(value: object, found: Survey, depth: number): void {
  if (depth > MAX_NESTING) throw nestsTooDeep();
  if (ArrayBuffer.isView(value)) {
    throw new MessageEncodeError("Cannot encode message as bytes must be base64: use seg.image and the like", {
      code: "invalid_shape",
      path: "$",
      expected: "base64",
      received: "bytes",
    });
  }
  if (Array.isArray(value)) {
    for (const item of value) {
      if (typeof item === "string") found.left -= item.length;
      else if (typeof item === "object" && item !== null && found.left >= 0) survey(item, found, depth + 1);
    }
    return;
  }
  for (const key in value) {
    const item = (value as Record<string, unknown>)[key];
    found.left -= key.length;
    if (typeof item === "string") found.left -= item.length;
    else if (item === null) found.hasNull = true;
    // What is inherited is never written, and may lead in a circle.
    else if (typeof item === "object" && found.left >= 0 && Object.hasOwn(value, key)) survey(item, found, depth + 1);
  }
}

function write(message: unknown, units: number): string {
  try {
    const text = units < REPLACER_FROM ? JSON.stringify(message) : JSON.stringify(message, (_key, value) => value);
    if (text !== undefined) return text;
  } catch (error) {
    if (error instanceof RangeError) throw nestsTooDeep();
    throw new MessageEncodeError("Cannot encode message as every value must be JSON: found a bigint or a cycle", {
      code: "invalid_shape",
      path: "$",
      expected: "JSON",
    });
  }
  throw new MessageEncodeError("Cannot encode message as its toJSON must give something", {
    code: "invalid_shape",
    path: "$",
    expected: "JSON",
  });
}

/** A lone surrogate, which `JSON.stringify` writes as an escape, ends the socket of a Python server for good. */
function wellFormed(json: string): string {
  // One character is found faster than three, and most texts hold no escape at all.
  if (!json.includes("\\") || !json.includes("\\ud")) return json;
  return json.replace(/\\(?:ud[89a-f][0-9a-f]{2}|.)/g, (escape) => escape.startsWith("\\ud") ? "\ufffd" : escape);
}

/**
 * Encodes one message as compact JSON.
 *
 * Nulls inside `message_info` and its infos are left out, because maim_message 0.3.0 to 0.5.4 crash on them; a lone
 * surrogate becomes U+FFFD. Everything else is written as it stands.
 *
 * @param message The message.
 * @param options The limit on its size.
 * @returns The text of one frame.
 * @throws {MessageEncodeError} If the message is too large, too deep, breaks a rule of the wire or is not JSON.
 *
 * @example What goes on the wire
 * ```ts
 * import { createCustom, encodeMessage } from "@maim/message";
 *
 * console.log(encodeMessage({ ...createCustom("poke", { times: 2 }, "qq"), timestamp: 1 }));
 * // {"platform":"qq","message_type_name":"poke","content":{"times":2},"timestamp":1,"is_custom_message":true}
 * ```
 */
export function encodeMessage(message: WireMessage, { maxBytes = MAX_BYTES }: EncodeOptions = {}): string {
  const issue = messageIssue(message);
  if (issue !== null) throw new MessageEncodeError(ruleText("encode", issue), issue);
  const tooLarge = () =>
    new MessageEncodeError(`Cannot encode message as it must take at most ${maxBytes} bytes`, {
      code: "too_large",
      path: "$",
    });
  const found: Survey = { left: maxBytes, hasNull: false };
  survey(message, found, 0);
  if (found.left < 0) throw tooLarge();
  const isClean = isCustom(message) || !found.hasNull;
  const text = wellFormed(write(isClean ? message : withoutInfoNulls(message), maxBytes - found.left));
  if (exceedsUtf8(text, maxBytes)) throw tooLarge();
  return text;
}
