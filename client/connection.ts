import { runtime } from "../runtime/mod.ts";
import type { Drop } from "../session/drops.ts";
import type { Received, SessionEvents } from "../session/session.ts";
import { MessageConnectionError } from "../util/connection_error.ts";
import { closeVerdict, socketIoVerdict, type Verdict } from "./close_rules.ts";
import { findTarget, type UrlOption } from "./dial.ts";
import { Heartbeat } from "./heartbeat.ts";
import { type Connecting, type Live, newWaiter, type Open, statusOf, type Waiter, type Waiting } from "./life.ts";
import { Link, type LinkEnd } from "./link.ts";
import { Outbox } from "./outbox.ts";
import { probeUrl, speaksSocketIo } from "./probe.ts";
import { delayBefore } from "./reconnect.ts";
import type { ClientSettings } from "./settings.ts";
import type { ClientStatus } from "./status.ts";

/** What a connection tells its client. */
export interface ConnectionEvents {
  status(status: ClientStatus): void;
  /** A frame of the current link was a message, or is none. */
  received(received: Exclude<Received, null>, link: Link): void;
  drop(drop: Drop): void;
  /** A function of the options failed. */
  fail(error: unknown): void;
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
  readonly #url: UrlOption;
  readonly #settings: ClientSettings;
  readonly #sessionEvents: SessionEvents<Link>;
  readonly #events: ConnectionEvents;
  /** States entered while a handler of an earlier one runs: each is told in its turn. */
  readonly #untold: ClientStatus[] = [];
  #live: Live = { state: "idle" };

  constructor(
    url: UrlOption,
    settings: ClientSettings,
    sessionEvents: SessionEvents<Link>,
    events: ConnectionEvents,
  ) {
    this.#url = url;
    this.#settings = settings;
    this.#sessionEvents = sessionEvents;
    this.#events = events;
    this.outbox = new Outbox(settings.outbox, (drop) => events.drop(drop));
  }

  get status(): ClientStatus {
    return statusOf(this.#live);
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
    const share = Math.min(this.#settings.closeTimeout / 2, 1000);
    const end = runtime.now() + this.#settings.closeTimeout;
    const done = Promise.withResolvers<void>();
    const goodbye = () => {
      this.outbox.hold();
      link.close(Math.max(share, end - runtime.now()));
    };
    const mustFlush = this.outbox.length > 0;
    const timer = runtime.after(mustFlush ? this.#settings.closeTimeout - share : 0, goodbye);
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
    if (live.state === "connecting") live.link?.close(this.#settings.closeTimeout);
    if (this.#live.state === "idle") this.outbox.clear("closed");
  }

  #dial(live: Connecting): void {
    this.#enter(live);
    void this.#open(live); // never rejects
  }

  async #open(live: Connecting): Promise<void> {
    const target = await findTarget(this.#url, this.#settings);
    if (this.#live !== live) return; // closed or cancelled meanwhile
    if (target instanceof MessageConnectionError) return this.#fall(live, { error: target, isFatal: false });
    const { url, headers } = target;
    const { platform, ca, connectTimeout, session } = this.#settings;
    try {
      const options = { platform, headers, ca, connectTimeout, session, sessionEvents: this.#sessionEvents };
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
      this.#fall(live, closeVerdict(end, new URL(url)));
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
    if (live.state !== "closing") return void this.#fallWithAdvice(live, end, closeVerdict(end, link.url));
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
    const isSocketIo = await speaksSocketIo(live.link.url, this.#settings.ca);
    if (this.#live !== live) return; // closed meanwhile
    this.#fall(live, isSocketIo ? socketIoVerdict(verdict) : verdict);
  }

  /** Decides what follows the end of a dial or of a connection. */
  #fall(live: Connecting | Open, { error: reason, isFatal }: Verdict): void {
    const waiter = live.state === "connecting" ? live.waiter : newWaiter();
    const lostAt = live.state === "connecting" ? live.lostAt : runtime.now();
    const isStable = live.state === "open" && runtime.now() - live.since >= this.#settings.reconnect.stableAfter;
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
      return delayBefore(attempt, reason, this.#settings.reconnect);
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
    const { heartbeat } = this.#settings;
    if (heartbeat === null) return null;
    return new Heartbeat(heartbeat, {
      ask: (signal) => this.#ask(link, signal, heartbeat.probe),
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
      await runtime.get(probeUrl(link.url), this.#settings.ca, signal);
    } catch {
      return; // no answer is what the heartbeat waits for
    }
    this.#alive(link);
  }
}
