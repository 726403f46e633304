/**
 * JSON as Python reads it: texts that `JSON.stringify` cannot write, and texts that `JSON.parse` changes.
 * @module
 */

/** A piece of JSON text that is written as it stands: `NaN`, `1.0`, a number of thirty digits. */
export class RawJson {
  readonly text: string;

  /** Keeps the text. */
  constructor(text: string) {
    this.text = text;
  }
}

/** Writes a value as JSON, and {@linkcode RawJson} as it stands. */
export function jsonText(value: unknown): string {
  if (value instanceof RawJson) return value.text;
  if (Array.isArray(value)) return `[${value.map(jsonText).join(",")}]`;
  if (typeof value !== "object" || value === null) return JSON.stringify(value);
  return `{${Object.entries(value).map(([key, member]) => `${JSON.stringify(key)}:${jsonText(member)}`).join(",")}}`;
}

/** The reviver of `JSON.parse` with the text of each number, which TypeScript does not know yet. */
type SourceReviver = (key: string, value: unknown, context: { readonly source?: string }) => unknown;

const INTEGER = /^-?\d+$/;

/** Checks that a number has the same type and the same digits for Python once it was a number of JavaScript. */
function isSameNumber(source: string, value: number): boolean {
  const written = JSON.stringify(value);
  if (INTEGER.test(source)) return written === source || (source === "-0" && written === "0");
  return written !== "null" && !INTEGER.test(written);
}

/**
 * Reads a frame, and tells whether `JSON.parse` left it as Python's `json.loads` reads it.
 *
 * `isFaithful` is false for text that is no JSON to JavaScript (`NaN`, `Infinity`), and for numbers that come out as
 * another number or another type: 1.0 is a float to Python and 1 is not, 2^64-1 is no double. `maibotIssues` gets values,
 * so only a faithful value can be compared with what MaiBot makes of the text. The fake reads the text as Python does.
 */
export function readAsPython(text: string): { readonly value: unknown; readonly isFaithful: boolean } {
  let isFaithful = true;
  const reviver: SourceReviver = (_key, value, { source }) => {
    if (typeof value === "number" && !isSameNumber(source ?? "", value)) isFaithful = false;
    return value;
  };
  try {
    const value: unknown = JSON.parse(text, reviver as (key: string, value: unknown) => unknown);
    return { value, isFaithful };
  } catch {
    return { value: undefined, isFaithful: false };
  }
}
