/**
 * 1 GB sent to a peer that never reads, in the ways such a peer can behave; beside it, the same to one that reads.
 * @module
 */

import { fileURLToPath } from "node:url";

import { type LineProcess, runtimeCommand } from "../../support/peers/process.ts";
import { Healthy } from "./healthy.ts";
import { pause } from "./pause.ts";
import type { Fed, FeederAnswers } from "./programs/feeder.ts";
import type { MuteAnswers } from "./programs/mute.ts";
import type { Lap } from "./programs/probe.ts";
import { type Check, count, mib, ms, type SoakContext, type SoakReport } from "./scenario.ts";
import { Vitals } from "./target.ts";
import { Worker } from "./worker.ts";

const FEEDER = fileURLToPath(new URL("programs/feeder.ts", import.meta.url));
const PLATFORM = "mute";
const MESSAGES = 1000;
const SIZE = 1_000_000;
const EVERY_MS = 10;
/** Seconds of quiet before, and between the end and the last look. */
const QUIET_SECONDS = 5;
/** `limits.queuedBytes` is 64 MiB by default; as much again is allowed for. */
const BOUND_MIB = 64 + 64;
/** The p99 of others, at most so many times what it is in quiet, or while the same is sent to a peer that reads. */
const SLOWER = 2;
/** The peak when everything happens again, at most so many times the first. */
const REUSE = 1.2;

/** How the peer behaves. */
interface Behaviour {
  readonly name: string;
  readonly isReading: boolean;
  /** What it does when it is given up: nothing, or it comes back, with or without having closed what it had. */
  readonly then: "stay" | "return" | "hoard";
}

const BEHAVIOURS: readonly Behaviour[] = [
  { name: "reads all", isReading: true, then: "stay" },
  { name: "mute, one connection", isReading: false, then: "stay" },
  { name: "mute, comes back when given up", isReading: false, then: "return" },
  { name: "mute, comes back, keeps the old ones open", isReading: false, then: "hoard" },
];

const COLUMNS = [
  "the peer",
  "queued / dropped / no route",
  "in",
  "RSS base / peak",
  "over base",
  "peak of a second time",
  "`connections` at the end",
  "RSS 5 s after it left, `connections`",
  "others: failed",
  "others: p99 idle / during (max)",
];

/** What was seen. */
interface Outcome {
  readonly fed: Fed;
  readonly base: number;
  readonly peak: number;
  /** When all of it happens once more on the same server; only of a peer that keeps its connections open. */
  readonly peakAgain: number | null;
  readonly connections: number;
  readonly rssAfter: number;
  readonly connectionsAfter: number;
  readonly idle: Lap;
  readonly during: Lap;
}

/** Starts the server; `onGivenUp` is called whenever a peer of it is. */
function startFeeder({ children, runtime }: SoakContext, onGivenUp: () => void): LineProcess {
  const onLine = (line: string): void => void (line === "given up" && onGivenUp());
  return children.spawn(...runtimeCommand(runtime, FEEDER), { onLine });
}

/** Comes whenever it is called, and knows when it has. */
class Mute implements AsyncDisposable {
  readonly #worker: Worker<MuteAnswers>;
  readonly #behaviour: Behaviour;
  #coming: Promise<void> = Promise.resolve();
  url = "";

  constructor(worker: Worker<MuteAnswers>, behaviour: Behaviour) {
    this.#worker = worker;
    this.#behaviour = behaviour;
  }

  come(): Promise<void> {
    const { isReading, then } = this.#behaviour;
    const arrival = { url: this.url, platform: PLATFORM, isReading, leavesFirst: then === "return" };
    return this.#coming = this.#worker.ask("come", arrival);
  }

