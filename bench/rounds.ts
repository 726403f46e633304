/**
 * Rounds of load: every server once a round, in a new order each time, all of them alive from first to last.
 * @module
 */

import type { LoadPlan, LoadResult, Target, TargetPlan, Workshop } from "./load.ts";
import { compare, createRandom, median, shuffled } from "./stats.ts";
import { type Bound, digits, type Row } from "./table.ts";

/** Results of each server, one per round. */
export type Rounds = ReadonlyMap<string, readonly LoadResult[]>;

/** Loads every server once a round. */
export function runRounds(workshop: Workshop, targets: readonly Target[], plan: LoadPlan, rounds: number): Rounds {
  const random = createRandom(7);
  const results = new Map<string, LoadResult[]>(targets.map(({ name }) => [name, []]));
  for (let round = 0; round < rounds; round++) {
    for (const target of shuffled(targets, random)) results.get(target.name)?.push(workshop.load(target, plan));
  }
  return results;
}

/** One ratio that is asked for. */
export interface Question {
  readonly ours: string;
  readonly other: string;
  /** @default {"rate"} */
  readonly of?: "rate" | "cpuUs";
  readonly bound?: Bound;
}

/** Says in a table what is asked. */
export function labelOf({ ours, other, of = "rate" }: Question): string {
  return `${ours} / ${other}, ${of === "rate" ? "messages" : "CPU per message"}`;
}

/** Picks the servers that questions are about. */
export function plansFor(questions: readonly Question[], plans: readonly TargetPlan[]): TargetPlan[] {
  const names = new Set(questions.flatMap(({ ours, other }) => [ours, other]));
  return plans.filter(({ name }) => names.has(name));
}

/** Columns of {@linkcode answer}. */
export const LOAD_COLUMNS: readonly string[] = [
  "ratio",
  "ours /s",
  "other /s",
  "ours CPU us",
  "other CPU us",
  "ours p50/p99 us",
  "load share",
];

/** Answers the questions whose servers were there. */
export function answer(results: Rounds, questions: readonly Question[]): Row[] {
  return questions.flatMap((question): Row[] => {
    const { ours, other, of = "rate", bound } = question;
    const [mine, theirs] = [results.get(ours), results.get(other)];
    if (mine === undefined || theirs === undefined) return [];
    const middle = (list: readonly LoadResult[], key: keyof LoadResult) => median(list.map((result) => result[key]));
    const show = (list: readonly LoadResult[], key: keyof LoadResult) => digits(middle(list, key));
    return [{
      label: labelOf(question),
      details: [
        ...[show(mine, "rate"), show(theirs, "rate"), show(mine, "cpuUs"), show(theirs, "cpuUs")],
        `${middle(mine, "p50").toFixed(0)}/${middle(mine, "p99").toFixed(0)}`,
        `${middle(mine, "loadShare").toFixed(2)} / ${middle(theirs, "loadShare").toFixed(2)}`,
      ],
      summary: compare(mine.map((result) => result[of]), theirs.map((result) => result[of])),
      ...(bound === undefined ? {} : { bound }),
    }];
  });
}
