/**
 * 5,000 connections held while 500 a second come, get an echo and go: nothing is lost, nothing grows.
 * @module
 */

import { Healthy } from "./healthy.ts";
import type { CrowdAnswers } from "./programs/crowd.ts";
import type { VisitorAnswers } from "./programs/visitors.ts";
import { count, mib, ms, type SoakContext, type SoakReport } from "./scenario.ts";
import { Target } from "./target.ts";
import { Trend } from "./trend.ts";
import type { Worker } from "./worker.ts";

const HELD = 5000;
const PER_SECOND = 500;
const SECONDS = 120;
const QUIET_SECONDS = 3;
/** Resident memory late in a run as a share of that early in it. */
const GROWTH = 1.1;

const COLUMNS = [
  "held",
  "came and went",
  "for",
  "refused / no echo / close not answered",
  "at once",
  "held: lost, still echo",
  "`connections` after",
  "RSS early / late",
  "p99 before / during",
];

/** Runs it once. */
export async function churn({ runtime, seconds = SECONDS, children }: SoakContext): Promise<SoakReport> {
  await using target = await Target.start(children, runtime);
  await using crowd: Worker<CrowdAnswers> = children.load("crowd");
  await using visitors: Worker<VisitorAnswers> = children.load("visitors");
  const held = await crowd.ask("hold", { url: target.url, connections: HELD }, { timeoutMs: 120_000 });
  const healthy = await Healthy.start(children, target);
  await using _healthy = healthy;
  const before = await healthy.quiet(QUIET_SECONDS);
  using trend = new Trend(target.vitals);
  const plan = { url: target.url, perSecond: PER_SECOND, seconds };
  const visits = await visitors.ask("visit", plan, { timeoutMs: (seconds + 120) * 1000 });
  const [early, late] = [trend.median(0.15, 0.3), trend.median(0.9, 1)];
  const during = await healthy.lap();
  await healthy[Symbol.asyncDispose]();
  const after = await target.settled("connections", HELD, 15_000);
  const echoed = await crowd.ask("echo", undefined, { timeoutMs: 120_000 });
  const lost = await crowd.ask("lost", undefined);
  const { came, refused, unanswered, unclosed, atOnce } = visits;
  return {
    columns: COLUMNS,
    rows: [[
      count(held),
      `${count(came)}, ${count(came / visits.seconds)}/s`,
      `${visits.seconds.toFixed(0)} s`,
      `${refused} / ${unanswered} / ${unclosed}`,
      `${atOnce}`,
      `${lost}, ${count(echoed)}`,
      count(after),
      `${mib(early)} / ${mib(late)} MiB`,
      `${ms(before.p99)} / ${ms(during.p99)} ms`,
    ]],
    checks: [
      {
        what: `all ${count(HELD)} held and echoing at the end`,
        isKept: held === HELD && echoed === HELD && lost === 0,
      },
      { what: "no visitor refused, unanswered or not let go", isKept: refused + unanswered + unclosed === 0 },
      { what: `\`connections\` back to ${count(HELD)}`, isKept: after === HELD },
      { what: "RSS late at most 1.1 of early", isKept: late <= early * GROWTH },
      { what: "no echo of a healthy peer failed", isKept: during.failed === 0 },
    ],
  };
}
