/**
 * Decoded JSON values as Python code sees them, as far as MaiBot's behaviour depends on it.
 * @module
 */

import { isPythonSpace } from "../../util/blank.ts";
import { isInteger, numberOf, PythonFloat } from "./number.ts";
import { pythonRepr } from "./repr.ts";

/** An object as `JSON.parse` returns it. */
export type Fields = Readonly<Record<string, unknown>>;

/** Tells whether Python has a `dict`. */
export function isObject(value: unknown): value is Fields {
  return typeof value === "object" && value !== null && !Array.isArray(value) && !(value instanceof PythonFloat);
}

/** Returns an own member of an object; `undefined` if it has none. Inherited members are ignored. */
export function own(object: Fields, key: string): unknown {
  return Object.hasOwn(object, key) ? object[key] : undefined;
}

/** Tells whether a member is null or missing. */
export function isAbsent(value: unknown): value is null | undefined {
  return value === undefined || value === null;
}

/** Tells whether Python's `if value:` is true. */
export function isTruthy(value: unknown): boolean {
  if (Array.isArray(value)) return value.length > 0;
  if (value instanceof PythonFloat) return value.value !== 0;
  if (Number.isNaN(value)) return true;
  return isObject(value) ? Object.keys(value).length > 0 : Boolean(value);
}

/** Returns the name of the Python type. */
export function typeName(value: unknown): string {
  if (isAbsent(value)) return "NoneType";
  if (Array.isArray(value)) return "list";
  if (typeof value === "number") return isInteger(value) ? "int" : "float";
  if (typeof value === "bigint") return "int";
  if (value instanceof PythonFloat) return "float";
  if (typeof value === "boolean") return "bool";
  return typeof value === "string" ? "str" : "dict";
}

/** Returns Python's `str(value)`; of an array or object only the start. */
export function toText(value: unknown): string {
  return typeof value === "string" ? value : pythonRepr(value);
}

/** Returns Python's `text.strip()`. Its white space differs from that of `trim()`. */
export function strip(text: string): string {
  let [start, end] = [0, text.length];
  while (start < end && isPythonSpace(text.charCodeAt(start))) start++;
  while (end > start && isPythonSpace(text.charCodeAt(end - 1))) end--;
  return text.slice(start, end);
}

/** Returns Python's `str(value or "").strip()`. MaiBot reads ids in `additional_config` and in segments this way. */
export function toId(value: unknown): string {
  return isTruthy(value) ? strip(toText(value)) : "";
}

const DIGITS = String.raw`\d+(?:_\d+)*`;
/** A text that Python's `float()` accepts. Digits of other scripts are left out. */
const FLOAT = new RegExp(
  String.raw`^\s*[+-]?(?:(?:${DIGITS}\.?(?:${DIGITS})?|\.${DIGITS})(?:e[+-]?${DIGITS})?|inf(?:inity)?|nan)\s*$`,
  "i",
);

/** Tells whether Python's `float(value)` succeeds. */
export function isFloat(value: unknown): boolean {
  return typeof value === "string" ? FLOAT.test(value) : numberOf(value) !== null;
}
