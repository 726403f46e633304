/**
 * Parses and writes JSON.
 * @module
 */

import { decodeErrors, encodeErrors, MessageEncodeError, notJson } from "./errors.ts";
import { MAX_NESTING } from "./limits.ts";
import { withoutLoneSurrogates } from "./surrogates.ts";
import { hasNoKeys, isByteSource } from "../util/values.ts";

/**
 * A value with this many UTF-16 units or more is written with a replacer function. Without one, V8 15 aborts the
 * process when `JSON.stringify` writes 2^28 units.
 */
const REPLACER_FROM = 2 ** 27;

/** Parses JSON; throws {@linkcode MessageDecodeError} if the text is not JSON or is nested too deep for the engine. */
export function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch (error) {
    throw error instanceof RangeError ? decodeErrors.tooDeep("Message is nested too deep to be parsed") : notJson();
  }
}

function nestsTooDeep(): MessageEncodeError {
  return encodeErrors.tooDeep(`Message is nested more than ${MAX_NESTING} levels deep; send flatter data`);
}

/** The result of {@linkcode survey}. */
export interface Survey {
  /** UTF-16 units that are left of the budget; negative if the value is too large. */
  left: number;
  /** True if a member is null. Most messages have no null, so they need no copy without nulls. */
  hasNull: boolean;
  /** True if the value contains bytes. `JSON.stringify` would not write bytes as base64. */
  hasBytes: boolean;
}

interface Search extends Survey {
  /** True to skip inherited members, which `JSON.stringify` does not write. */
  readonly isOwnOnly: boolean;
}

/** Returns true if an object holds bytes: a typed array, a buffer, a `Blob` or a stream. */
function isBytes(value: object): boolean {
  return isByteSource(value) || ArrayBuffer.isView(value) || value instanceof ArrayBuffer;
}

/**
 * Measures a value before `JSON.stringify` writes it, so that a value that is too large is refused before any text is
 * made. The count is a lower bound: it includes keys and strings, but not quotes, numbers and escapes.
 *
 * @param value The value to be written.
 * @param maxUnits Budget of UTF-16 units.
 * @throws {MessageEncodeError} With the code `too_deep` if the value is nested so deep that a Python peer could not
 * read it.
 */
export function survey(value: object, maxUnits: number): Survey {
  if (hasNoKeys(Object.prototype)) {
    // The first search is fast, because it does not check whether members are inherited. If it finds too many units,
    // bytes or deep nesting, inherited members may be the cause. Then a second search counts only own members.
    try {
      const found = search(value, { left: maxUnits, hasNull: false, hasBytes: false, isOwnOnly: false });
      if (found.left >= 0 && !found.hasBytes) return found;
    } catch (error) {
      if (!(error instanceof MessageEncodeError)) throw error;
    }
  }
  return search(value, { left: maxUnits, hasNull: false, hasBytes: false, isOwnOnly: true });
}

function search(value: object, found: Search): Survey {
  look(value, found, 0);
  return found;
}

/**
 * Counts the UTF-16 units of an object and of everything in it, and looks for nulls and bytes. The function runs for
 * every message that is sent, so it must be fast. It excludes inherited members only if `isOwnOnly` is set, because
 * checking for them takes twice the time.
 */
function look(value: object, found: Search, depth: number): void {
  if (depth > MAX_NESTING) throw nestsTooDeep();
  let units = 0;
  if (Array.isArray(value)) {
    for (let index = 0; index < value.length; index++) {
      const item: unknown = value[index];
      if (typeof item === "string") units += item.length;
      else if (typeof item === "object" && item !== null && units <= found.left) look(item, found, depth + 1);
    }
  } else if (ArrayBuffer.isView(value)) {
    found.hasBytes = true;
  } else {
    let hasMethods = false;
    for (const key in value) {
      if (found.isOwnOnly && !Object.hasOwn(value, key)) continue;
      const item = (value as Record<string, unknown>)[key];
      // Undefined members and functions do not count, because `JSON.stringify` does not write them.
      if (typeof item === "string") units += key.length + item.length;
      else if (typeof item === "object") {
        units += key.length;
        if (item === null) found.hasNull = true;
        else if (units <= found.left) look(item, found, depth + 1);
      } else if (typeof item === "function") hasMethods = true;
      else if (item !== undefined) units += key.length;
    }
    // The loop above finds only inherited methods in a Blob or a stream, or no member at all.
    if ((hasMethods || units === 0) && isBytes(value)) found.hasBytes = true;
  }
  found.left -= units;
}

/**
 * Writes a value as compact JSON without lone surrogates.
 *
 * @param value The value; {@linkcode survey} has accepted it.
 * @param units Number of UTF-16 units in the value, as `survey` counts them.
 * @throws {MessageEncodeError} If the value cannot be written as JSON.
 */
export function writeJson(value: unknown, units: number): string {
  try {
    const text = units < REPLACER_FROM ? JSON.stringify(value) : JSON.stringify(value, (_key, item) => item);
    if (text !== undefined) return withoutLoneSurrogates(text);
  } catch (error) {
    if (error instanceof RangeError) throw nestsTooDeep();
    throw encodeErrors.shape({ path: "$", expected: "JSON" }, "it contains a bigint or a circular reference");
  }
  throw encodeErrors.shape({ path: "$", expected: "JSON" }, "its toJSON() returned undefined");
}
