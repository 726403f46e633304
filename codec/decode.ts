import { decodeErrors, type MessageDecodeError } from "./errors.ts";
import { foreignHint } from "./foreign_protocols.ts";
import { withExactIntegers, withExactNumbers } from "./exact_numbers.ts";
import { parseJson } from "./json.ts";
import { MAX_BYTES, MAX_SEGMENTS } from "./limits.ts";
import { isCustom } from "../schema/guards.ts";
import { MAX_DEPTH } from "../schema/limits.ts";
import { parsedIssue } from "../schema/rules.ts";
import type { Seg, WireMessage } from "../schema/types.ts";
import { exceedsUtf8 } from "../util/utf8.ts";

/** Length of the shortest segment, `{"type":""}`, in UTF-16 units. */
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
   * How deep segment lists may be nested inside one another.
   *
   * @default {32}
   */
  maxDepth?: number;
  /**
   * Largest number of segments in the message. A list counts as one segment, and each segment inside it counts too.
   *
   * @default {100000}
   */
  maxSegments?: number;
}

/**
 * Counts a segment and all segments inside it. The function uses an array as stack and not recursion, because
 * `maxDepth` may allow lists that are nested too deep for recursion.
 */
function countSegments(root: Seg): number {
  let count = 0;
  const open = [root];
  for (let next = open.pop(); next !== undefined; next = open.pop()) {
    count++;
    // The rules have checked that the data of a seglist is an array.
    if (next.type === "seglist") { for (const inner of next.data as Seg[]) open.push(inner); }
  }
  return count;
}

/**
 * Returns true if a segment and the segments inside it are more than `most`. `text` is the JSON that contains the
 * segment.
 */
export function exceedsSegments(segment: Seg, text: string, most: number): boolean {
  return text.length > most * SHORTEST_SEGMENT && countSegments(segment) > most; // a shorter text cannot hold that many
}

/** Makes the error for a message with too many segments. */
export function tooManySegments(path: string, maxSegments: number): MessageDecodeError {
  return decodeErrors.tooLarge(`Message holds more than ${maxSegments} segments; send several messages`, path);
}

/**
 * Decodes one text frame.
 *
 * Nothing is dropped: unknown members and segment types stay. Only two things change: ids that are numbers become
 * decimal strings, and integers beyond 2^53 become exact decimal strings. `message_info.time` always stays a number.
 *
 * @param text The JSON of one message.
 * @param options Limits on size, nesting and the number of segments.
 * @returns An ordinary or a custom message; `isCustomMessage` tells them apart.
 * @throws {MessageDecodeError} If the text is too large, is not JSON, holds too many segments, or breaks a rule of the
 * protocol.
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
