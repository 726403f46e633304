/**
 * Broadcast: one message to 1,000 connections, in deliveries per second.
 * @module
 */

import { type LoadPlan, nodePlan, oursPlan, plainPlan, pythonPlan, withTargets, Workshop } from "./load.ts";
import { type BenchOptions, RUNTIMES } from "./options.ts";
import { answer, labelOf, LOAD_COLUMNS, plansFor, type Question, runRounds } from "./rounds.ts";
import { chatText } from "./samples.ts";
import { table } from "./table.ts";

const CONNECTIONS = 1000;

/** Measures and lays out. */
export async function benchBroadcast({ rounds, loadMs, only }: BenchOptions): Promise<string> {
  using workshop = new Workshop();
  const plans = [
    ...RUNTIMES.flatMap((runtime) => [plainPlan(runtime, "broadcast"), oursPlan(runtime, "broadcast")]),
    ...nodePlan(workshop, "broadcast"),
    ...pythonPlan("broadcast"),
  ];
  const questions = RUNTIMES.flatMap((runtime): Question[] => [
    { ours: `${runtime} ours broadcast`, other: `${runtime} broadcast`, bound: { kind: "at least", value: 0.95 } },
    { ours: `${runtime} ours broadcast`, other: "node ws broadcast" },
    { ours: `${runtime} ours broadcast`, other: "python broadcast", bound: { kind: "at least", value: 2.5 } },
  ]).filter((question) => labelOf(question).includes(only));
  return await withTargets(plansFor(questions, plans), (targets) => {
    const plan: LoadPlan = {
      mode: "broadcast",
      connections: CONNECTIONS,
      depth: 1,
      warmMs: loadMs / 3,
      runMs: loadMs,
      payload: chatText,
    };
    const rows = answer(runRounds(workshop, targets, plan, rounds), questions);
    return table(`Broadcast to ${CONNECTIONS} connections: deliveries`, LOAD_COLUMNS, rows);
  });
}
