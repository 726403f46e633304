/**
 * Broadcast: one message to 1,000 connections, in deliveries per second.
 * @module
 */

import { RawPeer } from "../tests/peers/raw.ts";
import {
  type LoadPlan,
  nodePlan,
  oursPlan,
  plainPlan,
  pythonPlan,
  type Target,
  withTargets,
  Workshop,
} from "./load.ts";
import { type BenchOptions, RUNTIMES } from "./options.ts";
import { answer, labelOf, LOAD_COLUMNS, plansFor, type Question, runRounds } from "./rounds.ts";
import { chatText } from "./samples.ts";
import { table } from "./table.ts";

const CONNECTIONS = 1000;
const STALLED = "broadcast, one stalled";
/** More than the kernels of both sides take, and less than a server queues. */
const STALLING_BYTES = 12e6;

/** Connects a client that never reads to each server that is to have one, and makes the server queue for it. */
async function stall(targets: readonly Target[]): Promise<RawPeer[]> {
  return await Promise.all(
    targets.filter(({ name }) => name.endsWith(STALLED)).map(async ({ port, path }) => {
      const peer = await RawPeer.connect(`ws://127.0.0.1:${port}${path}`, { headers: [["platform", "stalled"]] });
      peer.pause();
      const big = chatText.replace('"raw_message":"string"', `"raw_message":"${"x".repeat(STALLING_BYTES)}"`);
      for (let sent = 0; sent < 3; sent++) peer.text(big);
      await peer.flushed({ timeoutMs: 10_000 });
      return peer;
    }),
  );
}

/** Measures and lays out. */
export async function benchBroadcast({ rounds, loadMs, only }: BenchOptions): Promise<string> {
  using workshop = new Workshop();
  const plans = [
    ...RUNTIMES.flatMap((runtime) => [
      plainPlan(runtime, "broadcast"),
      oursPlan(runtime, "broadcast"),
      { ...oursPlan(runtime, "broadcast"), name: `${runtime} ours ${STALLED}` },
    ]),
    ...nodePlan(workshop, "broadcast"),
    ...pythonPlan("broadcast"),
  ];
  const questions = RUNTIMES.flatMap((runtime): Question[] => [
    { ours: `${runtime} ours broadcast`, other: `${runtime} broadcast`, bound: { kind: "at least", value: 0.95 } },
    { ours: `${runtime} ours broadcast`, other: "node ws broadcast" },
    { ours: `${runtime} ours broadcast`, other: "python broadcast", bound: { kind: "at least", value: 2.5 } },
    {
      ours: `${runtime} ours ${STALLED}`,
      other: `${runtime} ours broadcast`,
      bound: { kind: "at least", value: 0.95 },
    },
  ]).filter((question) => labelOf(question).includes(only));
  return await withTargets(plansFor(questions, plans), async (targets) => {
    const plan: LoadPlan = {
      mode: "broadcast",
      connections: CONNECTIONS,
      depth: 1,
      warmMs: loadMs / 3,
      runMs: loadMs,
      payload: chatText,
    };
    const stalled = await stall(targets);
    const rows = answer(runRounds(workshop, targets, plan, rounds), questions);
    for (const peer of stalled) peer.destroy();
    return table(`Broadcast to ${CONNECTIONS} connections: deliveries`, LOAD_COLUMNS, rows);
  });
}
