/**
 * The long run of chunked transfer: a file as one message, client to server and back as it comes, in all pairings of
 * runtimes, with the growth of resident memory on both sides; again with the line cut in the middle; and a small
 * message every 10 ms over the same connection all the while.
 *
 * Run: `deno run -A tests/long/transfers_long.ts [MB] [deno] [bun]` (default 300 MB, both). Linux only: memory is read from
 * /proc by this process, which is neither of those measured. Growth is the peak of resident memory during the transfer
 * (VmHWM, set back at its begin) over what was resident before it, after a warm-up with a file of 8 MB. Prints one
 * table; ends with 1 if something did not hold.
 * @module
 */

import process from "node:process";
import { fileURLToPath } from "node:url";

import { runtimeCommand, type RuntimeName, spawnLines } from "../support/peers/process.ts";
import { Proxy } from "../support/peers/proxy.ts";
import type { RoundTrips, TransferClientAnswers, TransferResult } from "../support/peers/transfer_client.ts";
import type { TransferServerAnswers } from "../support/peers/transfer_server.ts";
import { pause } from "./soak/pause.ts";
import { Vitals } from "./soak/target.ts";
import { Worker } from "./soak/worker.ts";

const MB = 1_000_000;
const WARM_UP = 8 * MB;
const GROWTH_MIB = 64;
const FACTOR = 10;
const IDLE_SECONDS = 5;
/** A transfer of the whole size takes seconds on a machine of its own. */
const PATIENCE = { timeoutMs: 320_000 };
const RUNTIMES: readonly RuntimeName[] = ["deno", "bun"];

/** One line of the table. */
interface Row {
  readonly pair: string;
  readonly run: string;
  readonly outcome: string;
  readonly growth: string;
  readonly trips: string;
  readonly isKept: boolean;
}

interface Side<Answers extends object> extends AsyncDisposable {
  readonly worker: Worker<Answers>;
  readonly vitals: Vitals;
}

function start<Answers extends object>(runtime: RuntimeName, name: string): Side<Answers> {
  const program = fileURLToPath(new URL(`../support/peers/${name}.ts`, import.meta.url));
  const child = spawnLines(...runtimeCommand(runtime, program));
  const worker = new Worker<Answers>(child);
  return { worker, vitals: new Vitals(child.pid), [Symbol.asyncDispose]: () => worker[Symbol.asyncDispose]() };
}

/** Runs something and gives the growth of both sides in MiB meanwhile. */
async function growing<T>(sides: readonly Vitals[], act: () => Promise<T>): Promise<[result: T, growth: number[]]> {
  const before = sides.map((vitals) => (vitals.resetPeak(), vitals.rss));
  const result = await act();
  return [result, sides.map((vitals, index) => vitals.peak - (before[index] ?? 0))];
}

const ms = (value: number): string => value.toFixed(value < 10 ? 2 : 1);
const tripsText = ({ p50, p99, max, count, lost }: RoundTrips): string =>
  `p50 ${ms(p50)}, p99 ${ms(p99)}, max ${ms(max)} of ${count}${lost > 0 ? `, ${lost} lost` : ""}`;

async function whole(
  pair: string,
  bytes: number,
  server: Side<TransferServerAnswers>,
): Promise<[row: Row, seconds: number]> {
  await using client = start<TransferClientAnswers>(pair.split(" ")[0] as RuntimeName, "transfer_client");
  await client.worker.ask("connect", await server.worker.ask("listen", undefined), PATIENCE);
  await client.worker.ask("transfer", WARM_UP, PATIENCE);
  const idle = await client.worker.ask("idle", IDLE_SECONDS, PATIENCE);
  const run = () => client.worker.ask("transfer", bytes, PATIENCE);
  const [result, [ofClient = NaN, ofServer = NaN]] = await growing([client.vitals, server.vitals], run);
  const { sent, received, isEqual, seconds, trips } = result;
  const { open } = await server.worker.ask("state", undefined);
  const isWhole = sent === "ok" && received === "ok" && isEqual && open === 0;
  const isSmall = ofClient < GROWTH_MIB && ofServer < GROWTH_MIB;
  const isQuick = trips.p99 < FACTOR * idle.p99 && trips.lost === 0;
  const row: Row = {
    ...{ pair, run: `${bytes / MB} MB` },
    outcome:
      `${isWhole ? "equal" : `sent ${sent}, received ${received}, equal ${isEqual}`}, ${seconds.toFixed(1)} s, ` +
      `${(bytes / MB / seconds).toFixed(0)} MB/s each way`,
    growth: `${ofClient.toFixed(1)} / ${ofServer.toFixed(1)}`,
    trips: `${tripsText(trips)}; idle p99 ${ms(idle.p99)} (x ${(trips.p99 / idle.p99).toFixed(1)})`,
    isKept: isWhole && isSmall && isQuick,
  };
  return [row, seconds];
}

