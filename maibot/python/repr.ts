import { numberText, PythonFloat } from "./number.ts";

/** How much of an array or object is written: it may be huge, or hold itself. */
const MAX_LENGTH = 200;
const MAX_DEPTH = 20;

function escaped(char: string): string {
  const named: Readonly<Record<string, string>> = { "\n": "\\n", "\r": "\\r", "\t": "\\t", "\\": "\\\\" };
  if (named[char] !== undefined) return named[char];
  if (char === " " || !/[\p{C}\p{Z}]/u.test(char)) return char;
  const code = (char.codePointAt(0) ?? 0).toString(16);
  if (code.length <= 2) return `\\x${code.padStart(2, "0")}`;
  return code.length <= 4 ? `\\u${code.padStart(4, "0")}` : `\\U${code.padStart(8, "0")}`;
}

/** `repr(str)`, of the beginning of a long one. */
function quoted(text: string): string {
  const quote = text.includes("'") && !text.includes('"') ? '"' : "'";
  let written = "";
  for (const char of text.slice(0, MAX_LENGTH)) written += char === quote ? `\\${char}` : escaped(char);
  return quote + written + quote;
}

function joined(items: Iterable<string>): string {
  let text = "";
  for (const item of items) {
    text += text === "" ? item : `, ${item}`;
    if (text.length > MAX_LENGTH) return `${text.slice(0, MAX_LENGTH)}…`;
  }
  return text;
}

function* each<T>(items: Iterable<T>, write: (item: T) => string): Generator<string> {
  for (const item of items) yield write(item);
}

/**
 * `repr(value)` of a decoded JSON value. Of an array or object the first 200 characters, so that one that is huge or
 * holds itself comes to an end.
 */
export function pythonRepr(value: unknown, depth: number = 0): string {
  if (value === undefined || value === null) return "None";
  if (typeof value === "boolean") return value ? "True" : "False";
  if (typeof value === "number" || typeof value === "bigint" || value instanceof PythonFloat) return numberText(value);
  if (typeof value === "string") return quoted(value);
  if (typeof value !== "object" || depth > MAX_DEPTH) return "...";
  if (Array.isArray(value)) return `[${joined(each(value, (item) => pythonRepr(item, depth + 1)))}]`;
  const write = ([key, item]: [string, unknown]): string => `${quoted(key)}: ${pythonRepr(item, depth + 1)}`;
  return `{${joined(each(Object.entries(value), write))}}`;
}
