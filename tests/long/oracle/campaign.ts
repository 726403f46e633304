/**
 * Many runs, several at a time, and the tables of what came of them.
 * @module
 */

import { type Counts, newCounts } from "./ledger.ts";
import { runScenario } from "./run.ts";
import { drawScenario, type Scenario, type ServerName } from "./scenario.ts";
import { PythonHosts } from "./servers.ts";

/** A run that is over. */
export interface Judged {
  readonly scenario: Scenario;
  readonly violations: readonly string[];
  readonly trace: readonly string[];
}

/** Options of {@linkcode runOracle}. */
export interface OracleOptions {
  readonly server: ServerName;
  /** First seed. */
  readonly from: number;
  readonly runs: number;
  /** Runs at a time. */
  readonly width: number;
  readonly onJudged?: (run: Judged) => void;
  readonly onProgress?: (counts: Counts) => void;
}

/** What many runs came to. */
export interface OracleResult {
  readonly counts: Counts;
  /** Runs in which something did not hold. */
  readonly failures: readonly Judged[];
  readonly seconds: number;
}

/** Runs scenarios against one kind of server. */
export async function runOracle(options: OracleOptions): Promise<OracleResult> {
  const { server, from, runs, width, onJudged = () => {}, onProgress = () => {} } = options;
  const began = performance.now();
  const counts = newCounts();
  const failures: Judged[] = [];
  await using hosts = server === "python" ? await PythonHosts.start() : null;
  let next = from;
  const work = async () => {
    while (next < from + runs) {
      const scenario = drawScenario(next++, server);
      const { violations, trace } = await runScenario(scenario, hosts, counts);
      const run = { scenario, violations, trace };
      if (violations.length > 0) failures.push(run);
      onJudged(run);
      onProgress(counts);
    }
  };
  await Promise.all(Array.from({ length: width }, work));
  if (hosts !== null && hosts.late > 0) throw new Error(`${hosts.late} messages came after the end of their runs`);
  return { counts, failures, seconds: (performance.now() - began) / 1000 };
}

/** The table for a terminal. */
export function tableOf({ counts, seconds }: OracleResult): string[] {
  const { runs, failed, sent, handled, needed, needless, thrown, orphaned, faults } = counts;
  const { silentToServer, silentToClient, allowed, discarded } = counts;
  const row = (name: string, ...numbers: readonly (string | number)[]) =>
    name.padEnd(30) + numbers.map((number) => `${number}`.padStart(12)).join("");
  return [
    `${runs} runs in ${seconds.toFixed(0)} s, ${failed} failed`,
    `${sent} messages: ${handled} handled, ${
      needed + needless
    } reported (${needless} of them handled), ${thrown} thrown`,
    `silent: ${silentToServer} to the server, ${silentToClient} to the client; ` +
    `${allowed} swallowed by a half-open line as promise B allows, ${discarded} read and thrown away by Python; ` +
    `${orphaned} of servers that were killed`,
    row("fault", "drawn", "reports", "reconnects"),
    ...Object.entries(faults).toSorted(([one], [other]) => one < other ? -1 : 1).map(
      ([name, { drawn, reports, reconnects }]) => row(name, drawn, reports, reconnects),
    ),
  ];
}
