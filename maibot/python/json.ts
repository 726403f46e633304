/**
 * JSON as Python's `json.loads` takes it, which MaiBot reads frames with.
 * @module
 */

import { PythonFloat } from "./number.ts";

/** What stands for the three names in the text that is parsed; nobody writes numbers like these. */
const STAND_INS: Readonly<Record<string, string>> = {
  NaN: "-0.000e9007",
  Infinity: "0.001e9007",
  "-Infinity": "-0.001e9007",
};
const NAMES = new Map(Object.entries(STAND_INS).map(([name, standIn]) => [standIn, Number(name)]));
/** A string, or one of the names outside of one. */
const TOKEN = /"[^"\\]*(?:\\[^][^"\\]*)*"|(?<![\w.])(?:-?Infinity|NaN)(?![\w.])/g;
/** Python refuses to read an `int` of more digits. */
const MAX_DIGITS = 4300;

function numberFrom(source: string, value: number): number | bigint | PythonFloat {
  const named = NAMES.get(source);
  if (named !== undefined) return named;
  if (!/[.eE]/.test(source)) {
    if (source.length - (source.startsWith("-") ? 1 : 0) > MAX_DIGITS) throw new SyntaxError("an integer is too long");
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
 * Parses a text as `json.loads` does: `NaN` and `Infinity` are numbers, an integer beyond 2^53 is a `bigint`, and a float
 * without a fraction a {@linkcode PythonFloat}.
 *
 * @returns The value; `undefined` for what Python does not take.
 */
export function parsePython(text: string): unknown {
  try {
    return parse(text);
  } catch {
    // It may be one of the names that JSON does not have.
  }
  try {
    return parse(text.replace(TOKEN, (token) => STAND_INS[token] ?? token));
  } catch {
    return undefined;
  }
}

/** The same value in JavaScript's own numbers; an integer that no number holds becomes its digits, as when decoding. */
export function toPlain(value: unknown): unknown {
  if (typeof value === "bigint") return String(value);
  if (value instanceof PythonFloat) return value.value;
  if (Array.isArray(value)) return value.map(toPlain);
  if (typeof value !== "object" || value === null) return value;
  return Object.fromEntries(Object.entries(value).map(([key, item]) => [key, toPlain(item)]));
}
