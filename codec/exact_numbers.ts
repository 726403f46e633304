/**
 * Makes the numbers of a received message exact: ids become strings, and integers that a double cannot hold become
 * their exact decimal strings.
 * @module
 */

import { decodeErrors } from "./errors.ts";
import type { MessageBase, PartyInfo } from "../schema/types.ts";
import { hasNoKeys } from "../util/values.ts";

/**
 * Largest length, in UTF-16 units, of a text that is searched for long numbers first. In a longer text, searching the
 * parsed objects is faster.
 */
const SHORT_TEXT = 4096;

/**
 * Matches 16 digits in a row, or an exponent of three characters such as `e300` or `e+30`. A text without a match holds
 * no integer that lost digits and no number that is too large for a double.
 */
const LONG_NUMBER =
  /[0-9](?:[0-9][0-9][0-9][0-9][0-9][0-9][0-9][0-9][0-9][0-9][0-9][0-9][0-9][0-9][0-9]|[eE][+0-9][0-9][0-9])/;

const isUnsafe = (value: number): boolean => value >= 2 ** 53 || value <= -(2 ** 53);

/**
 * Returns true if a value contains a number that may have lost digits. The function uses an array as stack and not
 * recursion, because free data may be nested without limit.
 */
function hasUnsafeNumber(root: object): boolean {
  const open: object[] = [root];
  const inheritsNothing = hasNoKeys(Object.prototype);
  for (let value = open.pop(); value !== undefined; value = open.pop()) {
    // If `Object.prototype` has members, `for...in` would visit them again in every object, and the search might not
    // end.
    if (!inheritsNothing && !Array.isArray(value)) value = Object.values(value);
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

/**
 * Returns a number as it is written in the JSON, as a string, if it may have lost digits or is too large for a double.
 * Otherwise returns the number: 2^53 itself is exact, and an exponent such as in `1e22` says that digits do not matter.
 */
function exactNumber(value: number, source: string): number | string {
  if (!Number.isFinite(value)) return source;
  return /^-?\d+$/.test(source) && !/^-?9007199254740992$/.test(source) ? source : value;
}

/**
 * Returns a parsed value in which integers beyond 2^53 are strings.
 *
 * @param text The JSON that was parsed.
 * @param value The result of `JSON.parse(text)`.
 * @returns The same value if it holds no such integer, otherwise a new value.
 * @throws {MessageDecodeError} If the text is nested too deep to be parsed again.
 */
export function withExactIntegers<Value extends object>(text: string, value: Value): Value {
  if ((text.length <= SHORT_TEXT && !LONG_NUMBER.test(text)) || !hasUnsafeNumber(value)) return value;
  try {
    return JSON.parse(text, (_key, item, context?: { source?: string }) => {
      return typeof item === "number" && isUnsafe(item) ? exactNumber(item, context?.source ?? `${item}`) : item;
    });
  } catch {
    throw decodeErrors.tooDeep("Message is nested too deep to be parsed");
  }
}

/** Returns an id that is a number as a decimal string without an exponent. */
function decimal(id: number): string {
  return Math.abs(id) < 1e21 ? String(id) : BigInt(id).toString();
}

/**
 * Replaces the user id and the group id of one info by strings if they are numbers. The object itself is changed.
 * Inherited members are not changed.
 */
function nameIds(party: PartyInfo | null | undefined): void {
  if (party === undefined || party === null) return;
  const { user_info: user, group_info: group } = party;
  if (typeof user?.user_id === "number" && Object.hasOwn(party, "user_info")) user.user_id = decimal(user.user_id);
  if (typeof group?.group_id === "number" && Object.hasOwn(party, "group_info")) {
    group.group_id = decimal(group.group_id);
  }
}

/**
 * Makes the numbers of an ordinary message exact: ids and integers beyond 2^53 become strings. Ids are replaced in the
 * object itself.
 *
 * @param text The JSON of the message.
 * @param parsed The parsed message, with or without its segments. The rules have accepted it.
 * @returns The same message, or a new one if integers beyond 2^53 were replaced.
 */
export function withExactNumbers<Message extends Pick<MessageBase, "message_info">>(
  text: string,
  parsed: Message,
): Message {
  const message = withExactIntegers(text, parsed);
  const { message_info: info } = message;
  // The rules demand a number for `time`. A time in nanoseconds is beyond 2^53, but it must stay a number.
  if (message !== parsed && typeof parsed.message_info.time === "number") info.time = parsed.message_info.time;
  if (typeof info.message_id === "number") info.message_id = decimal(info.message_id);
  nameIds(info);
  nameIds(info.sender_info);
  nameIds(info.receiver_info);
  return message;
}
