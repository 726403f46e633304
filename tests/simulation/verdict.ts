import type { Oracle } from "./oracle.ts";
import type { ConnectionRecord, MessageRecord } from "./records.ts";
import type { ClientSpec, Scenario } from "./scenario_types.ts";
import { sim } from "./simulation.ts";
import type { Counts } from "./statistics.ts";
import type { World } from "./world.ts";

/** Milliseconds of leeway at the edge of what is in doubt. */
const EDGE = 50;
/** `heartbeat.timeout` of a missing answer after which the server counts as silent, at most. */
const OVERDUE = 1000;

/** Bytes that the kernels may hold: the heartbeat waits as long as they take at the speed that it has seen. */
const KERNEL_BYTES = 10 * 2 ** 20;
/** By so much a connection may seem slower than its buffers allow, if few bytes move at first. */
const SLOW_START = 400;
/** Bytes per millisecond that the heartbeat counts on. */
const SLOWEST_UPLOAD = 131.072;

/** Bytes: a client with a smaller window may forget messages before it notices that the server is silent. */
const SMALL_WINDOW = 100_000;

/** What judging needs to know. */
interface Court {
  readonly oracle: Oracle;
  readonly scenario: Scenario;
  /** Milliseconds that each client was frozen: it could notice nothing then. */
  readonly frozen: ReadonlyMap<string, number>;
}

/** Judges a run that is over, and counts. */
export function judge(world: World, scenario: Scenario, counts: Counts): void {
  const { oracle } = world;
  const court: Court = {
    oracle,
    scenario,
    frozen: new Map(world.all.map(({ process: { name, frozenFor } }) => [name, frozenFor])),
  };
  for (const record of oracle.messages.values()) judgeMessage(record, court, counts);
  for (const record of oracle.connections.values()) judgeConnection(record, court);
  for (const node of [...world.all, ...world.servers]) {
    if (!node.process.isAlive) continue;
    for (const name of node.pending) oracle.broken("pending", name);
    const { size } = node.process.timers;
    if (size > 0) oracle.broken("timers", `${node.process.name}: ${size} timers at the end`);
  }
  if (sim.sockets > 0) oracle.broken("sockets", `${sim.sockets} sockets are left`);
}

/** The client of a process name such as `client1.4`. */
function specOf(sender: string, { clients }: Scenario): ClientSpec | undefined {
  const match = /^client(\d+)\./.exec(sender);
  return match === null ? undefined : clients[Number(match[1])];
}

function judgeMessage(record: MessageRecord, court: Court, counts: Counts): void {
  const { oracle, scenario } = court;
  const { number, sender, handled, drops, wasThrown } = record;
  const about = `message ${number} of ${sender}`;
  count(record, counts);
  const reasons = drops.map(({ reason }) => reason);
  if (drops.length > 1 || (wasThrown && drops.length > 0)) {
    oracle.broken("twice", `${about}: ${wasThrown ? "thrown, " : ""}${reasons}`);
  }
  if (handled.length > 0 && (wasThrown || reasons.some((reason) => reason !== "unconfirmed"))) {
    oracle.broken("truth", `${about} was handled, and is reported: ${wasThrown ? "thrown" : reasons}`);
  }
  const outbox = specOf(sender, scenario)?.options.outbox;
  const most = outbox && outbox.inDoubt === "resend" ? 2 : 1;
  if (handled.length > most) oracle.broken("duplicate", `${about} was handled ${handled.length} times`);
  if (handled.length === 0 && drops.length === 0 && !wasThrown && !oracle.killed.has(sender)) {
    judgeSilent(record, court);
  }
}

function count({ handled, drops, wasThrown }: MessageRecord, counts: Counts): void {
  if (wasThrown) counts.thrown++;
  else counts.taken++;
  if (handled.length > 0) counts.handled++;
  if (drops.length > 0) counts.dropped++;
  if (handled.length > 0 && drops.length > 0) counts.needless++;
}

