/**
 * Error texts of Python, as MaiBot logs them.
 * @module
 */

import { isObject, typeName } from "./values.ts";

/** Tells whether a character of a string is half a surrogate pair without its other half. */
function isLoneSurrogate(char: string): boolean {
  return char.length === 1 && !char.isWellFormed();
}

/**
 * Returns the error of encoding a text in UTF-8, which fails for half a surrogate pair; `null` if it succeeds. Positions in
 * it count code points.
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

/** Returns the error of looking a value up in a set or dict; `null` if the lookup succeeds. */
export function hashError(value: unknown): string | null {
  return Array.isArray(value) || isObject(value) ? `unhashable type: '${typeName(value)}'` : null;
}

/** Returns the error of `value["key"]` for a value that is not a dict. */
export function subscriptError(value: unknown): string {
  if (Array.isArray(value)) return "list indices must be integers or slices, not str";
  if (typeof value === "string") return "string indices must be integers, not 'str'";
  return `'${typeName(value)}' object is not subscriptable`;
}

/** Returns the error of `value.get(key)` for a value that is not a dict. */
export function missingGetError(value: unknown): string {
  return `'${typeName(value)}' object has no attribute 'get'`;
}
