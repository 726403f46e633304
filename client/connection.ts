import { runtime } from "../runtime/mod.ts";
import type { Timer } from "../runtime/clock.ts";
import type { Drop } from "../session/drops.ts";
import { MessageConnectionError } from "../util/connection_error.ts";
import { judge, socketIoVerdict, type Verdict } from "./close_rules.ts";
import { findTarget, type Target } from "./dial.ts";
import { Heartbeat } from "./heartbeat.ts";
import type { Received } from "../session/session.ts";
import { Link, type LinkEnd, type LinkOptions } from "./link.ts";
import type { MessageClientOptions } from "./options.ts";
import { Outbox } from "./outbox.ts";
import { probeUrl, speaksSocketIo } from "./probe.ts";
import { Backoff } from "./reconnect.ts";

/** Where a client stands. */
export type ClientStatus =
  | {
    /** Not connected, nothing under way. */
    readonly state: "idle";
    /** Why the last attempt failed. */
    readonly reason?: MessageConnectionError;
  }
  | {
    /** Dialling, or upgraded and not yet known to be welcome. */
    readonly state: "connecting";
    /** 0 for the dial of `connect()`, then the number of the new dial; starts from 1 after a stable connection. */
    readonly attempt: number;
  }
  | {
    /** Usable. */
    readonly state: "open";
    /** Milliseconds since the connection before this one was lost; absent for the first. */
    readonly gap?: number;
  }
  | {
    /** Waiting to dial again. */
    readonly state: "waiting";
    /** Number of the new dial to come. */
    readonly attempt: number;
    /** Milliseconds until then. */
    readonly delay: number;
    /** What ended the last connection or dial. */
    readonly reason: MessageConnectionError;
  }
  | {
    /** Saying goodbye. */
    readonly state: "closing";
  }
  | {
    /** Down for good. */
    readonly state: "closed";
    /** What made it so; absent after `close()`. */
    readonly reason?: MessageConnectionError;
  };

/** What a connection tells its client. */
export interface ConnectionEvents {
  status(status: ClientStatus): void;
  /** A frame of the current link was a message, or is none. */
  received(received: Exclude<Received, null>, link: Link): void;
  drop(drop: Drop): void;
  /** A function of the options failed. */
  fail(error: unknown): void;
}

/** Those who wait for the link to become usable; all share one promise. */
interface Waiter extends PromiseWithResolvers<void> {
  callers: number;
}

interface Connecting {
  readonly state: "connecting";
  readonly attempt: number;
  readonly waiter: Waiter;
  /** Whether failure leads straight back to `idle`: the dial of a `connect()` without `retry`. */
  isOnce: boolean;
  /** When the connection before this one was lost; absent before the first. */
  readonly lostAt: number | undefined;
  link: Link | null;
}

interface Open {
  readonly state: "open";
  readonly attempt: number;
  readonly link: Link;
  readonly heartbeat: Heartbeat | null;
  readonly since: number;
  readonly gap?: number;
}

interface Waiting {
  readonly state: "waiting";
  readonly attempt: number;
  readonly delay: number;
  readonly reason: MessageConnectionError;
  readonly waiter: Waiter;
  readonly lostAt: number | undefined;
  readonly timer: Timer;
}

/** What a connection holds in each state, and nothing else. */
type Live =
  | { readonly state: "idle"; readonly reason?: MessageConnectionError }
  | Connecting
  | Open
  | Waiting
  | { readonly state: "closing"; readonly link: Link; readonly done: PromiseWithResolvers<void>; readonly timer: Timer }
  | { readonly state: "closed"; readonly reason?: MessageConnectionError };

function newWaiter(): Waiter {
  const waiter = { ...Promise.withResolvers<void>(), callers: 0 };
  waiter.promise.catch(() => {}); // nobody may be waiting during a reconnect: `status` tells
  return waiter;
}

/** What a closed client answers to everything. */
export function closedError(): MessageConnectionError {
  return new MessageConnectionError("closed", "Cannot use client as it must not be closed: create a new one");
}

