/**
 * Idle connections: what 5,000 of them take of memory and of a core.
 * @module
 */

import { readdirSync, readFileSync } from "node:fs";
import { setTimeout as wait } from "node:timers/promises";

import type { LineProcess } from "../tests/support/peers/process.ts";
import {
  type LoadPlan,
  nodePlan,
  oursPlan,
  plainPlan,
  pythonPlan,
  startTarget,
  type Target,
  type TargetPlan,
  withTargets,
  Workshop,
} from "./load.ts";
import { type BenchOptions, RUNTIMES } from "./options.ts";
import { chatText } from "./samples.ts";
import { compare, createRandom, shuffled, summarize } from "./stats.ts";
import { type Bound, type Row, table } from "./table.ts";

const CONNECTIONS = 5000;
/**
 * One window of CPU time. Python pings every connection every 30 s; `MessageServer` every 60 s on Deno, and here on Bun,
 * too (by default every 104 s). Connections come in two groups, one window apart: so each window has one ping of every
 * connection on Python, and of every other one on ours, wherever it starts. `ws` on Node pings nobody.
 */
const CPU_MS = 30_000;
const GROUPS = [2500, 2500];
const SETTLE_MS = 1000;
const CONNECT_MS = 120_000;

const BOUNDS: Readonly<Record<string, { readonly memory: number; readonly cpu: number }>> = {
  "deno ours idle": { memory: 24, cpu: 1.1 },
  "bun ours idle": { memory: 4, cpu: 1.1 },
};

function planOf(connections: number, warmMs: number, runMs: number): LoadPlan {
  return { mode: "idle", connections, depth: 1, warmMs, runMs, payload: chatText };
}

/** Takes the memory of a connection. Every round has servers of its own: memory once taken is not given back. */
async function memoryOf(workshop: Workshop, plan: TargetPlan): Promise<number> {
  const target = await startTarget(plan);
  await using _process = target.process;
  const { emptyKb, fullKb } = workshop.load(target, planOf(CONNECTIONS, SETTLE_MS, 100));
  return (fullKb - emptyKb) / CONNECTIONS;
}

async function measureMemory(
  workshop: Workshop,
  plans: readonly TargetPlan[],
  rounds: number,
): Promise<Map<string, number[]>> {
  const random = createRandom(13);
  const memory = new Map<string, number[]>(plans.map(({ name }) => [name, []]));
  for (let round = 0; round < rounds; round++) {
    for (const plan of shuffled(plans, random)) memory.get(plan.name)?.push(await memoryOf(workshop, plan));
  }
  return memory;
}

/** Nanoseconds of CPU of each thread that is alive. */
function threadTimes(pid: number): Map<string, number> {
  const times = new Map<string, number>();
  for (const thread of readdirSync(`/proc/${pid}/task`)) {
    try {
      const [spent] = readFileSync(`/proc/${pid}/task/${thread}/schedstat`, "utf8").split(" ");
      times.set(thread, Number(spent));
    } catch {
      // The thread has ended since it was listed.
    }
  }
  return times;
}

/** Takes the share of a core between two looks; what a thread did that ended in between is lost, at most. */
function shareBetween(before: ReadonlyMap<string, number>, after: ReadonlyMap<string, number>, ms: number): number {
  const spent = [...after].reduce((sum, [thread, time]) => sum + time - (before.get(thread) ?? 0), 0);
  return spent / (ms * 1e6);
}

/** Waits until every server has its connections. */
async function allConnected(targets: readonly Target[], loads: readonly LineProcess[]): Promise<void> {
  const start = performance.now();
  const isFull = ({ process: { pid } }: Target) => readdirSync(`/proc/${pid}/fd`).length >= CONNECTIONS;
  while (!targets.every(isFull)) {
    assertSilent(loads);
    if (performance.now() - start > CONNECT_MS) {
      throw new Error("Cannot measure as all connections must be open: timeout");
    }
    await wait(100);
  }
}

function assertSilent(loads: readonly LineProcess[]): void {
  const lines = loads.flatMap((load) => load.lines);
  if (lines.length > 0) throw new Error(`Cannot measure as connections must stay: ${lines.join("; ")}`);
}

/** Takes the CPU share of all servers in the same windows: side by side they disturb each other little, being idle. */
async function measureCpu(
  workshop: Workshop,
  targets: readonly Target[],
  { rounds, windowMs }: { rounds: number; windowMs: number },
): Promise<Map<string, number[]>> {
  await using stack = new AsyncDisposableStack();
  const loads: LineProcess[] = [];
  for (const [index, size] of GROUPS.entries()) {
    for (const target of targets) {
      // Python closes the older one of two connections of one name, as the groups have them.
      const count = target.name !== "python idle" ? size : index === 0 ? CONNECTIONS : 0;
      const plan = planOf(count, 0, CONNECT_MS + (rounds + 10) * windowMs);
      if (count > 0) loads.push(stack.use(workshop.startLoad(target, plan)));
    }
    await wait(windowMs); // after the last group: what connecting leaves behind is cleared away
  }
  await allConnected(targets, loads);
  await wait(windowMs / 2); // pings come whole windows after connecting: not where one window ends and the next begins
  const look = () => targets.map(({ process }) => ({ time: performance.now(), threads: threadTimes(process.pid) }));
  const shares = new Map<string, number[]>(targets.map(({ name }) => [name, []]));
  let before = look();
  for (let round = 0; round < rounds; round++) {
    await wait(windowMs);
    const after = look();
    targets.forEach(({ name }, index) => {
      const [from, to] = [before[index], after[index]];
      if (from === undefined || to === undefined) return;
      shares.get(name)?.push(shareBetween(from.threads, to.threads, to.time - from.time) * 100);
    });
    before = after;
  }
  assertSilent(loads);
  return shares;
}

function rowsOf(
  unit: string,
  results: ReadonlyMap<string, readonly number[]>,
  boundOf: (name: string) => number | undefined,
): Row[] {
  const each = [...results].map(([name, values]): Row => {
    const value = boundOf(name);
    const bound: Bound | undefined = value === undefined ? undefined : { kind: "at most", value };
    return { label: `${name}: ${unit}`, summary: summarize(values), ...(bound === undefined ? {} : { bound }) };
  });
  const ratios = RUNTIMES.map((runtime): Row => {
    const [ours, bare] = [results.get(`${runtime} ours idle`) ?? [], results.get(`${runtime} idle`) ?? []];
    return { label: `${runtime} ours / bare: ${unit}, ratio`, summary: compare(ours, bare) };
  });
  return [...each, ...ratios];
}

/** Measures and lays out. */
export async function benchIdle({ rounds, loadMs, isShort }: BenchOptions): Promise<string> {
  using workshop = new Workshop();
  const plans = [
    ...RUNTIMES.flatMap((runtime) => [oursPlan(runtime, "idle"), plainPlan(runtime, "idle")]),
    ...nodePlan(workshop, "idle"),
    ...pythonPlan("idle"),
  ];
  const memory = await measureMemory(workshop, plans, rounds);
  const windowMs = isShort ? loadMs : CPU_MS;
  const cpu = await withTargets(plans, (targets) => measureCpu(workshop, targets, { rounds, windowMs }));
  const rows = [
    ...rowsOf("kB each", memory, (name) => BOUNDS[name]?.memory),
    ...rowsOf("% of a core", cpu, (name) => BOUNDS[name]?.cpu),
  ];
  return table(`Idle: ${CONNECTIONS} connections`, ["server"], rows);
}
