/**
 * The long runs: what a server of this library does under load and attack, on each runtime in turn.
 *
 *     deno task soak [churn stuck attacks steady] [--seconds=N] [--runtime=deno|bun]
 *
 * All scenarios on both runtimes and at full length unless told otherwise; `--seconds` shortens whatever is counted in
 * seconds. The server, what loads it and what measures it are processes of their own. Under Bun:
 * `bun tests/long/soak_long.ts`. Linux only: memory is read from /proc.
 * Tables come at the end; the exit code is 1 if something did not hold.
 * @module
 */

import { cpus, loadavg, totalmem } from "node:os";
import process from "node:process";
import { parseArgs } from "node:util";

import { currentRuntime, runtimeIssue, type RuntimeName } from "../support/peers/process.ts";
import { attacks } from "./soak/attacks.ts";
import { Children } from "./soak/children.ts";
import { churn } from "./soak/churn.ts";
import { type Check, type Scenario, type SoakContext, type SoakReport, table } from "./soak/scenario.ts";
import { stuck } from "./soak/stuck.ts";
import { steady } from "./soak/steady.ts";

const SCENARIOS: Readonly<Record<string, Scenario>> = {
  churn: { title: "5,000 connections held while others come and go", run: churn },
  stuck: { title: "1 GB to a peer that never reads", run: stuck },
  attacks: { title: "Attacks, and a healthy peer meanwhile", run: attacks },
  steady: { title: "Half of the capacity by peers that come back", run: steady },
};
const RUNTIMES: readonly RuntimeName[] = ["deno", "bun"];

/** What is to be run. */
interface Plan {
  readonly names: readonly string[];
  readonly runtimes: readonly RuntimeName[];
  readonly seconds: number | undefined;
}

/** A mistake of the person who started it: one line. */
class UsageError extends Error {}

const say = (line: string): void => void process.stdout.write(`${line}\n`);

function readFlags(args: string[]): { names: string[]; seconds?: string | undefined; runtime?: string | undefined } {
  const options = { seconds: { type: "string" }, runtime: { type: "string" } } as const;
  try {
    const { values, positionals } = parseArgs({ args, options, allowPositionals: true });
    return { ...values, names: positionals };
  } catch (error) {
    throw new UsageError(error instanceof Error ? error.message : String(error));
  }
}

function readPlan(args: string[]): Plan {
  const flags = readFlags(args);
  const seconds = flags.seconds === undefined ? undefined : Number(flags.seconds);
  if (seconds !== undefined && !(seconds > 0 && seconds < Infinity)) {
    throw new UsageError(`--seconds must be above 0: received ${flags.seconds}`);
  }
  const known = Object.keys(SCENARIOS);
  const unknown = flags.names.find((name) => !known.includes(name));
  if (unknown !== undefined) throw new UsageError(`"${unknown}" must be one of ${known.join(", ")}`);
  const runtimes = RUNTIMES.filter((name) => flags.runtime === undefined || flags.runtime === name);
  if (runtimes.length === 0) throw new UsageError(`--runtime must be deno or bun: received ${flags.runtime}`);
  return { names: flags.names.length > 0 ? flags.names : known, runtimes, seconds };
}

/** Runs one scenario; one that can not go on is one that has failed. */
async function runOne(name: string, { run }: Scenario, context: SoakContext): Promise<SoakReport> {
  const { runtime } = context;
  say(`--- ${name}, ${runtime}`);
  const began = performance.now();
  const report: SoakReport = await run(context).catch((error: unknown) => {
    const text = error instanceof Error ? error.stack ?? error.message : String(error);
    return { columns: [], rows: [], checks: [{ what: `it runs to its end: ${text}`, isKept: false }] };
  });
  const isPass = report.checks.every(({ isKept }) => isKept);
  for (const { what, isKept } of report.checks) say(`${isKept ? "kept" : "MISSED"}: ${what}`);
  say(`${isPass ? "PASS" : "FAIL"} ${name}, ${runtime} (${((performance.now() - began) / 1000).toFixed(0)} s)`);
  return report;
}

/** Runs what is planned and prints the tables; gives the exit code. */
async function main({ names, runtimes, seconds }: Plan): Promise<number> {
  const children = new Children();
  const load = loadavg().map((share) => share.toFixed(2)).join(" ");
  say(
    `${new Date().toISOString()}: ${cpus().length} x ${cpus()[0]?.model ?? "?"}, ` +
      `${(totalmem() / 2 ** 30).toFixed(0)} GiB, load ${load}; loaded and measured from ${currentRuntime}`,
  );
  const tables: string[] = [];
  const checks: Check[] = [];
  for (const name of names) {
    const scenario = SCENARIOS[name];
    if (scenario === undefined) continue;
    for (const runtime of runtimes) {
      const issue = runtimeIssue(runtime);
      if (issue !== null) throw new Error(`Cannot run on ${runtime}: ${issue}`);
      const report = await runOne(name, scenario, { runtime, seconds, children, say });
      checks.push(...report.checks);
      if (report.rows.length > 0) tables.push(table(`${scenario.title}: ${runtime}`, report));
    }
  }
  say(`\n${tables.join("\n")}`);
  const missed = checks.filter(({ isKept }) => !isKept).length;
  say(`${checks.length - missed} kept, ${missed} missed`);
  return missed === 0 ? 0 : 1;
}

try {
  process.exit(await main(readPlan(process.argv.slice(2))));
} catch (error) {
  if (!(error instanceof UsageError)) throw error; // ends the children, too
  say(`error: ${error.message}`);
  process.exit(2);
}