/** The life of a client: dials, falls and dials again, and what waits meanwhile. */
export class Connection {
  readonly outbox: Outbox;
  /** Times it became usable. */
  opened = 0;
  readonly #target: () => Promise<Target>;
  readonly #options: MessageClientOptions;
  readonly #session: LinkOptions["session"];
  readonly #ca: readonly string[];
  readonly #backoff: Backoff;
  readonly #events: ConnectionEvents;
  readonly #connectTimeout: number;
  readonly #closeTimeout: number;
  /** States entered while a handler of an earlier one runs: each is told in its turn. */
  readonly #untold: ClientStatus[] = [];
  #live: Live = { state: "idle" };

  constructor(
    url: string | (() => string | Promise<string>),
    options: MessageClientOptions,
    session: LinkOptions["session"],
    events: ConnectionEvents,
  ) {
    this.#session = session;
    const { connectTimeout = 10_000, closeTimeout = 5000, tls: { ca = [] } = {} } = options;
    this.#connectTimeout = connectTimeout;
    this.#closeTimeout = closeTimeout;
    this.#ca = typeof ca === "string" ? [ca] : ca;
    this.#options = options;
    this.#events = events;
    this.#backoff = new Backoff(options.reconnect ?? {});
    this.#target = () => findTarget(url, options, connectTimeout);
    this.outbox = new Outbox(options.outbox || {}, (drop) => events.drop(drop));
  }

  get status(): ClientStatus {
    const live = this.#live;
    switch (live.state) {
      case "connecting":
        return { state: "connecting", attempt: live.attempt };
      case "open":
        return live.gap === undefined ? { state: "open" } : { state: "open", gap: live.gap };
      case "waiting":
        return { state: "waiting", attempt: live.attempt, delay: live.delay, reason: live.reason };
      case "closing":
        return { state: "closing" };
      default:
        return live.reason === undefined ? { state: live.state } : { state: live.state, reason: live.reason };
    }
  }

  /** The link that messages go over now; throws when there is none. */
  openLink(): Link {
    const live = this.#live;
    if (live.state === "open") return live.link;
    if (live.state === "closing" || live.state === "closed") throw closedError();
    throw new MessageConnectionError("not_open", `Cannot stream message as client must be open: it is ${live.state}`);
  }

  async connect(signal: AbortSignal | undefined, retry: boolean): Promise<void> {
    signal?.throwIfAborted();
    const live = this.#live;
    if (live.state === "open") return;
    if (live.state === "closing" || live.state === "closed") throw closedError();
    if (live.state === "idle") {
      const waiter = newWaiter();
      this.#dial({ state: "connecting", attempt: 0, waiter, isOnce: !retry, lostAt: undefined, link: null });
      return await this.#wait(waiter, signal);
    }
    if (retry && live.state === "connecting") live.isOnce = false;
    return await this.#wait(live.waiter, signal);
  }

  async close(): Promise<void> {
    const live = this.#live;
    if (live.state === "closed") return;
    if (live.state === "closing") return await live.done.promise;
    if (live.state === "waiting") runtime.cancel(live.timer);
    if (live.state === "open") live.heartbeat?.stop();
    const link = "link" in live ? live.link : null;
    const waiter = "waiter" in live ? live.waiter : null;
    // A link has ended already while a server that refused it is asked what it speaks.
    if (link !== null && !link.isEnded) return await this.#closeLink(link, waiter);
    this.#enter({ state: "closed" });
    waiter?.reject(closedError());
    this.outbox.clear("closed");
  }

