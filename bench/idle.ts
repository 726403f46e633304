/**
 * Idle connections: what 5,000 of them take of memory and of a core.
 * @module
 */

import {
  type LoadResult,
  nodePlan,
  oursPlan,
  plainPlan,
  pythonPlan,
  startTarget,
  type TargetPlan,
  Workshop,
} from "./load.ts";
import { type BenchOptions, RUNTIMES } from "./options.ts";
import { chatText } from "./samples.ts";
import { createRandom, shuffled, summarize } from "./stats.ts";
import { type Bound, type Row, table } from "./table.ts";

const CONNECTIONS = 5000;
/** A window as long as the pings of every server need to come round once. */
const CPU_MS = 62_000;
const SETTLE_MS = 1000;

const BOUNDS: Readonly<Record<string, { readonly memory: number; readonly cpu: number }>> = {
  "deno ours idle": { memory: 24, cpu: 1.1 },
  "bun ours idle": { memory: 4, cpu: 1.1 },
};

/** Every round has servers of its own: memory once taken is not given back. */
async function idleOnce(workshop: Workshop, plan: TargetPlan, runMs: number): Promise<LoadResult> {
  const target = await startTarget(plan);
  await using _process = target.process;
  const [connections, warmMs, payload] = [CONNECTIONS, SETTLE_MS, chatText];
  return workshop.load(target, { mode: "idle", connections, depth: 1, warmMs, runMs, payload });
}

/** Measures and lays out. */
export async function benchIdle({ rounds, loadMs, isShort }: BenchOptions): Promise<string> {
  using workshop = new Workshop();
  const plans = [
    ...RUNTIMES.flatMap((runtime) => [oursPlan(runtime, "idle"), plainPlan(runtime, "bare")]),
    ...nodePlan(workshop, "bare"),
    ...pythonPlan("idle"),
  ];
  const random = createRandom(13);
  const memory = new Map<string, number[]>(plans.map(({ name }) => [name, []]));
  for (let round = 0; round < rounds; round++) {
    for (const plan of shuffled(plans, random)) {
      const { emptyKb, fullKb } = await idleOnce(workshop, plan, 100);
      memory.get(plan.name)?.push((fullKb - emptyKb) / CONNECTIONS);
    }
  }
  const rows: Row[] = [];
  const bound = (value: number | undefined): { bound?: Bound } => {
    return value === undefined ? {} : { bound: { kind: "at most", value } };
  };
  for (const { name } of plans) {
    const summary = summarize(memory.get(name) ?? []);
    rows.push({ label: `${name}: kB each`, summary, ...bound(BOUNDS[name]?.memory) });
  }
  for (const plan of plans) {
    const { serverShare } = await idleOnce(workshop, plan, isShort ? loadMs : CPU_MS);
    const cpu = BOUNDS[plan.name]?.cpu;
    rows.push({ label: `${plan.name}: % of a core`, summary: summarize([serverShare * 100]), ...bound(cpu) });
  }
  return table(`Idle: ${CONNECTIONS} connections`, ["server"], rows);
}
