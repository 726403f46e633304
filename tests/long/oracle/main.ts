/**
 * Runs over real sockets in which every message has to be accounted for: `deno task faults --oracle`, see there.
 * @module
 */

import process from "node:process";

import { currentRuntime } from "../../support/peers/process.ts";
import { type Judged, runOracle, tableOf } from "./campaign.ts";
import type { ServerName } from "./scenario.ts";

/** What is to be run in this runtime. */
export interface OraclePlan {
  readonly server: ServerName;
  readonly from: number;
  readonly runs: number;
  readonly width: number;
  /** Prints every run, and not only those that fail. */
  readonly isTraced: boolean;
}

/** Failures that are printed with their traces. */
const SHOWN = 5;
const PROGRESS_EVERY = 10_000;

const say = (line: string): void => void process.stdout.write(`${line}\n`);

function show({ scenario, violations, trace }: Judged): void {
  say(JSON.stringify(scenario));
  for (const line of trace) say(line);
  if (violations.length > 0) say(`seed ${scenario.seed} FAILED: ${violations.join("; ")}`);
}

/** Runs what is planned in this runtime and prints tables. Gives the number of runs in which something did not hold. */
export async function runPlan({ server, from, runs, width, isTraced }: OraclePlan): Promise<number> {
  let shown = 0;
  let last = performance.now();
  const result = await runOracle({
    server,
    from,
    runs,
    width,
    onJudged(run) {
      if (isTraced || (run.violations.length > 0 && shown++ < SHOWN)) show(run);
      else if (run.violations.length > 0) {
        say(`seed ${run.scenario.seed} FAILED: ${run.violations.join("; ").slice(0, 500)}`);
      }
    },
    onProgress({ runs: done, failed }) {
      if (performance.now() - last < PROGRESS_EVERY) return;
      last = performance.now();
      say(`${done} runs, ${failed} failed`);
    },
  });
  say(`--- client ${currentRuntime}, server ${server}, from seed ${from}`);
  for (const line of tableOf(result)) say(line);
  return result.failures.length;
}
