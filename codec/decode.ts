import { decodeErrors, type MessageDecodeError } from "./errors.ts";
import { decimal, withExactIntegers } from "./integers.ts";
import { parseJson } from "./json.ts";
import { MAX_BYTES, MAX_SEGMENTS } from "./limits.ts";
import { isCustom } from "../schema/guards.ts";
import { MAX_DEPTH } from "../schema/limits.ts";
import { parsedIssue } from "../schema/rules.ts";
import type { MessageBase, PartyInfo, Seg, WireMessage } from "../schema/types.ts";
import { exceedsUtf8 } from "../util/utf8.ts";
import { hasMember } from "../util/values.ts";

/** String units of the shortest segment, `{"type":""}`. */
const SHORTEST_SEGMENT = 11;

/** Options of {@linkcode decodeMessage}. */
export interface DecodeOptions {
  /**
   * Largest text accepted, in UTF-8 bytes. It is checked before the text is parsed.
   *
   * @default {104857600}
   */
  maxBytes?: number;
  /**
   * Limit on segment lists nested inside one another.
   *
   * @default {32}
   */
  maxDepth?: number;
  /**
   * Limit on the segments of the message. A list counts as one, and so does each segment in it.
   *
   * @default {100000}
   */
  maxSegments?: number;
}

/** Names the peer that is most likely connected by mistake. */
export function foreignHint(value: unknown): string | undefined {
  if (hasMember(value, "post_type") || hasMember(value, "self_id")) {
    return "this is a OneBot event: connect OneBot to an adapter, not to a maim_message server";
  }
  if (hasMember(value, "msg_id") && hasMember(value, "payload")) {
    return "this is an API-server envelope: use the legacy WebSocket port of the peer";
  }
  return undefined;
}

/** Counts with a stack of its own: lists may nest as deep as `maxDepth` allows. */
function countSegments(root: Seg): number {
  let count = 0;
  const open = [root];
  for (let next = open.pop(); next !== undefined; next = open.pop()) {
    count++;
    if (next.type === "seglist") { for (const inner of next.data as Seg[]) open.push(inner); } // the rules proved it
  }
  return count;
}

/** Tells whether a segment holds more than `most` segments, itself counted. `text` is the JSON that contains it. */
export function exceedsSegments(segment: Seg, text: string, most: number): boolean {
  return text.length > most * SHORTEST_SEGMENT && countSegments(segment) > most; // a short text cannot hold so many
}

/** Makes the error for a message of too many segments. */
export function tooManySegments(path: string, maxSegments: number): MessageDecodeError {
  return decodeErrors.tooLarge(`Message holds more than ${maxSegments} segments; send several messages`, path);
}

/** Turns the ids of one info that are numbers into strings, in place. Inherited members are not touched. */
function nameIds(party: PartyInfo | null | undefined): void {
  if (party === undefined || party === null) return;
  const { user_info: user, group_info: group } = party;
  if (typeof user?.user_id === "number" && Object.hasOwn(party, "user_info")) user.user_id = decimal(user.user_id);
  if (typeof group?.group_id === "number" && Object.hasOwn(party, "group_info")) {
    group.group_id = decimal(group.group_id);
  }
}

/**
 * Makes the numbers of an ordinary message exact: ids become strings, in place, and so do integers beyond 2^53.
 *
 * @param text The JSON of the message.
 * @param parsed The message, or what is around its segments, accepted by the rules.
 * @returns The message, or a new one.
 */
export function withExactNumbers<Message extends Pick<MessageBase, "message_info">>(
  text: string,
  parsed: Message,
): Message {
  const message = withExactIntegers(text, parsed);
  const { message_info: info } = message;
  // A time is a quantity, not a name: nanoseconds stay a number, as the rule for it demands.
  if (message !== parsed && typeof parsed.message_info.time === "number") info.time = parsed.message_info.time;
  if (typeof info.message_id === "number") info.message_id = decimal(info.message_id);
  nameIds(info);
  nameIds(info.sender_info);
  nameIds(info.receiver_info);
  return message;
}

/**
 * Decodes one text frame.
 *
 * Nothing is dropped: unknown members and segment types stay. Only two things change: ids that are numbers become
 * decimal strings, and integers beyond 2^53 anywhere in the message become exact decimal strings.
 *
 * @param text The JSON of one message.
 * @param options Limits on size, nesting and the number of segments.
 * @returns An ordinary or a custom message; `isCustomMessage` tells them apart.
 * @throws {MessageDecodeError} If the text is too large, not JSON, or breaks a rule of the protocol.
 *
 * @example An error has a path
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
  { maxBytes = MAX_BYTES, maxDepth = MAX_DEPTH, maxSegments = MAX_SEGMENTS }: DecodeOptions = {},
): WireMessage {
  if (exceedsUtf8(text, maxBytes)) throw decodeErrors.tooManyBytes(maxBytes);
  const value = parseJson(text);
  const issue = parsedIssue(value, maxDepth);
  if (issue !== null) throw decodeErrors.issue(issue, foreignHint(value));
  const message = value as WireMessage; // no issue was found
  if (isCustom(message)) return withExactIntegers(text, message);
  if (exceedsSegments(message.message_segment, text, maxSegments)) {
    throw tooManySegments("$.message_segment.data", maxSegments);
  }
  return withExactNumbers(text, message);
}
