/**
 * What Python makes of a decoded JSON value, as far as MaiBot depends on it.
 * @module
 */

import { isPythonSpace } from "../../util/blank.ts";
import { isInteger, numberOf, PythonFloat } from "./number.ts";
import { pythonRepr } from "./repr.ts";

/** An object as `JSON.parse` gives it. */
export type Fields = Readonly<Record<string, unknown>>;

/** Whether Python would have a `dict`. */
export function isObject(value: unknown): value is Fields {
  return typeof value === "object" && value !== null && !Array.isArray(value) && !(value instanceof PythonFloat);
}

/** Reads a member that is the object's own, as a `dict` has no others; one that is undefined is not written. */
export function own(object: Fields, key: string): unknown {
  return Object.hasOwn(object, key) ? object[key] : undefined;
}

/** Whether a member is null or not there. */
export function isAbsent(value: unknown): value is null | undefined {
  return value === undefined || value === null;
}

/** Whether `if value:` holds. */
export function isTruthy(value: unknown): boolean {
  if (Array.isArray(value)) return value.length > 0;
  if (value instanceof PythonFloat) return value.value !== 0;
  if (Number.isNaN(value)) return true;
  return isObject(value) ? Object.keys(value).length > 0 : Boolean(value);
}

/** Name of the type, as error texts have it. */
export function typeName(value: unknown): string {
  if (isAbsent(value)) return "NoneType";
  if (Array.isArray(value)) return "list";
  if (typeof value === "number") return isInteger(value) ? "int" : "float";
  if (typeof value === "bigint") return "int";
  if (value instanceof PythonFloat) return "float";
  if (typeof value === "boolean") return "bool";
  return typeof value === "string" ? "str" : "dict";
}

/** `str(value)`; of arrays and objects, which may be huge or hold themselves, the beginning. */
export function toText(value: unknown): string {
  return typeof value === "string" ? value : pythonRepr(value);
}

/** `text.strip()`, which takes other characters for white space than `trim()` does. */
export function strip(text: string): string {
  let [start, end] = [0, text.length];
  while (start < end && isPythonSpace(text.charCodeAt(start))) start++;
  while (end > start && isPythonSpace(text.charCodeAt(end - 1))) end--;
  return text.slice(start, end);
}

/** `str(value or "").strip()`, by which MaiBot reads the ids of a target among free data. */
export function toId(value: unknown): string {
  return isTruthy(value) ? strip(toText(value)) : "";
}

/**
 * Text of the error when Python encodes a text in UTF-8 that has a surrogate without its other half; `null` when it has
 * none. Positions count code points.
 */
export function encodeError(text: string): string | null {
  if (text.isWellFormed()) return null;
  const isLone = (char: string): boolean => char.length === 1 && !char.isWellFormed();
  const chars = [...text];
  const start = chars.findIndex(isLone);
  let end = start + 1;
  while (end < chars.length && isLone(chars[end] ?? "")) end++;
  const unit = (chars[start] ?? "").charCodeAt(0).toString(16);
  const what = end - start === 1
    ? `character '\\u${unit}' in position ${start}`
    : `characters in position ${start}-${end - 1}`;
  return `'utf-8' codec can't encode ${what}: surrogates not allowed`;
}

/** Text of the error when a value is looked up in a set or dict; `null` when that is possible. */
export function hashError(value: unknown): string | null {
  return Array.isArray(value) || isObject(value) ? `unhashable type: '${typeName(value)}'` : null;
}

/** Text of the error of `value["key"]`. */
export function subscriptError(value: unknown): string {
  if (Array.isArray(value)) return "list indices must be integers or slices, not str";
  if (typeof value === "string") return "string indices must be integers, not 'str'";
  return `'${typeName(value)}' object is not subscriptable`;
}

/** Text of the error of `value.get`. */
export function getError(value: unknown): string {
  return `'${typeName(value)}' object has no attribute 'get'`;
}

const DIGITS = String.raw`\d+(?:_\d+)*`;
/** What `float(text)` takes, digits of other scripts apart. */
const FLOAT = new RegExp(
  String.raw`^\s*[+-]?(?:(?:${DIGITS}\.?(?:${DIGITS})?|\.${DIGITS})(?:e[+-]?${DIGITS})?|inf(?:inity)?|nan)\s*$`,
  "i",
);

