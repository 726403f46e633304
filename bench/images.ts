/**
 * Images: one of 1 MB and one of 10 MB there and back, both ends of the same kind, in MB/s of image.
 * @module
 */

import process from "node:process";

import { oursPlan, pythonPlan, type Target, type TargetPlan, withTargets } from "./load.ts";
import { type BenchOptions, outputOf, pathOf, pinned, RUNTIMES, scriptCommand } from "./options.ts";
import { compare, createRandom, median, shuffled } from "./stats.ts";
import { type Bound, digits, type Row, table } from "./table.ts";

const MEGABYTE = 1e6;

/** Two ends that are measured together. */
interface Pair {
  readonly plan: TargetPlan;
  readonly client: readonly string[];
  /** How many times Python to Python the 1 MB image must go. */
  readonly atLeast?: number;
}

const pythonClient: readonly string[] = [process.env.MAIM_PYTHON ?? "", "-B", pathOf("servers/image_client.py")];

/** Python on one end only; on Bun also as it would be with the compression that its WebSocket offers by default. */
function mixedPairs(): Pair[] {
  return pythonPlan("echo").flatMap((python): Pair[] => {
    const script = "servers/image_client.ts";
    return [
      { plan: { ...oursPlan("deno", "echo"), name: "python to deno ours" }, client: pythonClient, atLeast: 5 },
      { plan: { ...python, name: "bun ours to python" }, client: scriptCommand("bun", script, []) },
      { plan: { ...python, name: "bun compressed to python" }, client: scriptCommand("bun", script, ["compressed"]) },
    ];
  });
}

function pairs(): Pair[] {
  const client = "servers/image_client";
  return [
    ...RUNTIMES.flatMap((runtime): Pair[] => [
      {
        plan: oursPlan(runtime, "echo"),
        client: scriptCommand(runtime, `${client}.ts`, []),
        atLeast: runtime === "deno" ? 15 : 25,
      },
      { plan: oursPlan(runtime, "forward"), client: scriptCommand(runtime, `${client}.ts`, []) },
    ]),
    ...pythonPlan("echo").map((plan): Pair => ({ plan, client: pythonClient })),
    ...mixedPairs(),
  ];
}

/** One ratio that is asked for. */
interface Question {
  readonly ours: string;
  readonly other: string;
  readonly label: string;
  readonly bound?: Bound;
}

function questionsOf(all: readonly Pair[], megabytes: number): Question[] {
  const [python, forward] = ["python echo", "ours forward"];
  return [
    ...all.filter(({ plan: { name } }) => name !== python).map(({ plan: { name }, atLeast }): Question => ({
      ...{ ours: name, other: python, label: `${name} / python to python` },
      ...(atLeast !== undefined && megabytes === 1 ? { bound: { kind: "at least", value: atLeast } } : {}),
    })),
    ...RUNTIMES.map((runtime): Question => {
      const [ours, other] = [`${runtime} ${forward}`, `${runtime} ours echo`];
      return { ours, other, label: `${ours} / echo` };
    }),
    {
      ...{ ours: "bun ours to python", other: "bun compressed to python", label: "bun ours to python / compressed" },
      ...(megabytes === 1 ? { bound: { kind: "at least", value: 5 } } : {}),
    },
  ];
}

function rateOf({ port, path }: Target, client: readonly string[], bytes: number, runMs: number): number {
  const args = [`ws://127.0.0.1:${port}${path}`, `${bytes}`, `${runMs / 3}`, `${runMs}`];
  const line = outputOf(pinned(1, [...client, ...args])).split("\n").findLast((line) => line.startsWith("rate "));
  return Number(line?.slice(5));
}

/** Measures and lays out. */
export async function benchImages({ rounds, loadMs }: BenchOptions): Promise<string> {
  const all = pairs();
  return await withTargets(all.map(({ plan }) => plan), (targets) => {
    const random = createRandom(11);
    const rows = [1, 10].flatMap((megabytes): Row[] => {
      const rates = new Map<string, number[]>(targets.map(({ name }) => [name, []]));
      for (let round = 0; round < rounds; round++) {
        for (const index of shuffled([...all.keys()], random)) {
          const [target, pair] = [targets[index] as Target, all[index] as Pair]; // an index of both
          rates.get(target.name)?.push(rateOf(target, pair.client, megabytes * MEGABYTE, loadMs));
        }
      }
      return questionsOf(all, megabytes).flatMap(({ ours, other, label, bound }): Row[] => {
        const [mine, theirs] = [rates.get(ours), rates.get(other)];
        if (mine === undefined || theirs === undefined) return [];
        return [{
          label: `${megabytes} MB: ${label}`,
          details: [digits(median(mine)), digits(median(theirs))],
          summary: compare(mine, theirs),
          ...(bound === undefined ? {} : { bound }),
        }];
      });
    });
    return table("Images there and back", ["ratio", "ours MB/s", "other MB/s"], rows);
  });
}
