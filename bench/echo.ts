/**
 * Echo: the seed's first message there and back, against the bare runtimes, `ws` on Node, and Python.
 * @module
 */

import { nodePlan, oursPlan, plainPlan, pythonPlan, withTargets, Workshop } from "./load.ts";
import { type BenchOptions, RUNTIMES } from "./options.ts";
import { answer, labelOf, LOAD_COLUMNS, plansFor, type Question, runRounds } from "./rounds.ts";
import { chatText } from "./samples.ts";
import type { Bound } from "./table.ts";
import { table } from "./table.ts";

/** Connections and messages under way on each. */
const SHAPES = [[1, 1], [10, 32], [100, 1]] as const;

/** How many times the messages of Python, per shape. */
const AGAINST_PYTHON: Readonly<Record<string, Readonly<Record<string, number>>>> = {
  deno: { "10x32": 8, "100x1": 7 },
  bun: { "10x32": 25, "100x1": 9 },
};

const atLeast = (value: number | undefined): { bound?: Bound } =>
  value === undefined ? {} : { bound: { kind: "at least", value } };

function questionsOf(shape: string, only: string): Question[] {
  const isBounded = shape !== "1x1";
  const all = RUNTIMES.flatMap((runtime): Question[] => [
    { ours: `${runtime} ours echo`, other: `${runtime} json`, ...atLeast(isBounded ? 0.95 : undefined) },
    { ours: `${runtime} ours echo`, other: `${runtime} json`, of: "cpuUs" },
    { ours: `${runtime} ours forward`, other: `${runtime} guard`, ...atLeast(isBounded ? 0.95 : undefined) },
    { ours: `${runtime} ours forward`, other: `${runtime} guard`, of: "cpuUs" },
    { ours: `${runtime} ours echo`, other: `${runtime} bare` },
    {
      ...{ ours: `${runtime} ours echo`, other: `${runtime} bare`, of: "cpuUs" },
      ...(runtime === "deno" && isBounded ? { bound: { kind: "at most", value: 1.35 } } : {}),
    },
    { ours: `${runtime} ours echo`, other: "node ws json" },
    { ours: `${runtime} ours echo`, other: "python echo", ...atLeast(AGAINST_PYTHON[runtime]?.[shape]) },
  ]);
  return all.filter((question) => labelOf(question).includes(only));
}

/** Measures and lays out. */
export async function benchEcho({ rounds, loadMs, only }: BenchOptions): Promise<string> {
  using workshop = new Workshop();
  const payload = chatText.replaceAll('"platform":"qq"', '"platform":"p00000"');
  const plans = [
    ...RUNTIMES.flatMap((runtime) => [
      ...["bare", "json", "guard"].map((mode) => plainPlan(runtime, mode)),
      ...["echo", "forward"].map((mode) => oursPlan(runtime, mode)),
    ]),
    ...["bare", "json"].flatMap((mode) => nodePlan(workshop, mode)),
    ...pythonPlan("echo"),
  ];
  return await withTargets(plansFor(questionsOf("", only), plans), (targets) => {
    const tables = SHAPES.map(([connections, depth]) => {
      const shape = `${connections}x${depth}`;
      const plan = { mode: "echo", connections, depth, warmMs: loadMs / 3, runMs: loadMs, payload } as const;
      const rows = answer(runRounds(workshop, targets, plan, rounds), questionsOf(shape, only));
      return table(`Echo ${shape} (connections x messages under way)`, LOAD_COLUMNS, rows);
    });
    return tables.join("\n");
  });
}
