/**
 * How Python code sees decoded JSON values. Only the parts that MaiBot's behaviour depends on are here.
 * @module
 */

import { isPythonSpace } from "../../util/blank.ts";
import { isInteger, numberOf, PythonFloat } from "./number.ts";
import { pythonRepr } from "./repr.ts";

/** An object as `JSON.parse` returns it. */
export type Fields = Readonly<Record<string, unknown>>;

/** Tells whether a value is a `dict` in Python. */
export function isObject(value: unknown): value is Fields {
  return typeof value === "object" && value !== null && !Array.isArray(value) && !(value instanceof PythonFloat);
}

/** Returns a member of an object; `undefined` if the object does not have it. Inherited members are ignored. */
export function own(object: Fields, key: string): unknown {
  return Object.hasOwn(object, key) ? object[key] : undefined;
}

/** Tells whether a member is null or missing. */
export function isAbsent(value: unknown): value is null | undefined {
  return value === undefined || value === null;
}

/** Tells whether a value is true in Python's `if value:`. */
export function isTruthy(value: unknown): boolean {
  if (Array.isArray(value)) return value.length > 0;
  if (value instanceof PythonFloat) return value.value !== 0;
  if (Number.isNaN(value)) return true;
  return isObject(value) ? Object.keys(value).length > 0 : Boolean(value);
}

/** Returns the name of the type that a value has in Python. */
export function typeName(value: unknown): string {
  if (isAbsent(value)) return "NoneType";
  if (Array.isArray(value)) return "list";
  if (typeof value === "number") return isInteger(value) ? "int" : "float";
  if (typeof value === "bigint") return "int";
  if (value instanceof PythonFloat) return "float";
  if (typeof value === "boolean") return "bool";
  return typeof value === "string" ? "str" : "dict";
}

/** Returns Python's `str(value)`. If the text of an array or an object is long, only its beginning is returned. */
export function toText(value: unknown): string {
  return typeof value === "string" ? value : pythonRepr(value);
}

/** Returns Python's `text.strip()`. JavaScript's `trim()` removes a different set of characters. */
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
/**
 * Matches a text that Python's `float()` accepts. Python also accepts digits of other scripts, but these are left out.
 */
const FLOAT = new RegExp(
  String.raw`^\s*[+-]?(?:(?:${DIGITS}\.?(?:${DIGITS})?|\.${DIGITS})(?:e[+-]?${DIGITS})?|inf(?:inity)?|nan)\s*$`,
  "i",
);

/** Tells whether Python's `float(value)` succeeds. */
export function isFloat(value: unknown): boolean {
  return typeof value === "string" ? FLOAT.test(value) : numberOf(value) !== null;
}
