/**
 * What became of every message of a run, and what each fault caused.
 * @module
 */

/** One message that a side has sent. */
export interface Entry {
  readonly id: string;
  readonly isFromClient: boolean;
  /** Position among all messages of this sender. */
  readonly order: number;
  /** Time at which it was given to `send`; for a server, at which this was heard of. */
  readonly at: number;
  /** The server's connection that it is for; `null` for a client's. */
  readonly way: string | null;
  /** Connections over which it was handled. */
  readonly handled: string[];
  readonly drops: string[];
  wasThrown: boolean;
  /** The server has read it, and its own library has thrown it away. */
  wasDiscarded: boolean;
  /** The client said that the server has handled it. */
  wasConfirmed: boolean;
}

/** How often a fault was caused, and what came of it. */
export interface FaultCount {
  drawn: number;
  /** Messages reported after it, before the next fault. */
  reports: number;
  /** Connections lost after it, before the next fault. */
  reconnects: number;
}

/** Figures of many runs. */
export interface Counts {
  runs: number;
  failed: number;
  sent: number;
  handled: number;
  /** Reported, and not handled. */
  needed: number;
  /** Reported as `unconfirmed` although handled. */
  needless: number;
  thrown: number;
  /** Of a server that was killed: nobody could report it. */
  orphaned: number;
  silentToServer: number;
  silentToClient: number;
  /** Lost silently, as a server of another library cannot confirm messages and the line was half-open. */
  allowed: number;
  /** Read by Python, which then threw them away, and not reported, as the client's close was answered. */
  discarded: number;
  readonly faults: Record<string, FaultCount>;
}

export function newCounts(): Counts {
  return {
    runs: 0,
    failed: 0,
    sent: 0,
    handled: 0,
    needed: 0,
    needless: 0,
    thrown: 0,
    orphaned: 0,
    silentToServer: 0,
    silentToClient: 0,
    allowed: 0,
    discarded: 0,
    faults: {},
  };
}

/** What is allowed in one run. */
export interface Rules {
  /** A message of the client may be handled twice. */
  readonly mayResend: boolean;
  /** A half-open line may have swallowed it, and a server that cannot confirm messages is on the other side. */
  readonly isAllowed: (entry: Entry) => boolean;
  /** The server has read it and answered the close after it, and has thrown it away or was killed. */
  readonly isDiscarded: (entry: Entry) => boolean;
}

/** Writes down what happens in one run. */
export class Ledger {
  readonly entries: Map<string, Entry> = new Map();
  /** What went wrong in a way that no message tells. */
  readonly violations: string[] = [];
  /** What happened, with times. */
  readonly trace: string[] = [];
  readonly faults: Record<string, FaultCount> = {};
  /** Prefixes of the ids of servers that were killed. */
  readonly killed: Set<string> = new Set();
  readonly #began = performance.now();
  readonly #handled: { readonly id: string; readonly way: string }[] = [];
  #fault: FaultCount | null = null;
  #order = 0;

  log(text: string): void {
    this.trace.push(`${(performance.now() - this.#began).toFixed(1).padStart(8)} ${text}`);
  }

  broken(text: string): void {
    this.log(`BROKEN ${text}`);
    this.violations.push(text);
  }

  fault(name: string): void {
    this.log(`fault: ${name}`);
    this.#fault = this.faults[name] ??= { drawn: 0, reports: 0, reconnects: 0 };
    this.#fault.drawn++;
  }

