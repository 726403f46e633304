/**
 * Broadcast: one message to 1,000 connections, in deliveries per second.
 * @module
 */

import { RawPeer } from "../tests/support/peers/raw.ts";
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
/** What must still be queued for a client at the end, or it had not stalled. */
const STALLED_BYTES = 1e6;

const withRaw = (raw_message: string): string => JSON.stringify({ ...JSON.parse(chatText), raw_message });

/** A client that never reads, and whose server queues for it. */
interface Stalled {
  readonly target: Target;
  readonly peer: RawPeer;
}

async function stall(target: Target): Promise<Stalled> {
  const url = `ws://127.0.0.1:${target.port}${target.path}`;
  const peer = await RawPeer.connect(url, { headers: [["platform", "stalled"]] });
  peer.pause();
  for (let sent = 0; sent < 3; sent++) peer.text(withRaw("x".repeat(STALLING_BYTES)));
  await peer.flushed({ timeoutMs: 10_000 });
  return { target, peer };
}

/** Throws unless the client is connected and has not read to this day. */
async function checkStalled({ target, peer }: Stalled): Promise<void> {
  peer.text(withRaw("how much?"));
  const line = await target.process.line(/^queued \d+$/, { timeoutMs: 10_000 });
  const queued = Number(line.slice("queued ".length));
  if (queued < STALLED_BYTES) throw new Error(`Cannot judge ${target.name} as it must still queue: ${queued} bytes`);
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
    const stalled = await Promise.all(targets.filter(({ name }) => name.endsWith(STALLED)).map(stall));
    const rows = answer(runRounds(workshop, targets, plan, rounds), questions);
    await Promise.all(stalled.map(checkStalled));
    for (const { peer } of stalled) peer.destroy();
    return table(`Broadcast to ${CONNECTIONS} connections: deliveries`, LOAD_COLUMNS, rows);
  });
}
