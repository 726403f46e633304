/**
 * Sending: a message with an image and a Chinese nickname, built from bytes and sent by a server, against `toBase64`
 * and `JSON.stringify` on the bare runtime.
 * @module
 */

import { oursPlan, plainPlan, withTargets, Workshop } from "./load.ts";
import { type BenchOptions, RUNTIMES } from "./options.ts";
import { answer, LOAD_COLUMNS, type Question, runRounds } from "./rounds.ts";
import { chatText } from "./samples.ts";
import { table } from "./table.ts";

const MEGABYTES = [1, 10] as const;

/** Each message asks for one image; with two under way the server is never idle. */
const [CONNECTIONS, DEPTH] = [2, 2] as const;

const AT_LEAST = { deno: { 1: 1.35, 10: 3 }, bun: { 1: 1.3, 10: 1.5 } } as const;

/** Measures and lays out. */
export async function benchSend({ rounds, loadMs }: BenchOptions): Promise<string> {
  using workshop = new Workshop();
  const plan = { mode: "echo", connections: CONNECTIONS, depth: DEPTH, warmMs: loadMs / 3, runMs: loadMs } as const;
  const tables: string[] = [];
  for (const megabytes of MEGABYTES) {
    const mode = `image${megabytes}`;
    const plans = RUNTIMES.flatMap((runtime) => [oursPlan(runtime, mode), plainPlan(runtime, mode)]);
    const questions = RUNTIMES.map((runtime): Question => ({
      ...{ ours: `${runtime} ours ${mode}`, other: `${runtime} ${mode}` },
      bound: { kind: "at least", value: AT_LEAST[runtime][megabytes] },
    }));
    const rows = await withTargets(plans, (targets) => {
      return answer(runRounds(workshop, targets, { ...plan, payload: chatText }, rounds), questions);
    });
    tables.push(table(`Sending images of ${megabytes} MB`, LOAD_COLUMNS, rows));
  }
  return tables.join("\n");
}