  reconnected(): void {
    if (this.#fault !== null) this.#fault.reconnects++;
  }

  sent(id: string, way: string | null): void {
    const entry = { id, isFromClient: way === null, order: ++this.#order, at: performance.now(), way };
    if (this.entries.has(id)) this.broken(`the harness gave ${id} twice`);
    this.entries.set(id, {
      ...entry,
      handled: [],
      drops: [],
      wasThrown: false,
      wasDiscarded: false,
      wasConfirmed: false,
    });
  }

  thrown(id: string, error: string): void {
    this.log(`${id} threw ${error}`);
    const entry = this.entries.get(id);
    if (entry !== undefined) entry.wasThrown = true;
  }

  dropped(id: string, reason: string): void {
    this.log(`${id} dropped: ${reason}`);
    const entry = this.entries.get(id);
    if (entry === undefined) return this.broken(`${id} is reported and was never sent`);
    entry.drops.push(reason);
    if (this.#fault !== null) this.#fault.reports++;
  }

  /** The server has read a message of the client, and its own library throws it away. */
  discarded(id: string): void {
    this.log(`${id} read and thrown away`);
    const entry = this.entries.get(id);
    if (entry !== undefined) entry.wasDiscarded = true;
  }

  /** `flush` said that all messages of the client that were not reported are handled. */
  confirmed(): void {
    this.log("flush() says confirmed");
    for (const entry of this.entries.values()) {
      entry.wasConfirmed ||= entry.isFromClient && !entry.wasThrown && entry.drops.length === 0;
    }
  }

  /** A receiver has handled a message; `way` names its connection. Of another process, this may be told before `sent`. */
  handled(id: string, way: string): void {
    this.log(`${id} handled over ${way}`);
    this.#handled.push({ id, way });
  }

  /** Finds each message that was handled. Those of one sender over one connection have to be in the order of sending. */
  #collect(): void {
    const newest = new Map<string, Entry>();
    for (const { id, way } of this.#handled) {
      const entry = this.entries.get(id);
      if (entry === undefined) {
        this.broken(`${id} is handled and was never sent`);
        continue;
      }
      entry.handled.push(way);
      const name = `${entry.isFromClient} ${entry.way ?? way}`;
      const last = newest.get(name);
      if (last === undefined || last.order < entry.order) newest.set(name, entry);
      else this.broken(`order: ${id} was handled after ${last.id} over ${way}`);
    }
  }

  /** Adds what became of each message to the counts, and what should not have. */
  judge(counts: Counts, rules: Rules): void {
    this.#collect();
    for (const entry of this.entries.values()) this.#judge(entry, counts, rules);
    counts.runs++;
    if (this.violations.length > 0) counts.failed++;
    for (const [name, { drawn, reports, reconnects }] of Object.entries(this.faults)) {
      const sum = counts.faults[name] ??= { drawn: 0, reports: 0, reconnects: 0 };
      sum.drawn += drawn;
      sum.reports += reports;
      sum.reconnects += reconnects;
    }
  }

  #judge(entry: Entry, counts: Counts, { mayResend, isAllowed, isDiscarded }: Rules): void {
    const { id, isFromClient, handled, drops, wasThrown, wasConfirmed } = entry;
    counts.sent++;
    if (handled.length > 0) counts.handled++;
    if (drops.length > 0) counts[handled.length > 0 ? "needless" : "needed"]++;
    if (wasThrown) counts.thrown++;
    if (drops.length + Number(wasThrown) > 1) this.broken(`${id} is reported more than once: ${drops}`);
    if (handled.length > (isFromClient && mayResend ? 2 : 1)) {
      this.broken(`duplicate: ${id} was handled ${handled.length} times`);
    }
    const isLost = wasThrown || drops.some((reason) => reason !== "unconfirmed");
    if (handled.length > 0 && isLost) this.broken(`truth: ${id} was handled, but: ${wasThrown ? "thrown" : drops}`);
    if (wasConfirmed && (handled.length === 0 || drops.length > 0)) {
      this.broken(`confirmed: flush() said so of ${id}, which was handled ${handled.length} times: ${drops}`);
    }
    if (handled.length > 0 || drops.length > 0 || wasThrown) return;
    if (!isFromClient && this.killed.has(id.split(".")[0] ?? "")) return void counts.orphaned++;
    if (isFromClient && isAllowed(entry)) return void counts.allowed++;
    if (isFromClient && isDiscarded(entry)) return void counts.discarded++;
    counts[isFromClient ? "silentToServer" : "silentToClient"]++;
    this.broken(`silent: ${id} is neither handled nor reported nor thrown`);
  }
}
