import { MessageEncodeError } from "./errors.ts";

/** A Python reader gives up near 1,000 levels and takes the connection with it. */
export const MAX_NESTING = 500;

/** V8 15 aborts the process when it writes one string of 2^28 units, unless a replacer is given. */
const REPLACER_FROM = 2 ** 27;

function nestsTooDeep(): MessageEncodeError {
  return new MessageEncodeError(`Cannot encode message as it must nest at most ${MAX_NESTING} levels`, {
    code: "too_deep",
    path: "$",
  });
}

/** What a look at a value finds before the engine writes it. */
export interface Survey {
  /** String units left of the budget; the look ends when they are used up. */
  left: number;
  /** Whether there is a null anywhere: most messages hold none, and are spared the search for those to leave out. */
  hasNull: boolean;
  /** Whether there are bytes somewhere, which `JSON.stringify` would write as something else. */
  hasBytes: boolean;
}

function isBytes(value: object): boolean {
  return ArrayBuffer.isView(value) || value instanceof ArrayBuffer || value instanceof Blob ||
    value instanceof ReadableStream;
}

function isEmpty(object: object): boolean {
  for (const _key in object) return false;
  return true;
}

/**
 * Looks through a value, so that an oversized one is refused before the engine writes it.
 *
 * @param value What is to be written.
 * @param maxUnits Budget of string units.
 * @throws {MessageEncodeError} `too_deep` if a Python reader would not survive it.
 */
export function survey(value: object, maxUnits: number): Survey {
  if (isEmpty(Object.prototype)) {
    try {
      const found = take(value, maxUnits, true);
      if (found.left >= 0 && !found.hasBytes) return found;
    } catch (error) {
      if (!(error instanceof MessageEncodeError)) throw error;
    }
  }
  return take(value, maxUnits, false); // what is inherited is never written, and must not decide
}

function take(value: object, maxUnits: number, takesInherited: boolean): Survey {
  const found = { left: maxUnits, hasNull: false, hasBytes: false, takesInherited };
  look(value, found, 0);
  return found;
}

/**
 * Every message that is sent goes through here. Asking each member whether it is inherited, or each object for its
 * prototype, would double the time.
 */
function look(value: object, found: Survey & { readonly takesInherited: boolean }, depth: number): void {
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
      if (!found.takesInherited && !Object.hasOwn(value, key)) continue;
      const item = (value as Record<string, unknown>)[key];
      units += key.length;
      if (typeof item === "string") units += item.length;
      else if (typeof item === "object") {
        if (item === null) found.hasNull = true;
        else if (units <= found.left) look(item, found, depth + 1);
      } else if (typeof item === "function") hasMethods = true;
    }
    // The other sources of bytes show inherited methods, or nothing at all.
    if ((hasMethods || units === 0) && isBytes(value)) found.hasBytes = true;
  }
  found.left -= units;
}

/**
 * Writes a value as compact JSON without lone surrogates.
 *
 * @param value What is to be written; {@linkcode survey} has seen it.
 * @param units How many string units it holds.
 * @throws {MessageEncodeError} If it is not JSON.
 */
export function writeJson(value: unknown, units: number): string {
  try {
    const text = units < REPLACER_FROM ? JSON.stringify(value) : JSON.stringify(value, (_key, item) => item);
    if (text !== undefined) return wellFormed(text);
  } catch (error) {
    if (error instanceof RangeError) throw nestsTooDeep();
    throw new MessageEncodeError("Cannot encode message as every value must be JSON: found a bigint or a cycle", {
      code: "invalid_shape",
      path: "$",
      expected: "JSON",
    });
  }
  throw new MessageEncodeError("Cannot encode message as its toJSON must give something", {
    code: "invalid_shape",
    path: "$",
    expected: "JSON",
  });
}

/** A lone surrogate, which `JSON.stringify` writes as an escape, ends the socket of a Python server for good. */
function wellFormed(json: string): string {
  // One character is found faster than three, and most texts hold no escape at all.
  if (!json.includes("\\") || !json.includes("\\ud")) return json;
  return json.replace(/\\(?:ud[89a-f][0-9a-f]{2}|.)/g, (escape) => escape.startsWith("\\ud") ? "\ufffd" : escape);
}
