/**
 * Times `decodeMessage` and `encodeMessage` against plain JSON; prints one line of JSON.
 *
 *     deno|bun run bench/micro/codec.ts ROUNDS SAMPLE_MS
 * @module
 */

import process from "node:process";

import { decodeMessage, encodeMessage } from "../../codec.ts";
import { chatText, imageText, manySegments, seedTexts } from "../samples.ts";
import { type Case, measure, type Samples } from "./measure.ts";

function each<T>(items: readonly T[], act: (item: T) => unknown): Case {
  return () => {
    let last: unknown;
    for (const item of items) last = act(item);
    return last;
  };
}

const [rounds = "11", sampleMs = "20"] = process.argv.slice(2);
const sets = {
  chat: [chatText],
  seed: seedTexts,
  "50 segments": [manySegments()],
  "1 MB image": [imageText(2 ** 20)],
};
const results: Record<string, Samples> = {};
for (const [set, texts] of Object.entries(sets)) {
  const messages = texts.map((text) => decodeMessage(text));
  const cases: Record<string, Case> = {
    "JSON.parse": each(texts, (text) => JSON.parse(text)),
    decodeMessage: each(texts, (text) => decodeMessage(text)),
    "JSON.stringify": each(messages, (message) => JSON.stringify(message)),
    encodeMessage: each(messages, (message) => encodeMessage(message)),
  };
  const samples = measure(cases, { rounds: Number(rounds), sampleMs: Number(sampleMs) });
  results[set] = Object.fromEntries(
    Object.entries(samples).map(([name, values]) => [name, values.map((value) => value / texts.length)]),
  );
}
// deno-lint-ignore no-console -- this is a program.
console.log(JSON.stringify(results));