  /** Flushes, shakes hands, and ends, each bounded by a share of `closeTimeout`. */
  async #closeLink(link: Link, waiter: Waiter | null): Promise<void> {
    const share = Math.min(this.#closeTimeout / 2, 1000);
    const end = runtime.now() + this.#closeTimeout;
    const done = Promise.withResolvers<void>();
    const goodbye = () => {
      this.outbox.hold();
      link.close(Math.max(share, end - runtime.now()));
    };
    const mustFlush = this.outbox.length > 0;
    const timer = runtime.after(mustFlush ? this.#closeTimeout - share : 0, goodbye);
    this.#enter({ state: "closing", link, done, timer });
    waiter?.reject(closedError());
    if (mustFlush) this.outbox.whenFlushed(goodbye);
    await done.promise;
  }

  #enter(live: Live): void {
    this.#live = live;
    this.#untold.push(this.status);
    if (this.#untold.length > 1) return; // a handler has led here: its caller tells
    for (let next = this.#untold[0]; next !== undefined; next = this.#untold[0]) {
      this.#events.status(next);
      this.#untold.shift();
    }
  }

  async #wait(waiter: Waiter, signal: AbortSignal | undefined): Promise<void> {
    waiter.callers++;
    if (signal === undefined) return await waiter.promise;
    const aborted = Promise.withResolvers<never>();
    const abort = () => aborted.reject(signal.reason);
    signal.addEventListener("abort", abort);
    if (signal.aborted) abort(); // by a handler of `status`, before anybody listened
    try {
      await Promise.race([waiter.promise, aborted.promise]);
    } finally {
      signal.removeEventListener("abort", abort);
      waiter.callers--;
      if (signal.aborted && waiter.callers === 0) this.#cancel(waiter);
    }
  }

  /** Gives up a first connection that nobody waits for any more; a reconnect goes on. */
  #cancel(waiter: Waiter): void {
    const live = this.#live;
    if (!("waiter" in live) || live.waiter !== waiter || live.lostAt !== undefined) return;
    if (live.state === "waiting") runtime.cancel(live.timer);
    this.#enter({ state: "idle" });
    if (live.state === "connecting") live.link?.close(this.#closeTimeout);
    if (this.#live.state === "idle") this.outbox.clear("closed");
  }

  #dial(live: Connecting): void {
    this.#enter(live);
    void this.#open(live); // never rejects
  }

  async #open(live: Connecting): Promise<void> {
    const target = await this.#target();
    if (this.#live !== live) return; // closed or cancelled meanwhile
    if (target instanceof MessageConnectionError) return this.#fall(live, { error: target, isFatal: false });
    const { url, headers } = target;
    const { platform } = this.#options;
    try {
      const options = {
        platform,
        headers,
        ca: this.#ca,
        connectTimeout: this.#connectTimeout,
        session: this.#session,
      };
      const link: Link = new Link(url, options, {
        usable: () => this.#usable(live, link),
        frame: (text) => this.#frame(link, text),
        alive: () => this.#alive(link),
        confirmed: (sentBefore) => this.#confirmed(link, sentBefore),
        ended: (end) => this.#ended(link, end),
      });
      live.link = link;
    } catch (cause) {
      const end = { code: 1006, reason: "", wasUpgraded: false, wasClosing: false, timeout: null, cause };
      this.#fall(live, judge(end, new URL(url)));
    }
  }

