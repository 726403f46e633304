/**
 * The vectors beside this file: conversions recorded from the reference library, and the examples of the seed.
 * @module
 */

import { readFileSync } from "node:fs";

/** One conversion of maim_message 0.6.8, MessageBase.from_dict and to_dict; 0.3.0 and 0.5.4 are in the file, too. */
export interface RoundtripVector {
  /** What the row is about. */
  readonly name: string;
  /** The message as it stands in the file, digit for digit. */
  readonly inputText: string;
  /** What the Python client then put on the wire; null where Python refused. */
  readonly wireText: string | null;
}

/** The JSON examples of websocket_api.zh.md: comments cut, `[...]` replaced by `[]`. */
export interface SeedVectors {
  /** The basic structure and the three complete messages. */
  readonly messages: Readonly<Record<string, unknown>>;
  /** The snippets of the six segment types. */
  readonly segments: Readonly<Record<string, unknown>>;
}

function readVector(name: string): string {
  return readFileSync(new URL(`vectors/${name}`, import.meta.url), "utf8");
}

/** Cuts the source of one member out of an object's text: parsing it would round its numbers. */
function memberText(text: string, key: string): string {
  const start = text.indexOf(`"${key}": `) + `"${key}": `.length;
  let depth = 0;
  let isQuoted = false;
  for (let index = start; index < text.length; index++) {
    const char = text.charAt(index);
    if (isQuoted && char === "\\") index++;
    else if (char === '"') isQuoted = !isQuoted;
    else if (isQuoted) continue;
    else if ("[{".includes(char)) depth++;
    else if ("]}".includes(char)) depth--;
    else if (char === "," && depth === 0) return text.slice(start, index);
  }
  throw new Error(`Cannot read vectors as '${key}' must be followed by another member`);
}

function parseRow(line: string): RoundtripVector {
  const row: { name: string; wire_text_client?: string } = JSON.parse(line);
  return { name: row.name, inputText: memberText(line, "input"), wireText: row.wire_text_client ?? null };
}

/** The rows of `legacy_roundtrip.jsonl`. */
export const roundtripVectors: readonly RoundtripVector[] = readVector("legacy_roundtrip.jsonl").trim().split("\n")
  .map(parseRow);

/** The examples of the seed. */
export const seedVectors: SeedVectors = JSON.parse(readVector("seed_messages.json"));
