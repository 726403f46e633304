/**
 * Start-up: importing the module, and the time from the start of a process until it listens.
 * @module
 */

import { writeFileSync } from "node:fs";

import { oursPlan, plainPlan, pythonPlan, startTarget, type TargetPlan, Workshop } from "./load.ts";
import { type BenchOptions, outputOf, pinned, RUNTIMES } from "./options.ts";
import { runtimeProgram } from "../tests/support/peers/process.ts";
import { compare, createRandom, median, shuffled } from "./stats.ts";
import { digits, type Row, table } from "./table.ts";

type Timed = () => void | Promise<void>;

/** Times each once a round, in milliseconds. */
async function timeAll(cases: ReadonlyMap<string, Timed>, rounds: number): Promise<Map<string, number[]>> {
  const random = createRandom(17);
  const times = new Map<string, number[]>([...cases.keys()].map((name) => [name, []]));
  for (const run of cases.values()) await run(); // caches are warm, as at every start but the first
  for (let round = 0; round < rounds; round++) {
    for (const [name, run] of shuffled([...cases], random)) {
      const start = performance.now();
      await run();
      times.get(name)?.push(performance.now() - start);
    }
  }
  return times;
}

async function startAndEnd(plan: TargetPlan): Promise<void> {
  await using _process = (await startTarget(plan)).process;
}

/** Measures and lays out. */
export async function benchStartup({ rounds }: BenchOptions): Promise<string> {
  using workshop = new Workshop();
  const cases = new Map<string, Timed>();
  for (const runtime of RUNTIMES) {
    const empty = workshop.path("empty.ts");
    const full = workshop.path("import.ts");
    writeFileSync(empty, "export {};\n");
    writeFileSync(full, `import ${JSON.stringify(new URL("../mod.ts", import.meta.url).href)};\n`);
    const run = (script: string) => () => void outputOf(pinned(0, [runtimeProgram(runtime), "run", script]));
    cases.set(`${runtime} empty script`, run(empty));
    cases.set(`${runtime} import of mod.ts`, run(full));
  }
  const times = await timeAll(cases, rounds);
  const plans = [
    ...RUNTIMES.flatMap((runtime) => [oursPlan(runtime, "echo"), plainPlan(runtime, "bare")]),
    ...pythonPlan("echo"),
  ];
  // The end of a process is in the time of each: it is killed, which takes next to nothing.
  const listening = await timeAll(new Map(plans.map((plan) => [plan.name, () => startAndEnd(plan)])), rounds);
  const row = (ours: readonly number[] = [], other: readonly number[] = [], label: string, bound?: number): Row => ({
    label,
    details: [digits(median(ours)), digits(median(other))],
    summary: compare(ours, other),
    ...(bound === undefined ? {} : { bound: { kind: "at most", value: bound } }),
  });
  const rows = RUNTIMES.flatMap((runtime): Row[] => {
    const [imported, empty] = [times.get(`${runtime} import of mod.ts`), times.get(`${runtime} empty script`)];
    const [ours, bare] = [listening.get(`${runtime} ours echo`), listening.get(`${runtime} bare`)];
    const python = listening.get("python echo");
    return [
      row(imported, empty, `${runtime}: import of mod.ts / empty script`, 1.15),
      row(ours, bare, `${runtime}: start to listening / bare server`),
      ...(python === undefined ? [] : [row(ours, python, `${runtime}: start to listening / python`, 0.15)]),
    ];
  });
  return table("Start-up: time, less is better", ["ratio", "ours ms", "other ms"], rows);
}
