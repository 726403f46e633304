/**
 * Times the guards of every validator and `JSON.parse` on the same messages; prints one line of JSON.
 *
 *     deno|bun run bench/micro/guard.ts ROUNDS SAMPLE_MS
 * @module
 */

import process from "node:process";

import { brokenTexts, manySegments, seedTexts } from "../samples.ts";
import { type Case, measure, type Samples } from "./measure.ts";
import { createGuards, type Guard } from "./validators.ts";

/** Copies of each message, gone through in turn: few enough to stay in the cache, as what was just parsed is. */
const COPIES = 8;

function guardCase(guard: Guard, texts: readonly string[]): Case {
  const values: unknown[] = Array.from({ length: COPIES }, () => texts.map((text) => JSON.parse(text))).flat();
  return () => {
    let valid = 0;
    for (const value of values) if (guard(value)) valid++;
    return valid;
  };
}

function parseCase(texts: readonly string[]): Case {
  return () => {
    let last: unknown;
    for (let copy = 0; copy < COPIES; copy++) for (const text of texts) last = JSON.parse(text);
    return last;
  };
}

/** A validator that answers differently is not a peer. */
function checkAgreement(name: string, guard: Guard): void {
  const wrong = [...seedTexts, manySegments()].find((text) => !guard(JSON.parse(text))) ??
    brokenTexts.find((text) => guard(JSON.parse(text)));
  if (wrong !== undefined) throw new Error(`Cannot compare "${name}" as it must agree on ${wrong}`);
}

const [rounds = "11", sampleMs = "20"] = process.argv.slice(2);
const guards = createGuards();
for (const [name, guard] of Object.entries(guards)) checkAgreement(name, guard);
const sets = { seed: seedTexts, "50 segments": [manySegments()], invalid: brokenTexts };
const results: Record<string, Samples> = {};
for (const [set, texts] of Object.entries(sets)) {
  const cases: Record<string, Case> = { "JSON.parse": parseCase(texts) };
  for (const [name, guard] of Object.entries(guards)) cases[name] = guardCase(guard, texts);
  const perCall = COPIES * texts.length;
  const samples = measure(cases, { rounds: Number(rounds), sampleMs: Number(sampleMs) });
  results[set] = Object.fromEntries(
    Object.entries(samples).map(([name, values]) => [name, values.map((value) => value / perCall)]),
  );
}
// deno-lint-ignore no-console -- this is a program.
console.log(JSON.stringify(results));
