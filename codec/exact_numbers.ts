/**
 * Makes the numbers of a received message exact: ids become strings, and integers that a double cannot hold become
 * their exact decimal strings.
 * @module
 */

import { decodeErrors } from "./errors.ts";
import type { MessageBase, PartyInfo } from "../schema/types.ts";
import { hasNoKeys } from "../util/values.ts";

/**
 * Length in UTF-16 units. Up to this length, searching the text is faster than searching the objects that were parsed
 * from it.
 */
const SHORT_TEXT = 4096;

/** Matches 16 digits in a row, or an exponent of three digits. Without a match, every number in the text is exact. */
const LONG_NUMBER =
  /[0-9](?:[0-9][0-9][0-9][0-9][0-9][0-9][0-9][0-9][0-9][0-9][0-9][0-9][0-9][0-9][0-9]|[eE][+0-9][0-9][0-9])/;

const isUnsafe = (value: number): boolean => value >= 2 ** 53 || value <= -(2 ** 53);

/**
 * Searches for a number that may have lost digits. It uses its own stack and not recursion, because free data may nest
 * without limit.
 */
function hasUnsafeNumber(root: object): boolean {
  const open: object[] = [root];
  const inheritsNothing = hasNoKeys(Object.prototype);
  for (let value = open.pop(); value !== undefined; value = open.pop()) {
    // If `Object.prototype` has members, `for...in` would also visit these members, and the search would not end.
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
 * Returns the literal instead of the number if the number may have lost digits. 2^53 itself is exact, and a literal
 * such as 1e22 states no digits that could be lost.
 */
function exactNumber(value: number, source: string): number | string {
  if (!Number.isFinite(value)) return source;
  return /^-?\d+$/.test(source) && !/^-?9007199254740992$/.test(source) ? source : value;
}

/**
 * Returns a parsed value in which integers beyond 2^53 are strings.
 *
 * @param text The JSON that was parsed.
 * @param value The result of parsing it.
 * @returns The same value if it holds no such integer, otherwise a new value.
 * @throws {MessageDecodeError} If the text nests too deep to be parsed again.
 */
export function withExactIntegers<Value extends object>(text: string, value: Value): Value {
  if ((text.length <= SHORT_TEXT && !LONG_NUMBER.test(text)) || !hasUnsafeNumber(value)) return value;
  try {
    return JSON.parse(text, (_key, item, context?: { source?: string }) => {
      return typeof item === "number" && isUnsafe(item) ? exactNumber(item, context?.source ?? `${item}`) : item;
    });
  } catch {
    throw decodeErrors.tooDeep("Message nests too deep to be parsed");
  }
}

/** Returns the decimal digits of an id that is a number. */
function decimal(id: number): string {
  return Math.abs(id) < 1e21 ? String(id) : BigInt(id).toString();
}

/**
 * Replaces the user id and the group id of one info by strings, in place, if they are numbers. Inherited members are
 * not touched.
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
 * Makes the numbers of an ordinary message exact: ids and integers beyond 2^53 become strings. Ids are changed in
 * place.
 *
 * @param text The JSON of the message.
 * @param parsed The parsed message, or only the members around its segments. The rules have accepted it.
 * @returns The same message, or a new one if integers beyond 2^53 were replaced.
 */
export function withExactNumbers<Message extends Pick<MessageBase, "message_info">>(
  text: string,
  parsed: Message,
): Message {
  const message = withExactIntegers(text, parsed);
  const { message_info: info } = message;
  // A time is a quantity and not a name, and its rule demands a number. So a time in nanoseconds stays a number,
  // although it is beyond 2^53.
  if (message !== parsed && typeof parsed.message_info.time === "number") info.time = parsed.message_info.time;
  if (typeof info.message_id === "number") info.message_id = decimal(info.message_id);
  nameIds(info);
  nameIds(info.sender_info);
  nameIds(info.receiver_info);
  return message;
}
