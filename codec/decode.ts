import { parsedIssue } from "../schema/rules.ts";
import type { MessageBase, PartyInfo, Seg, WireMessage } from "../schema/types.ts";
import { MAX_BYTES, MessageDecodeError, ruleText } from "./errors.ts";
import { isCustom } from "../schema/guards.ts";
import { exceedsUtf8 } from "../util/utf8.ts";

/** Far beyond what people write, and near a tenth of a second of work. */
export const MAX_SEGMENTS = 100_000;

/** String units of the shortest segment there is, `{"type":""}`. */
const LEAST_SEGMENT = 11;

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

/** Up to this length a text is looked through faster than the objects in it. */
const SHORT_TEXT = 4096;

/** 16 digits in a row, or an exponent of three: without them every number is what was written. */
const LONG_NUMBER =
  /[0-9](?:[0-9][0-9][0-9][0-9][0-9][0-9][0-9][0-9][0-9][0-9][0-9][0-9][0-9][0-9][0-9]|[eE][+0-9][0-9][0-9])/;

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
  const issue = parsedIssue(value, maxDepth);
  if (issue !== null) throw new MessageDecodeError(ruleText("decode", issue) + foreignHint(value), issue);
  let message = value as WireMessage; // no issue was found
  // A short text has no room for them.
  if (text.length > maxSegments * LEAST_SEGMENT && !isCustom(message)) checkSegments(message, maxSegments);
  if ((text.length > SHORT_TEXT || LONG_NUMBER.test(text)) && hasUnsafeNumber(message)) {
    message = parseExact(text, message);
  }
  if (!isCustom(message)) nameAllIds(message);
  return message;
}