/** Which promise holds for a message that nobody handled and nobody reported. */
function judgeSilent(record: MessageRecord, { oracle, scenario, frozen }: Court): void {
  const { server } = scenario;
  const { number, sender, isFromClient, connection, sentAt } = record;
  const about = `message ${number} of ${sender}, sent over #${connection} at ${sentAt}, is lost silently`;
  const speaksPing = server.kind === "ours" ? server.options.hello !== false : server.isMute === true;
  // A caller without a hello is no client of ours.
  if (!isFromClient && !oracle.greeted.has(connection)) return;
  const spec = specOf(sender, scenario);
  // Whoever has switched off every question cannot find out that the hello was cut off.
  if (spec !== undefined && !canAsk(spec) && !oracle.connections.get(connection)?.hasHello) return;
  if (speaksPing) return oracle.broken(isFromClient ? "silentToServer" : "silentToClient", about);
  if (spec === undefined || !isFromClient) return;
  const link = oracle.connections.get(connection);
  if (!isAllowed(record, link, spec, { frozen: frozen.get(sender) ?? 0, kind: server.kind })) {
    oracle.broken("silentToPython", about);
  }
}

/** True if a client may ask a server that does not speak by itself. */
function canAsk({ flavour, options: { heartbeat } }: ClientSpec): boolean {
  return heartbeat !== false && (flavour === "bun" || heartbeat?.probe !== false);
}

/** What promise B allows: the message was sent before the time from which the client has to doubt. */
function isAllowed(
  { sentAt, wasKept, hasArrived }: MessageRecord,
  link: ConnectionRecord | undefined,
  spec: ClientSpec,
  { frozen, kind }: { frozen: number; kind: "ours" | "python" },
): boolean {
  if (sentAt === null || link === undefined || wasKept) return false;
  const { outbox, heartbeat } = spec.options;
  const { doubt = 1000, maxBytes = Infinity } = outbox || {};
  if (maxBytes < SMALL_WINDOW) return true; // too much was sent to remember it
  const endedAt = link.endedAt ?? Infinity;
  // What looks like the answer to the client's close frame has to be one: everything before it has arrived. Deno itself
  // answers while a server of ours without hello turns the client out.
  if (link.sentClose === `${link.code} ${link.reason}`) return kind === "ours" || hasArrived;
  if (sentAt > Math.min(endedAt, link.closeAt ?? Infinity) - doubt + EDGE) return false;
  const { interval = 20_000, timeout = 10_000 } = heartbeat || {};
  if (!canAsk(spec)) return true;
  const missedAt = link.lastRead + interval + Math.min(OVERDUE, timeout) + EDGE + frozen;
  return !(sentAt > link.lastRead + EDGE && endedAt >= missedAt && (link.closeAt ?? Infinity) >= missedAt);
}

/** Whether a connection was given up in time. */
function judgeConnection(link: ConnectionRecord, { oracle, scenario, frozen }: Court): void {
  const spec = specOf(link.sender, scenario);
  const heartbeat = spec?.options.heartbeat;
  if (spec === undefined || heartbeat === false || oracle.killed.has(link.sender)) return;
  const { interval = 20_000, timeout = 10_000 } = heartbeat ?? {};
  const { bandwidth, sendBuffer, receiveBuffer, latency, jitter } = scenario.network;
  const speed = Math.min(bandwidth, Math.min(sendBuffer, receiveBuffer) / SLOW_START / (latency + jitter));
  const upload = KERNEL_BYTES / Math.max(speed, SLOWEST_UPLOAD);
  const limit = interval + 2 * timeout + OVERDUE + (frozen.get(link.sender) ?? 0);
  const until = Math.min(link.endedAt ?? Infinity, link.closeAt ?? Infinity);
  if (until === Infinity) return;
  if (link.pingAt !== null && until - link.pingAt > limit) {
    const since = Math.round(until - link.pingAt);
    oracle.broken("mute", `#${link.connection} of ${link.sender}: no pong for ${since} ms, and still open`);
  }
  if (!link.hasHello && spec.flavour !== "bun") return; // nobody can be asked
  const quiet = until - Math.max(link.lastRead, link.lastMoved);
  if (quiet > limit + upload) {
    oracle.broken("silence", `#${link.connection} of ${link.sender}: nothing moves for ${Math.round(quiet)} ms`);
  }
}
