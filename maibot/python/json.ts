/**
 * Reads JSON in the same way as Python's `json.loads`, with which MaiBot reads frames.
 * @module
 */

import { PythonFloat } from "./number.ts";

/**
 * Numbers that replace the names `NaN`, `Infinity` and `-Infinity` before `JSON.parse` reads the text, because JSON
 * does not have these names. The numbers are so unusual that no real text contains them.
 */
const STAND_INS: Readonly<Record<string, string>> = {
  NaN: "-0.000e9007",
  Infinity: "0.001e9007",
  "-Infinity": "-0.001e9007",
};
const VALUES = new Map(Object.entries(STAND_INS).map(([name, standIn]) => [standIn, Number(name)]));
/**
 * Matches a whole JSON string, or one of the names `NaN`, `Infinity` and `-Infinity` outside a string. Strings are
 * matched so that a name inside a string is not replaced.
 */
const TOKEN = /"[^"\\]*(?:\\[^][^"\\]*)*"|(?<![\w.])(?:-?Infinity|NaN)(?![\w.])/g;
/** Maximum number of digits of an `int` that Python can read. */
const MAX_DIGITS = 4300;

/**
 * Returns the number that Python reads. `source` is the text of the number, `value` the number that JavaScript reads.
 */
function numberFrom(source: string, value: number): number | bigint | PythonFloat {
  const named = VALUES.get(source);
  if (named !== undefined) return named;
  if (!/[.eE]/.test(source)) {
    const digits = source.length - (source.startsWith("-") ? 1 : 0);
    if (digits > MAX_DIGITS) throw new SyntaxError(`Python reads integers of at most ${MAX_DIGITS} digits`);
    return Number.isSafeInteger(value) ? value : BigInt(source);
  }
  return Number.isInteger(value) ? new PythonFloat(value) : value;
}

function parse(text: string): unknown {
  return JSON.parse(text, function (_key, value, context?: { source?: string }) {
    return typeof value === "number" ? numberFrom(context?.source ?? String(value), value) : value;
  });
}

/**
 * Parses a JSON text in the same way as Python's `json.loads`. `NaN` and `Infinity` become numbers, an integer that is
 * not a safe integer becomes a `bigint`, and a float with an integer value becomes a {@linkcode PythonFloat}.
 *
 * @returns The value; `undefined` if Python cannot read the text.
 */
export function parsePython(text: string): unknown {
  try {
    return parse(text);
  } catch {
    // The text may hold NaN or Infinity, which JSON does not have. These names are replaced below.
  }
  try {
    return parse(text.replace(TOKEN, (token) => STAND_INS[token] ?? token));
  } catch {
    return undefined;
  }
}

/**
 * Replaces each `bigint` in a value by a string of its digits, as `decodeMessage` does, and each
 * {@linkcode PythonFloat} by a number.
 */
export function toPlain(value: unknown): unknown {
  if (typeof value === "bigint") return String(value);
  if (value instanceof PythonFloat) return value.value;
  if (Array.isArray(value)) return value.map(toPlain);
  if (typeof value !== "object" || value === null) return value;
  return Object.fromEntries(Object.entries(value).map(([key, item]) => [key, toPlain(item)]));
}
