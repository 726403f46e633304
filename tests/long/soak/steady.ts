/**
 * Half of what the server can do, for ten minutes, by peers that come back: messages in are messages out, and memory
 * stays what it is.
 * @module
 */

import { Healthy } from "./healthy.ts";
import type { BulkAnswers, LoadResult } from "./programs/bulk.ts";
import type { ClientsAnswers, ClientsResult } from "./programs/clients.ts";
import type { Lap } from "./programs/probe.ts";
import { type Check, count, mib, ms, percent, type SoakContext, type SoakReport } from "./scenario.ts";
import { Target } from "./target.ts";
import { Trend } from "./trend.ts";
import type { Worker } from "./worker.ts";

const SECONDS = 600;
/** Connections of the bulk, and messages under way on each while capacity is measured. */
const LANES = 50;
const DEPTH = 16;
/** Clients of this library beside them, and messages a second of them all. */
const CLIENTS = 20;
const CLIENTS_PER_SECOND = 400;
/** A connection lives this long, less in a short run. */
const LIFE_SECONDS = 20;
/** Resident memory late in a run as a share of that early in it. */
const GROWTH = 1.1;

const COLUMNS = [
  "capacity (CPU of server, load)",
  "load",
  "for",
  "bulk: sent / echoed / lost / wrong",
  "clients: sent / echoed / `drop` / lost / wrong",
  "server: received / sent / dropped",
  "returns: bulk / clients",
  "CPU of server, load",
  "healthy: p50 / p99 / max, failed",
  "RSS early / late / most",
];

/** What the server can do. */
interface Capacity {
  readonly rate: number;
  readonly serverShare: number;
  readonly loadShare: number;
}

async function capacityOf(target: Target, bulk: Worker<BulkAnswers>, seconds: number): Promise<Capacity> {
  await bulk.ask("closed", { depth: DEPTH, seconds: seconds / 2 }); // warm
  const cpu = target.vitals.cpu;
  const result = await bulk.ask("closed", { depth: DEPTH, seconds });
  return {
    rate: result.echoed / result.seconds,
    serverShare: (target.vitals.cpu - cpu) / result.seconds,
    loadShare: result.cpu / result.seconds,
  };
}

/** What was seen. */
interface Outcome {
  readonly capacity: Capacity;
  readonly bulk: LoadResult;
  readonly clients: ClientsResult;
  readonly server: Readonly<Record<string, number>>;
  readonly serverShare: number;
  readonly healthy: Lap;
  readonly rss: readonly [early: number, late: number, most: number];
}

async function observe({ runtime, children, say, seconds = SECONDS }: SoakContext): Promise<Outcome> {
  await using target = await Target.start(children, runtime);
  await using bulk: Worker<BulkAnswers> = children.load("bulk");
  await using clients: Worker<ClientsAnswers> = children.load("clients");
  const { url, vitals } = target;
  await bulk.ask("connect", { url, lanes: LANES });
  const capacity = await capacityOf(target, bulk, Math.min(5, seconds));
  const perSecond = capacity.rate / 2;
  say(`capacity ${count(capacity.rate)} messages a second; goes on with ${count(perSecond)}`);
  await using healthy = await Healthy.start(children, target);
  const earlier = await target.figures();
  const lifeSeconds = Math.min(LIFE_SECONDS, seconds / 4);
  const timeoutMs = (seconds + 120) * 1000;
  const [cpu, start] = [vitals.cpu, performance.now()];
  using trend = new Trend(vitals);
  const [bulkResult, clientsResult] = await Promise.all([
    bulk.ask("open", { perSecond: perSecond - CLIENTS_PER_SECOND, seconds, lifeSeconds }, { timeoutMs }),
    clients.ask("run", { url, clients: CLIENTS, perSecond: CLIENTS_PER_SECOND, seconds, lifeSeconds }, { timeoutMs }),
  ]);
  const serverShare = (vitals.cpu - cpu) / ((performance.now() - start) / 1000);
  const lap = await healthy.lap();
  const later = await target.figures();
  const gain = (name: string): number => (later[name] ?? NaN) - (earlier[name] ?? NaN);
  return {
    capacity,
    bulk: bulkResult,
    clients: clientsResult,
    server: { received: gain("received"), sent: gain("sent"), dropped: gain("dropped") },
    serverShare,
    healthy: lap,
    rss: [trend.median(0.1, 0.2), trend.median(0.9, 1), trend.max],
  };
}

function row({ capacity, bulk, clients, server, serverShare, healthy, rss }: Outcome): string[] {
  const [early, late, most] = rss;
  const list = (...values: (number | undefined)[]): string => values.map((value) => count(value ?? NaN)).join(" / ");
  return [
    `${count(capacity.rate)}/s (${percent(capacity.serverShare)}, ${percent(capacity.loadShare)})`,
    `${count((bulk.sent + clients.sent) / bulk.seconds)}/s, largest gap ${ms(bulk.gapMs)} ms`,
    `${bulk.seconds.toFixed(0)} s`,
    list(bulk.sent, bulk.echoed, bulk.lost, bulk.wrong),
    list(clients.sent, clients.echoed, clients.reported, clients.lost, clients.wrong),
    list(server.received, server.sent, server.dropped),
    list(bulk.returns, clients.lives),
    `${percent(serverShare)}, ${percent(bulk.cpu / bulk.seconds)}`,
    `${ms(healthy.p50)} / ${ms(healthy.p99)} / ${ms(healthy.max)} ms, ${healthy.failed}`,
    `${mib(early)} / ${mib(late)} / ${mib(most)} MiB`,
  ];
}

function checksOf({ capacity, bulk, clients, server, healthy, rss }: Outcome): Check[] {
  const [early, late] = rss;
  const rate = (bulk.sent + clients.sent) / bulk.seconds;
  return [
    { what: "the load was half of the capacity, within 3 %", isKept: Math.abs(rate / (capacity.rate / 2) - 1) <= 0.03 },
    {
      what: "bulk: every message came back once, in order, and no connection fell",
      isKept: bulk.sent > 0 && bulk.echoed === bulk.sent && bulk.lost + bulk.wrong + bulk.falls === 0,
    },
    {
      what: "clients: every message came back once or was reported by `drop`",
      isKept: clients.sent > 0 && clients.echoed + clients.reported === clients.sent && clients.wrong === 0,
    },
    { what: "server: as many sent as received, none dropped", isKept: server.sent === server.received },
    { what: "RSS late at most 1.1 of early", isKept: late <= early * GROWTH },
    { what: "no echo of a healthy peer failed", isKept: healthy.failed === 0 },
  ];
}

/** Runs it once. */
export async function steady(context: SoakContext): Promise<SoakReport> {
  const outcome = await observe(context);
  return { columns: COLUMNS, rows: [row(outcome)], checks: checksOf(outcome) };
}
