/**
 * Error texts of Python, in the form in which MaiBot logs them.
 * @module
 */

import { isObject, typeName } from "./values.ts";

/** Tells whether a character of a string is half a surrogate pair without its other half. */
function isLoneSurrogate(char: string): boolean {
  return char.length === 1 && !char.isWellFormed();
}

/**
 * Returns Python's error for encoding a text in UTF-8; `null` if the encoding succeeds. It fails if the text holds half
 * a surrogate pair. The positions in the error count code points.
 */
export function encodeError(text: string): string | null {
  if (text.isWellFormed()) return null;
  const chars = [...text];
  const start = chars.findIndex(isLoneSurrogate);
  let end = start + 1;
  while (end < chars.length && isLoneSurrogate(chars[end] ?? "")) end++;
  const unit = (chars[start] ?? "").charCodeAt(0).toString(16);
  const subject = end - start === 1
    ? `character '\\u${unit}' in position ${start}`
    : `characters in position ${start}-${end - 1}`;
  return `'utf-8' codec can't encode ${subject}: surrogates not allowed`;
}

/** Returns Python's error for looking up a value in a set or a dict; `null` if the value may be looked up. */
export function hashError(value: unknown): string | null {
  return Array.isArray(value) || isObject(value) ? `unhashable type: '${typeName(value)}'` : null;
}

/** Returns Python's error for `value["key"]` if the value is not a dict. */
export function subscriptError(value: unknown): string {
  if (Array.isArray(value)) return "list indices must be integers or slices, not str";
  if (typeof value === "string") return "string indices must be integers, not 'str'";
  return `'${typeName(value)}' object is not subscriptable`;
}

/** Returns Python's error for `value.get(key)` if the value is not a dict. */
export function missingGetError(value: unknown): string {
  return `'${typeName(value)}' object has no attribute 'get'`;
}
