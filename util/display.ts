/**
 * Makes text that comes from other programs safe to print. A name, an id, a close reason or an error text must not
 * forge a log line, control the terminal, or fill the disk.
 * @module
 */

/** Number of UTF-16 units of a text that are shown by default. */
const MAX_LENGTH = 200;

/** Control characters, line separators, and marks that change the direction of text. */
// deno-lint-ignore no-control-regex
const UNPRINTABLE = /[\x00-\x1f\x7f-\x9f\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069]+/g;

/** Returns the start of a text, without half a surrogate pair at the end. */
function startOf(text: string, length: number): string {
  const isPairCut = (text.charCodeAt(length - 1) & 0xfc00) === 0xd800;
  return text.slice(0, isPairCut ? length - 1 : length);
}

/**
 * Makes a text safe to print: one line, no control characters, cut to a maximum length.
 *
 * @param text The text.
 * @param maxLength Maximum number of UTF-16 units. A longer text is cut and ends with "…".
 */
export function oneLine(text: string, maxLength: number = MAX_LENGTH): string {
  const isLong = text.length > maxLength;
  const line = (isLong ? startOf(text, maxLength) : text).toWellFormed().replace(UNPRINTABLE, " ");
  return isLong ? `${line}…` : line;
}

/**
 * Finds the first line of an error's stack that names a place in the code. The error text at the start of the stack is
 * skipped, because it may contain lines that look like such a line.
 */
function placeOf({ name, message, stack = "" }: Error): string | undefined {
  const head = `${name}: ${message}`;
  const frames = stack.startsWith(head) ? stack.slice(head.length) : stack;
  return frames.split("\n").find((line) => line.trimStart().startsWith("at "))?.trim();
}

/** Describes a thrown value in one line that is safe to print: name, text, and place in the code. */
export function describeError(error: unknown): string {
  if (!(error instanceof Error)) return `a thrown ${error === null ? "null" : typeof error}`;
  const place = placeOf(error);
  return `${oneLine(error.name)}: ${oneLine(error.message)}${place === undefined ? "" : ` (${oneLine(place)})`}`;
}