/** Whether `float(value)` works. */
export function isFloat(value: unknown): boolean {
  return typeof value === "string" ? FLOAT.test(value) : numberOf(value) !== null;
}

const DAY = 86_400;
/** First second that `datetime.fromtimestamp` takes on a machine in UTC, and the first after the last. */
const FIRST_SECOND = -62_135_510_400;
const END_SECOND = 253_402_300_800;
const TIME_T_END = 2 ** 63;
const INT_MAX = 2 ** 31 - 1;

/** Year of a Unix time, however far. */
function yearOf(seconds: number): number {
  // Days since 0000-03-01, in eras of 400 years.
  const days = Math.floor(seconds / DAY) + 719_468;
  const era = Math.floor(days / 146_097);
  const day = days - era * 146_097;
  const year = Math.floor((day - Math.floor(day / 1460) + Math.floor(day / 36_524) - Math.floor(day / 146_096)) / 365);
  const dayOfYear = day - (365 * year + Math.floor(year / 4) - Math.floor(year / 100));
  return era * 400 + year + (dayOfYear >= 306 ? 1 : 0);
}

/** Text of the error of `datetime.fromtimestamp(seconds)` on Linux, in UTC; `null` when there is a date. */
export function dateError(seconds: number): string | null {
  if (Number.isNaN(seconds)) return "Invalid value NaN (not a number)";
  if (seconds >= FIRST_SECOND && seconds < END_SECOND) return null;
  if (Math.abs(seconds) >= TIME_T_END) return "timestamp out of range for platform time_t";
  const year = seconds < FIRST_SECOND && seconds >= FIRST_SECOND - DAY ? 0 : yearOf(seconds);
  return Math.abs(year) > INT_MAX ? "[Errno 75] Value too large for defined data type" : `year ${year} is out of range`;
}

/** What `base64.b64decode` makes of a text. */
export interface Base64Reading {
  /** Text of the error; `null` when there are bytes. */
  readonly error: string | null;
  /** Whether characters were skipped or cut off that are no white space: the bytes are hardly those meant. */
  readonly isGarbled: boolean;
  /** How many bytes there are; 0 beside an error. */
  readonly size: number;
}

const FOREIGN = /[^A-Za-z0-9+/]/;
const PAD = 61;

function isAlphabet(code: number): boolean {
  return (code >= 65 && code <= 90) || (code >= 97 && code <= 122) || (code >= 47 && code <= 57) || code === 43;
}

function isSpace(code: number): boolean {
  return code === 32 || (code >= 9 && code <= 13);
}

/** Reads as Python does when it does not validate: what is foreign is skipped, the first full padding ends it. */
function readLeniently(text: string): Base64Reading {
  let [count, pads, isGarbled, isPadded, isDone] = [0, 0, false, false, false];
  for (let index = 0; index < text.length; index++) {
    const code = text.charCodeAt(index);
    if (code === PAD) {
      const quad = count % 4;
      isPadded = true;
      if (!isDone && quad >= 2 && quad + ++pads >= 4) isDone = true;
    } else if (isDone || !isAlphabet(code)) {
      isGarbled ||= !isSpace(code);
    } else {
      count++;
      pads = 0;
      isGarbled ||= isPadded;
    }
  }
  const quad = isDone ? 0 : count % 4;
  const length = `number of data characters (${count}) cannot be 1 more than a multiple of 4`;
  const error = quad === 0 ? null : quad === 1 ? `Invalid base64-encoded string: ${length}` : "Incorrect padding";
  return { error, isGarbled, size: Math.floor((count * 3) / 4) };
}

/** Tells what `base64.b64decode(text)` does, which MaiBot calls without `validate`. */
export function readBase64(text: string): Base64Reading {
  const end = text.endsWith("==") ? -2 : text.endsWith("=") ? -1 : text.length;
  if (text.length % 4 === 0 && !FOREIGN.test(text.slice(0, end))) {
    const pads = end < 0 ? -end : 0;
    return { error: null, isGarbled: false, size: (text.length / 4) * 3 - pads };
  }
  if (!/[^\0-\x7f]/.test(text)) return readLeniently(text);
  return { error: "string argument should contain only ASCII characters", isGarbled: false, size: 0 };
}
