import { numberInText } from "./messages.ts";
import type { Process } from "./process.ts";
import type { ConnectionRecord, MessageRecord } from "./records.ts";
import { type Observer, sim } from "./simulation.ts";
import type { RuleName, Violation } from "./violations.ts";

/** Violations kept of one run. */
const MAX_VIOLATIONS = 20;

/** Messages that were sent and that a client may remember. */
export const MOST_IN_DOUBT = 10_000;

/** Watches a run: writes down what becomes of each message and of each connection. `verdict.ts` judges them. */
export class Oracle implements Observer {
  readonly messages: Map<string, MessageRecord> = new Map();
  readonly connections: Map<number, ConnectionRecord> = new Map();
  readonly violations: Violation[] = [];
  /** Processes that were killed: they have no duties any more. */
  readonly killed: Set<string> = new Set();
  /** The connection whose frame is being handled. */
  delivering = 0;
  /** Connections over which a server has said hello: its peer is one of this library. */
  readonly greeted: Set<number> = new Set();
  readonly #ignored: ReadonlySet<RuleName>;
  #number = 0;
  #doubt = { sender: "", at: 0, count: 0 };
  #order = 0;
  /** Order of the last message handled, by sender and connection. */
  readonly #lastOrder = new Map<string, number>();

  constructor(ignored: ReadonlySet<RuleName>) {
    this.#ignored = ignored;
  }

  newNumber(): number {
    return ++this.#number;
  }

  broken(rule: string, text: string): void {
    if (this.#ignored.has(rule as RuleName) || this.violations.length >= MAX_VIOLATIONS) return;
    sim.log("ORACLE", () => `${rule}: ${text}`);
    this.violations.push({ rule: rule as RuleName, text });
  }

  // ---- messages

  static key(number: number, connection: number | null): string {
    return connection === null ? `${number}` : `${number}@${connection}`;
  }

  /** A message is about to be sent: by a client (`connection` is `null`), or by a server over this connection. */
  begin(number: number, sender: string, connection: number | null): MessageRecord {
    const record: MessageRecord = {
      number,
      order: ++this.#order,
      sender,
      isFromClient: connection === null,
      at: sim.now,
      sentAt: null,
      connection: connection ?? 0,
      wasKept: false,
      hasArrived: false,
      handled: [],
      drops: [],
      wasThrown: false,
    };
    this.messages.set(Oracle.key(number, connection), record);
    return record;
  }

  dropped(number: number, connection: number | null, reason: string): void {
    const record = this.messages.get(Oracle.key(number, connection));
    sim.log("oracle", () => `drop ${number} ${reason}`);
    if (record === undefined) return this.broken("twice", `message ${number} is reported and was never taken`);
    record.drops.push({ at: sim.now, reason });
    if (reason === "unconfirmed" && connection === null) this.#countDoubt(record.sender);
  }

  /** What is reported in one moment was remembered. */
  #countDoubt(sender: string): void {
    const [doubt, now] = [this.#doubt, sim.now];
    if (doubt.sender !== sender || doubt.at !== now) this.#doubt = { sender, at: now, count: 1 };
    else if (++doubt.count === MOST_IN_DOUBT + 1) this.broken("remembered", `${sender} had more than ${MOST_IN_DOUBT}`);
  }

  handled(number: number, connection: number, isFromClient: boolean): void {
    const record = this.messages.get(Oracle.key(number, isFromClient ? null : connection));
    if (record === undefined) return; // of a sender that nobody watches
    sim.log("oracle", () => `handled ${number}`);
    record.handled.push({ at: sim.now, connection });
    const way = `${record.sender}>${connection}`;
    const last = this.#lastOrder.get(way) ?? 0;
    if (record.order <= last) this.broken("order", `message ${number} of ${record.sender} overtook or was overtaken`);
    this.#lastOrder.set(way, Math.max(last, record.order));
  }

  // ---- what the runtime and the network see

  textSent(text: string, connection: number, isFromClient: boolean): void {
    if (text.includes('"maim_hello"')) this.greeted.add(connection);
    const number = numberInText(text);
    if (number === null) return;
    const record = this.messages.get(Oracle.key(number, isFromClient ? null : connection));
    if (record === undefined) return;
    record.sentAt = sim.now;
    record.connection = connection;
    record.wasKept = false;
  }

  textLeft(text: string, connection: number): void {
    const record = this.connections.get(connection);
    if (record !== undefined && text.includes('"maim_ping"')) record.pingAt ??= sim.now;
  }

  textReceived(text: string, connection: number, isFromClient: boolean): void {
    this.delivering = connection;
    const number = isFromClient ? numberInText(text) : null;
    const message = number === null ? undefined : this.messages.get(Oracle.key(number, null));
    if (message !== undefined) message.hasArrived = true;
    const record = this.connections.get(connection);
    if (isFromClient || record === undefined || numberInText(text) !== null) return;
    if (text.includes('"maim_pong"')) record.pingAt = null;
    if (text.includes('"maim_hello"')) record.hasHello = true;
  }

  textKept(text: string, connection: number): void {
    const number = numberInText(text);
    if (number === null) return;
    const record = this.messages.get(Oracle.key(number, null));
    if (record?.connection === connection) record.wasKept = true;
  }

  clientRead(process: Process, connection: number | null): void {
    if (connection === null) {
      for (const record of this.connections.values()) {
        if (record.sender === process.name && record.endedAt === null) record.lastRead = sim.now;
      }
      return;
    }
    const record = this.connections.get(connection);
    if (record !== undefined) {
      if (record.endedAt === null) record.lastRead = sim.now;
    } else {
      this.connections.set(connection, {
        connection,
        sender: process.name,
        openedAt: sim.now,
        lastRead: sim.now,
        lastMoved: sim.now,
        endedAt: null,
        code: 0,
        reason: "",
        closeAt: null,
        sentClose: null,
        pingAt: null,
        hasHello: false,
      });
    }
  }

  clientMoved(connection: number): void {
    const record = this.connections.get(connection);
    if (record !== undefined && record.endedAt === null) record.lastMoved = sim.now;
  }

  clientCloses(connection: number, code: number, reason: string): void {
    const record = this.connections.get(connection);
    if (record === undefined) return;
    record.sentClose = `${code} ${reason}`;
    record.closeAt ??= sim.now;
  }

  clientEnded(connection: number, code: number, reason: string): void {
    const record = this.connections.get(connection);
    if (record === undefined || record.endedAt !== null) return;
    Object.assign(record, { endedAt: sim.now, code, reason });
  }

  /** The owner of a client calls `close()`. */
  closing(sender: string): void {
    for (const record of this.connections.values()) {
      if (record.sender === sender && record.endedAt === null) record.closeAt ??= sim.now;
    }
  }
}
