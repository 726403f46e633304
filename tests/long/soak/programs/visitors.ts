/**
 * Peers that come, get one echo and go; so many a second, however long each takes.
 * @module
 */

import { withTimeout } from "../../../support/peers/inbox.ts";
import { createMessage, seg } from "../../../../mod.ts";
import { pause } from "../pause.ts";
import { answerWith, openSocket } from "./answers.ts";

/** How many come, and for how long. */
export interface VisitPlan {
  readonly url: string;
  readonly perSecond: number;
  readonly seconds: number;
}

/** What became of them. */
export interface Visits {
  readonly came: number;
  readonly refused: number;
  /** Let in, but without an echo in ten seconds. */
  readonly unanswered: number;
  /** Whose close frame was not answered in ten seconds. */
  readonly unclosed: number;
  /** The most there were at one time. */
  readonly atOnce: number;
  readonly seconds: number;
}

/** What it answers. */
export interface VisitorAnswers {
  visit(plan: VisitPlan): Promise<Visits>;
}

const PATIENCE = 10_000;
/** Milliseconds between two looks at how many are due. */
const TICK = 5;

const counts = { came: 0, refused: 0, unanswered: 0, unclosed: 0, atOnce: 0 };
let inside = 0;

async function isSoon(promise: Promise<void>): Promise<boolean> {
  return await withTimeout(promise, PATIENCE, () => "the server").then(() => true, () => false);
}

async function visit(url: string, platform: string): Promise<void> {
  const socket = await openSocket(url, { platform }).catch(() => null); // counted below
  if (socket === null) return void counts.refused++;
  const echoed = Promise.withResolvers<void>();
  const closed = Promise.withResolvers<void>();
  socket.onmessage = () => echoed.resolve();
  socket.onclose = () => closed.resolve();
  socket.send(JSON.stringify(createMessage({ platform, user: "1" }, seg.text("hello"))));
  if (!await isSoon(echoed.promise)) counts.unanswered++;
  socket.close(1000);
  if (!await isSoon(closed.promise)) counts.unclosed++;
}

async function visitAndCount(url: string): Promise<void> {
  inside++;
  counts.atOnce = Math.max(counts.atOnce, inside);
  await visit(url, `visitor-${counts.came++}`);
  inside--;
}

await answerWith<VisitorAnswers>({
  async visit({ url, perSecond, seconds }) {
    const start = performance.now();
    for (let elapsed = 0; elapsed < seconds; elapsed = (performance.now() - start) / 1000) {
      while (counts.came < elapsed * perSecond) void visitAndCount(url); // never rejects
      await pause(TICK);
    }
    const taken = (performance.now() - start) / 1000;
    while (inside > 0) await pause(TICK); // at most three times PATIENCE
    return { ...counts, seconds: taken };
  },
});
