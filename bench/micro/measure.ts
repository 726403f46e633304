/**
 * Times small functions side by side in one process: warmed up, in rounds, in a new order each round.
 * @module
 */

import { createRandom, shuffled } from "../stats.ts";

/** Something to time; one call does the whole set once. */
export type Case = () => unknown;

/** How long to measure. */
export interface MeasureOptions {
  readonly rounds: number;
  /** Milliseconds of one sample. */
  readonly sampleMs: number;
}

/** Nanoseconds per call, one number per round, by name. */
export type Samples = Record<string, number[]>;

/** Keeps results alive, so that an engine can not skip the work. */
export const sink: { value: unknown } = { value: undefined };

function time(run: Case, calls: number): number {
  const start = performance.now();
  for (let call = 0; call < calls; call++) sink.value = run();
  return (performance.now() - start) * 1e6 / calls;
}

/** Runs long enough for the optimizing compiler, then says how many calls make one sample. */
function warmUp(run: Case, sampleMs: number): number {
  const until = performance.now() + Math.max(400, sampleMs * 4);
  let calls = 1;
  while (performance.now() < until) {
    time(run, calls);
    if (calls < 1000) calls *= 2;
  }
  const nanoseconds = time(run, calls);
  return Math.max(1, Math.round(sampleMs * 1e6 / nanoseconds));
}

/** Times every case once per round. */
export function measure(cases: Readonly<Record<string, Case>>, { rounds, sampleMs }: MeasureOptions): Samples {
  const random = createRandom(1);
  const calls = new Map(Object.entries(cases).map(([name, run]) => [name, warmUp(run, sampleMs)]));
  const samples: Samples = Object.fromEntries(Object.keys(cases).map((name) => [name, []]));
  for (let round = 0; round < rounds; round++) {
    for (const [name, run] of shuffled(Object.entries(cases), random)) {
      samples[name]?.push(time(run, calls.get(name) ?? 1));
    }
  }
  return samples;
}