  #isCurrent(link: Link): boolean {
    return "link" in this.#live && this.#live.link === link;
  }

  #usable(from: Connecting, link: Link): void {
    if (this.#live === from) {
      const since = runtime.now();
      const gap = from.lostAt === undefined ? {} : { gap: Math.round(since - from.lostAt) };
      this.opened++;
      this.#enter({ state: "open", attempt: from.attempt, link, heartbeat: this.#heartbeat(link), since, ...gap });
      from.waiter.resolve();
    }
    // A handler of `status` may have closed the client; then what waits is still sent before the goodbye.
    if (!this.#isCurrent(link)) return;
    this.outbox.attach(link);
    if (this.#live.state === "open") this.#live.heartbeat?.start();
  }

  #frame(link: Link, text: string | null): void {
    if (!this.#isCurrent(link)) return;
    if (this.#live.state === "open") this.#live.heartbeat?.sign();
    const received = link.session.receive(text);
    if (received !== null) this.#events.received(received, link);
  }

  #alive(link: Link): void {
    if (this.#isCurrent(link) && this.#live.state === "open") this.#live.heartbeat?.sign();
  }

  #confirmed(link: Link, sentBefore: number): void {
    if (this.#isCurrent(link)) this.outbox.confirm(sentBefore);
  }

  #ended(link: Link, end: LinkEnd): void {
    const live = this.#live;
    if (!("link" in live) || live.link !== link) return;
    if (live.state !== "closing") return void this.#fallWithAdvice(live, end, judge(end, link.url));
    runtime.cancel(live.timer);
    this.#enter({ state: "closed" });
    // Only the echo of our own close frame proves that everything before it was read.
    const isEcho = end.wasClosing && end.code === 1000 && end.reason === "";
    this.outbox.detach({ silentSince: Infinity, verdict: isEcho ? "delivered" : "in_doubt", mayResend: false });
    this.outbox.clear("closed");
    live.done.resolve();
  }

  /** A server that refused the handshake may speak Socket.IO: it is asked, once and briefly. */
  async #fallWithAdvice(live: Connecting | Open, end: LinkEnd, verdict: Verdict): Promise<void> {
    const status = live.state === "connecting" ? runtime.httpStatus(end.cause) : null;
    if (live.link === null || (status !== 400 && status !== 404)) return this.#fall(live, verdict);
    const isSocketIo = await speaksSocketIo(live.link.url, this.#ca);
    if (this.#live !== live) return; // closed meanwhile
    this.#fall(live, isSocketIo ? socketIoVerdict(verdict) : verdict);
  }

  /** Decides what follows the end of a dial or of a connection. */
  #fall(live: Connecting | Open, { error: reason, isFatal }: Verdict): void {
    const waiter = live.state === "connecting" ? live.waiter : newWaiter();
    const lostAt = live.state === "connecting" ? live.lostAt : runtime.now();
    const isStable = live.state === "open" && runtime.now() - live.since >= this.#backoff.stableAfter;
    const attempt = isStable ? 1 : live.attempt + 1;
    const isOnce = live.state === "connecting" && live.isOnce;
    const silentSince = live.state === "open" ? live.heartbeat?.silentSince ?? Infinity : Infinity;
    if (live.state === "open") live.heartbeat?.stop();
    this.outbox.hold(); // what handlers send from here on waits for the next line
    const delay = isFatal || isOnce ? null : this.#delay(attempt, reason);
    if (this.#live === live) {
      if (delay !== null) this.#waitFor({ attempt, delay, reason, waiter, lostAt });
      else this.#enter({ state: lostAt === undefined ? "idle" : "closed", reason });
    }
    this.#settle(reason.code, silentSince);
    if (delay === null) waiter.reject(reason);
  }

  /** Tells what became of the messages on the line that fell, and of those that can wait no longer. */
  #settle(code: MessageConnectionError["code"], silentSince: number): void {
    const verdict = code === "unauthorized" || code === "too_large" ? code : "in_doubt";
    this.outbox.detach({ silentSince, verdict, mayResend: this.#live.state === "waiting" });
    const isOver = this.#live.state === "idle" || this.#live.state === "closed";
    if (isOver) this.outbox.clear(code === "unauthorized" ? "unauthorized" : "closed");
  }

  #delay(attempt: number, reason: MessageConnectionError): number | null {
    try {
      return this.#backoff.delayOf(attempt, reason);
    } catch (error) {
      this.#events.fail(error);
      return null;
    }
  }

  #waitFor(next: Omit<Waiting, "state" | "timer">): void {
    const { attempt, waiter, lostAt, delay } = next;
    const dial = () => this.#dial({ state: "connecting", attempt, waiter, lostAt, isOnce: false, link: null });
    this.#enter({ ...next, state: "waiting", timer: runtime.after(delay, dial) });
  }

  #heartbeat(link: Link): Heartbeat | null {
    const { heartbeat = {} } = this.#options;
    if (heartbeat === false) return null;
    return new Heartbeat(heartbeat, {
      ask: (signal) => this.#ask(link, signal, heartbeat.probe ?? true),
      get bufferedAmount() {
        return link.bufferedAmount;
      },
      dead: () => link.abandon("no answer to the heartbeat"),
    });
  }

  /** Asks by the best means there is: our own ping, the protocol's, or an HTTP request beside the connection. */
  #ask(link: Link, signal: AbortSignal, mayProbe: boolean): boolean {
    if (link.ask()) return true;
    if (mayProbe) void this.#probe(link, signal);
    return mayProbe;
  }

  async #probe(link: Link, signal: AbortSignal): Promise<void> {
    try {
      await runtime.get(probeUrl(link.url), this.#ca, signal);
    } catch {
      return; // no answer is what the heartbeat waits for
    }
    this.#alive(link);
  }
}