/** Cuts the line while about half of the file has passed; everything must be as if it had never been. */
async function cut(pair: string, bytes: number, server: Side<TransferServerAnswers>, half: number): Promise<Row> {
  await using client = start<TransferClientAnswers>(pair.split(" ")[0] as RuntimeName, "transfer_client");
  const url = await server.worker.ask("listen", undefined);
  const before = await server.worker.ask("state", undefined);
  let proxy = await Proxy.listen(url);
  const { port } = new URL(proxy.url);
  try {
    await client.worker.ask("connect", proxy.url, PATIENCE);
    await client.worker.ask("transfer", WARM_UP, PATIENCE);
    const run = async (): Promise<TransferResult> => {
      const asked = client.worker.ask("transfer", bytes, PATIENCE);
      await pause(half * 1000);
      await proxy[Symbol.asyncDispose]();
      proxy = await Proxy.listen(url, Number(port));
      return await asked;
    };
    const [result, [ofClient = NaN, ofServer = NaN]] = await growing([client.vitals, server.vitals], run);
    await client.worker.ask("reopened", undefined, PATIENCE);
    const after = await server.worker.ask("state", undefined);
    const again = await client.worker.ask("transfer", WARM_UP, PATIENCE);
    const { sent, received, isReleased } = result;
    const isClear = sent === "closed" && received === "closed" && isReleased && again.isEqual;
    const isClean = after.open === 0 && after.failed.length === before.failed.length + 1 &&
      after.failed.at(-1) === "closed" && after.connections === 1;
    return {
      ...{ pair, run: `${bytes / MB} MB, cut after ${half.toFixed(1)} s` },
      outcome: `sent ${sent}, received ${received}, source ${isReleased ? "released" : "held"}, ` +
        `server ${after.failed.at(-1)}, ${after.open} left; the next one ${again.isEqual ? "equal" : "broken"}`,
      growth: `${ofClient.toFixed(1)} / ${ofServer.toFixed(1)}`,
      trips: tripsText(result.trips),
      isKept: isClear && isClean && ofClient < GROWTH_MIB && ofServer < GROWTH_MIB,
    };
  } finally {
    await proxy[Symbol.asyncDispose]();
  }
}

async function runPair(client: RuntimeName, server: RuntimeName, bytes: number): Promise<Row[]> {
  const pair = `${client} to ${server}`;
  await using first = start<TransferServerAnswers>(server, "transfer_server");
  const [row, seconds] = await whole(pair, bytes, first);
  await using second = start<TransferServerAnswers>(server, "transfer_server");
  return [row, await cut(pair, bytes, second, seconds / 2)];
}

const args = process.argv.slice(2);
const bytes = MB * Number(args.find((arg) => !Number.isNaN(Number(arg))) ?? 300);
const named = RUNTIMES.filter((name) => args.includes(name));
const runtimes = named.length > 0 ? named : RUNTIMES;
const rows: Row[] = [];
for (const client of runtimes) {
  for (const server of runtimes) rows.push(...await runPair(client, server, bytes));
}
const say = (...cells: string[]): void => void process.stdout.write(`| ${cells.join(" | ")} |\n`);
say("client to server", "run", "outcome", "RSS growth, MiB (client / server)", "small messages, ms there and back", "");
say("---", "---", "---", "---", "---", "---");
for (const { pair, run, outcome, growth, trips, isKept } of rows) {
  say(pair, run, outcome, growth, trips, isKept ? "PASS" : "FAIL");
}
process.exit(rows.every(({ isKept }) => isKept) ? 0 : 1);
