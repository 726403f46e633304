import { isCustom } from "../schema/guards.ts";
import type { Seg, WireMessage } from "../schema/types.ts";
import { isBase64 } from "../util/base64.ts";

/**
 * Minimum length of base64, in characters. Base64 of this length or more is left out while the rest of the message is
 * written.
 */
const LONG_BASE64 = 2 ** 15;

/**
 * A message is mostly base64 if its base64 is at least this many times as long as the rest. The base64 must be so long
 * because the rest grows when it is written in ASCII.
 */
const BASE64_SHARE = 8;

/** Returns true if a value is base64 that is left out while the rest of the message is written. */
export function isLongBase64(value: unknown): value is string {
  return typeof value === "string" && value.length >= LONG_BASE64 && isBase64(value);
}

/** Returns true if a string is long and begins like base64. Such a string is nearly always base64. */
function isLikelyBase64(text: string): boolean {
  return text.length >= LONG_BASE64 && isBase64(text.slice(0, 64));
}

/** Counts the characters of a segment that are likely base64. Anything with a `toJSON` method counts as 0. */
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
 * Returns true if a message is mostly base64. If such a message holds a single "字", `JSON.stringify` would write all of
 * it in two bytes per character.
 */
export function isMostlyBase64(message: WireMessage, units: number): boolean {
  if (units < LONG_BASE64 || isCustom(message) || "toJSON" in message) return false;
  const base64 = countBase64(message.message_segment);
  return (units - base64) * BASE64_SHARE <= base64;
}
