import { isCustom } from "../schema/guards.ts";
import type { Seg, WireMessage } from "../schema/types.ts";
import { isBase64 } from "../util/base64.ts";

/**
 * Base64 of this many characters or more is long. Long base64 is left out while the rest of the message is written, and
 * inserted afterwards.
 */
const LONG_BASE64 = 2 ** 15;

/**
 * A message is mostly base64 if its base64 is at least this many times as long as the rest. The rest must be short,
 * because it grows when it is written in ASCII: a character such as "字" becomes an escape of 6 characters.
 */
const BASE64_SHARE = 8;

/** Returns true if a value is long base64. The whole text is checked. */
export function isLongBase64(value: unknown): value is string {
  return typeof value === "string" && value.length >= LONG_BASE64 && isBase64(value);
}

/** Returns true if a string is long and begins like base64. Such a string is nearly always base64. */
function isLikelyBase64(text: string): boolean {
  return text.length >= LONG_BASE64 && isBase64(text.slice(0, 64));
}

/**
 * Counts the characters of a segment that are likely base64. Anything with a `toJSON` method counts as 0, because it is
 * not known what the method writes.
 */
function countBase64(segment: Seg): number {
  const { type, data } = segment;
  if ("toJSON" in segment) return 0;
  if (typeof data === "string") return isLikelyBase64(data) ? data.length : 0;
  if (type !== "seglist" || "toJSON" in (data as Seg[])) return 0; // the rules checked that it is a list
  let length = 0;
  for (const inner of data as Seg[]) length += countBase64(inner);
  return length;
}

/**
 * Returns true if a message is mostly base64, so that it should be written in ASCII. Otherwise, a single "字" in the
 * message would make `JSON.stringify` store the whole text in two bytes per character. `units` is the length of the
 * message in UTF-16 units.
 */
export function isMostlyBase64(message: WireMessage, units: number): boolean {
  if (units < LONG_BASE64 || isCustom(message) || "toJSON" in message) return false;
  const base64 = countBase64(message.message_segment);
  return (units - base64) * BASE64_SHARE <= base64;
}
