/**
 * The bulk of the load: lanes that keep so many messages under way, or send so many a second.
 * @module
 */

import process from "node:process";

import { pause } from "../pause.ts";
import { answerWith } from "./answers.ts";
import { Lane, type LaneCounts } from "./lane.ts";

/** As much as the server takes. */
export interface ClosedLoad {
  readonly depth: number;
  readonly seconds: number;
}

/** So many a second, whether or not answers come. */
export interface OpenLoad {
  readonly perSecond: number;
  readonly seconds: number;
  /** Seconds after which a connection is closed and made again. */
  readonly lifeSeconds: number;
}

/** What one load has counted. */
export interface LoadResult extends LaneCounts {
  readonly seconds: number;
  /** Seconds of a core that this process used. */
  readonly cpu: number;
  /** Milliseconds between the two looks at the clock that were farthest apart: what was due then came in one burst. */
  readonly gapMs: number;
}

/** What it answers. */
export interface BulkAnswers {
  connect(plan: { readonly url: string; readonly lanes: number }): Promise<void>;
  closed(load: ClosedLoad): Promise<LoadResult>;
  open(load: OpenLoad): Promise<LoadResult>;
}

/** Milliseconds between two looks at how many are due. */
const TICK = 5;
const PATIENCE = 10_000;

const none: LaneCounts = { sent: 0, echoed: 0, lost: 0, wrong: 0, returns: 0, falls: 0 };
const counts: LaneCounts = { ...none };
const lanes: Lane[] = [];
/** Lanes that are being closed and made again. */
const turns = new Set<Promise<void>>();
let depth = 0;
let gapMs = 0;

function onEchoes(lane: Lane, count: number): void {
  if (depth > 0 && lane.isOpen) lane.send(count);
}

/** Runs a load and tells what it has counted, once everything has come back or was waited for. */
async function measured(load: () => Promise<void>): Promise<LoadResult> {
  const before = { ...counts };
  gapMs = 0;
  const [start, cpu] = [performance.now(), process.cpuUsage()];
  await load();
  const seconds = (performance.now() - start) / 1000;
  const { user, system } = process.cpuUsage(cpu);
  await Promise.all(turns); // each is bounded
  const late = performance.now() + PATIENCE;
  while (lanes.some(({ underWay }) => underWay > 0) && performance.now() < late) await pause(TICK);
  const gains = Object.entries(none).map(([name]) => {
    const key = name as keyof LaneCounts; // from the object above
    return [key, counts[key] - before[key]];
  });
  return { ...none, ...Object.fromEntries(gains), seconds, cpu: (user + system) / 1e6, gapMs };
}

async function reopen(lane: Lane): Promise<void> {
  await lane.leave();
  // One that is refused is tried again at its next turn.
  await lane.open().catch(() => void counts.falls++);
}

function takeTurn(lane: Lane): void {
  const turn = reopen(lane).finally(() => turns.delete(turn));
  turns.add(turn);
}

function sendShares(due: number): number {
  const open = lanes.filter(({ isOpen }) => isOpen);
  let sent = 0;
  for (const [index, lane] of open.entries()) {
    const share = Math.floor((due + index) / open.length);
    if (share > 0) lane.send(share);
    sent += share;
  }
  return sent;
}

/** Sends what is due by the clock, whether or not answers come, and has lanes take turns in coming back. */
async function sendByClock({ perSecond, seconds, lifeSeconds }: OpenLoad): Promise<void> {
  const start = performance.now();
  let [sent, ended, last] = [0, 0, 0];
  for (let elapsed = 0; elapsed < seconds; elapsed = (performance.now() - start) / 1000) {
    gapMs = Math.max(gapMs, (elapsed - last) * 1000);
    last = elapsed;
    sent += sendShares(Math.floor(elapsed * perSecond) - sent);
    // One after another, so that each lives that long.
    for (; ended < elapsed / lifeSeconds * lanes.length; ended++) {
      const lane = lanes[ended % lanes.length];
      if (lane?.isOpen) takeTurn(lane);
    }
    await pause(TICK);
  }
}

await answerWith<BulkAnswers>({
  async connect({ url, lanes: count }) {
    for (let index = 0; index < count; index++) {
      const lane = new Lane(url, `lane-${index}`, counts, onEchoes);
      await lane.open();
      lanes.push(lane);
    }
  },
  closed: (load) =>
    measured(async () => {
      depth = load.depth;
      for (const lane of lanes) lane.send(depth);
      await pause(load.seconds * 1000);
      depth = 0;
    }),
  open: (load) => measured(() => sendByClock(load)),
});