  /** Does what it does when it is given up. One that fails to come back is missed by the feeder, which says so. */
  giveUp(): void {
    if (this.#behaviour.then !== "stay") this.come().catch(() => {});
  }

  async leave(): Promise<void> {
    await this.#coming.catch(() => {});
    await this.#worker.ask("leave", undefined);
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.#worker[Symbol.asyncDispose]();
  }
}

async function observe(behaviour: Behaviour, messages: number, context: SoakContext): Promise<Outcome> {
  const { isReading, then } = behaviour;
  await using mute = new Mute(context.children.load("mute"), behaviour);
  await using server = startFeeder(context, () => mute.giveUp());
  await using feeder = new Worker<FeederAnswers>(server);
  mute.url = (await server.line(/^url /, { timeoutMs: 60_000 })).slice("url ".length);
  await using healthy = await Healthy.start(context.children, { url: mute.url });
  const plan = { platform: PLATFORM, messages, size: SIZE, everyMs: EVERY_MS, isPatient: then !== "stay" };
  const feed = (): Promise<Fed> => feeder.ask("feed", plan, { timeoutMs: messages * 100 + 60_000 });
  await mute.come();
  const idle = await healthy.quiet(QUIET_SECONDS);
  const vitals = new Vitals(server.pid);
  vitals.resetPeak();
  const base = vitals.rss;
  const fed = await feed();
  const during = await healthy.lap();
  const { connections } = await feeder.ask("stats", undefined);
  const { peak } = vitals;
  if (!isReading) await mute.leave();
  await pause(QUIET_SECONDS * 1000);
  const { connections: connectionsAfter } = await feeder.ask("stats", undefined);
  const rssAfter = vitals.rss;
  let peakAgain: number | null = null;
  if (then === "hoard") {
    vitals.resetPeak();
    await mute.come();
    await feed();
    peakAgain = vitals.peak;
  }
  return { fed, base, peak, peakAgain, connections, rssAfter, connectionsAfter, idle, during };
}

function row({ name }: Behaviour, outcome: Outcome): string[] {
  const { fed, base, peak, peakAgain, connections, rssAfter, connectionsAfter, idle, during } = outcome;
  return [
    name,
    `${count(fed.queued)} / ${count(fed.dropped)} / ${count(fed.unrouted)}`,
    `${fed.seconds.toFixed(1)} s`,
    `${mib(base)} / ${mib(peak)} MiB`,
    `${mib(peak - base)} MiB`,
    peakAgain === null ? "" : `${mib(peakAgain)} MiB`,
    `${connections}`,
    `${mib(rssAfter)} MiB, ${connectionsAfter}`,
    `${during.failed} of ${count(during.failed + during.echoed)}`,
    `${ms(idle.p99)} / ${ms(during.p99)} (${ms(during.max)}) ms`,
  ];
}

/** What must hold whatever a peer does, and what one that keeps old connections open is excused from. */
function checksOf({ name, isReading, then }: Behaviour, outcome: Outcome, reading: Outcome): Check[] {
  const { base, peak, peakAgain, idle, during } = outcome;
  const alive: Check = { what: `${name}: no echo of the others failed`, isKept: during.failed === 0 };
  if (isReading) return [alive];
  if (then === "hoard") {
    const isReused = peakAgain !== null && peakAgain <= peak * REUSE;
    return [alive, { what: `${name}: once they are gone, their memory serves again`, isKept: isReused }];
  }
  const bound = Math.max(reading.during.p99 ?? NaN, idle.p99 ?? NaN) * SLOWER;
  return [
    alive,
    { what: `${name}: RSS at most ${BOUND_MIB} MiB over base`, isKept: peak - base <= BOUND_MIB },
    { what: `${name}: p99 of the others at most doubled (${ms(bound)} ms)`, isKept: (during.p99 ?? NaN) <= bound },
  ];
}

/** Runs it once; each behaviour has a server of its own. */
export async function stuck(context: SoakContext): Promise<SoakReport> {
  const { seconds = Infinity, say } = context;
  const messages = Math.min(MESSAGES, Math.ceil(seconds * 1000 / EVERY_MS));
  const rows: string[][] = [];
  const checks: Check[] = [];
  let reading: Outcome | undefined;
  for (const behaviour of BEHAVIOURS) {
    const outcome = await observe(behaviour, messages, context);
    reading ??= outcome;
    rows.push(row(behaviour, outcome));
    checks.push(...checksOf(behaviour, outcome, reading));
    say(rows.at(-1)?.join(" | ") ?? "");
  }
  return { columns: COLUMNS, rows, checks };
}
