import { numberText, PythonFloat } from "./number.ts";

/**
 * Maximum length of the text of a string, an array or an object. The length is limited, because a value may be huge.
 */
const MAX_LENGTH = 200;
/** Maximum nesting depth of arrays and objects. The depth is limited, because a value may contain itself. */
const MAX_DEPTH = 20;

function escapeChar(char: string): string {
  const named: Readonly<Record<string, string>> = { "\n": "\\n", "\r": "\\r", "\t": "\\t", "\\": "\\\\" };
  if (named[char] !== undefined) return named[char];
  if (char === " " || !/[\p{C}\p{Z}]/u.test(char)) return char;
  const code = (char.codePointAt(0) ?? 0).toString(16);
  if (code.length <= 2) return `\\x${code.padStart(2, "0")}`;
  return code.length <= 4 ? `\\u${code.padStart(4, "0")}` : `\\U${code.padStart(8, "0")}`;
}

/** Returns Python's `repr()` of a string. If the string is long, only its beginning is written. */
function stringRepr(text: string): string {
  const quote = text.includes("'") && !text.includes('"') ? '"' : "'";
  let escaped = "";
  for (const char of text.slice(0, MAX_LENGTH)) escaped += char === quote ? `\\${char}` : escapeChar(char);
  return quote + escaped + quote;
}

/** Joins items with commas. Stops after `MAX_LENGTH` characters. */
function joinItems(items: Iterable<string>): string {
  let text = "";
  for (const item of items) {
    text += text === "" ? item : `, ${item}`;
    if (text.length > MAX_LENGTH) return `${text.slice(0, MAX_LENGTH)}…`;
  }
  return text;
}

/** Converts items to text one at a time, so that {@linkcode joinItems} can stop early. */
function* mapItems<T>(items: Iterable<T>, write: (item: T) => string): Generator<string> {
  for (const item of items) yield write(item);
}

/**
 * Returns Python's `repr(value)` of a decoded JSON value. An array or object is cut after 200 characters, so that the
 * call also returns for a value that is huge or contains itself.
 */
export function pythonRepr(value: unknown, depth: number = 0): string {
  if (value === undefined || value === null) return "None";
  if (typeof value === "boolean") return value ? "True" : "False";
  if (typeof value === "number" || typeof value === "bigint" || value instanceof PythonFloat) return numberText(value);
  if (typeof value === "string") return stringRepr(value);
  if (typeof value !== "object" || depth > MAX_DEPTH) return "...";
  if (Array.isArray(value)) return `[${joinItems(mapItems(value, (item) => pythonRepr(item, depth + 1)))}]`;
  const write = ([key, item]: [string, unknown]): string => `${stringRepr(key)}: ${pythonRepr(item, depth + 1)}`;
  return `{${joinItems(mapItems(Object.entries(value), write))}}`;
}
