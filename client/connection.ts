import { runtime } from "../runtime/mod.ts";
import type { Drop } from "../session/drops.ts";
import type { Content, Received, SessionEvents } from "../session/session.ts";
import { CLOSE } from "../util/close_codes.ts";
import { MessageConnectionError } from "../util/connection_error.ts";
import { closeVerdict } from "./close_rules.ts";
import { Closing } from "./closing.ts";
import { findTarget, type UrlOption } from "./dial.ts";
import { askForReason, hasHiddenReason } from "./dial_question.ts";
import type { Heartbeat } from "./heartbeat.ts";
import {
  type Connecting,
  type Life,
  newWaiter,
  type Open,
  statusOf,
  type Waiter,
  type Waiting,
} from "./connection_state.ts";
import { Link, type LinkEnd } from "./link.ts";
import { Outbox, type OutboxItem } from "./outbox.ts";
import { delayBefore } from "./reconnect.ts";
import type { ClientSettings } from "./settings.ts";
import type { ClientStatus } from "./status.ts";
import type { CloseVerdict } from "./verdict.ts";
import { watchLink } from "./watch_link.ts";

/** Events of a connection. */
export interface ConnectionEvents {
  /** The state has changed. */
  status(status: ClientStatus): void;
  /** A frame was received over the current link. `received` is its message, or the error for its fault. */
  received(received: Content, link: Link): void;
  /** A message is lost, or may be lost. */
  drop(drop: Drop): void;
  /** A function that the user gave in the options has failed. */
  fail(error: unknown): void;
}

/** Creates the error for a client that is closed. */
export function closedError(): MessageConnectionError {
  return new MessageConnectionError("closed", "Client is closed; create a new one");
}

/**
 * The connection of a client, with its states. It dials, dials again if the link is lost, and keeps the messages that
 * wait meanwhile.
 */
export class Connection {
  readonly outbox: Outbox;
  /** Number of times that the connection became open. */
  opened = 0;
  readonly #url: UrlOption;
  readonly #settings: ClientSettings;
  readonly #sessionEvents: SessionEvents<Link, OutboxItem>;
  readonly #events: ConnectionEvents;
  /**
   * States that were not reported yet. There can be several, because a handler of `status` may cause the next state.
   */
  readonly #unreported: ClientStatus[] = [];
  /**
   * Functions that are called when everything that was sent before is confirmed, or when the link has ended. The value
   * tells whether it is confirmed.
   */
  readonly #confirmedCallbacks = new Map<(isConfirmed: boolean) => void, () => boolean>();
  #life: Life = { state: "idle" };

  constructor(
    url: UrlOption,
    settings: ClientSettings,
    sessionEvents: SessionEvents<Link, OutboxItem>,
    events: ConnectionEvents,
  ) {
    this.#url = url;
    this.#settings = settings;
    this.#sessionEvents = sessionEvents;
    this.#events = events;
    this.outbox = new Outbox(settings.outbox, (drop) => events.drop(drop));
  }

  get status(): ClientStatus {
    return statusOf(this.#life);
  }

  /**
   * Asks the server to confirm everything that was sent so far. Calls `callback` once: with true when it is confirmed,
   * with false if the server cannot confirm messages or the connection is lost.
   *
   * @returns A function that removes the callback.
   */
  whenConfirmed(callback: (isConfirmed: boolean) => void): () => void {
    const session = this.#life.state === "open" ? this.#life.link.session : null;
    if (session?.answersPings !== true) callback(false);
    else if (session.isConfirmed) callback(true);
    else {
      this.#confirmedCallbacks.set(callback, session.confirmedSoFar());
      // One ping at a time: if one is under way, the next round sends the next one.
      if (session.isAnswered) session.ask({ isLast: false });
    }
    return () => void this.#confirmedCallbacks.delete(callback);
  }

  /** Calls the callbacks for messages that are confirmed; if the link has ended, also the others. */
  #callConfirmed({ isEnded }: { isEnded: boolean }): void {
    for (const [callback, isConfirmed] of [...this.#confirmedCallbacks]) {
      if (!isEnded && !isConfirmed()) continue;
      this.#confirmedCallbacks.delete(callback);
      callback(!isEnded);
    }
  }

  /** Returns the open link; throws if there is none. */
  openLink(): Link {
    const life = this.#life;
    if (life.state === "open") return life.link;
    if (life.state === "closing" || life.state === "closed") throw closedError();
    throw new MessageConnectionError(
      "not_open",
      `Client is ${life.state}; a stream can only be sent while it is open: wait for connect()`,
    );
  }

  async connect({ signal, retry }: { signal: AbortSignal | undefined; retry: boolean }): Promise<void> {
    signal?.throwIfAborted();
    const life = this.#life;
    if (life.state === "open") return;
    if (life.state === "closing" || life.state === "closed") throw closedError();
    if (life.state === "idle") {
      const waiter = newWaiter();
      this.#dial({ state: "connecting", attempt: 0, waiter, isOnce: !retry, lostAt: undefined, link: null });
      return await this.#wait(waiter, signal);
    }
    if (retry && life.state === "connecting") life.isOnce = false;
    return await this.#wait(life.waiter, signal);
  }

  async close(): Promise<void> {
    const life = this.#life;
    if (life.state === "closed") return;
    if (life.state === "closing") return await life.done.promise;
    if (life.state === "waiting") runtime.cancel(life.timer);
    if (life.state === "open") life.heartbeat?.stop();
    const link = "link" in life ? life.link : null;
    const waiter = "waiter" in life ? life.waiter : null;
    // The link may have ended already: after a failed dial, the client may still ask the server for the reason.
    if (link !== null && !link.isEnded) {
      const closing = new Closing(link, this.outbox, this.#settings);
      this.#enter(closing);
      waiter?.reject(closedError());
      closing.start();
      return await closing.done.promise;
    }
    this.#enter({ state: "closed" });
    waiter?.reject(closedError());
    this.outbox.dropWaiting("closed");
  }

  #enter(life: Life): void {
    this.#life = life;
    this.#unreported.push(this.status);
    if (this.#unreported.length > 1) return; // called by a handler of `status`: the loop of the outer call reports it
    for (let next = this.#unreported[0]; next !== undefined; next = this.#unreported[0]) {
      this.#events.status(next);
      this.#unreported.shift();
    }
  }

  async #wait(waiter: Waiter, signal: AbortSignal | undefined): Promise<void> {
    waiter.callers++;
    if (signal === undefined) return await waiter.promise;
    const aborted = Promise.withResolvers<never>();
    const abort = () => aborted.reject(signal.reason);
    signal.addEventListener("abort", abort);
    if (signal.aborted) abort(); // a handler of `status` has aborted the signal
    try {
      await Promise.race([waiter.promise, aborted.promise]);
    } finally {
      signal.removeEventListener("abort", abort);
      waiter.callers--;
      if (signal.aborted && waiter.callers === 0) this.#cancelConnect(waiter);
    }
  }

  /** Cancels the first connection of the client if no caller waits for it any more. A reconnect is not cancelled. */
  #cancelConnect(waiter: Waiter): void {
    const life = this.#life;
    if (!("waiter" in life) || life.waiter !== waiter || life.lostAt !== undefined) return;
    if (life.state === "waiting") runtime.cancel(life.timer);
    this.#enter({ state: "idle" });
    if (life.state === "connecting") life.link?.close(this.#settings.closeTimeout);
    if (this.#life.state === "idle") this.outbox.dropWaiting("closed");
  }

  #dial(life: Connecting): void {
    this.#enter(life);
    void this.#startLink(life); // never rejects
  }

  async #startLink(life: Connecting): Promise<void> {
    const target = await findTarget(this.#url, this.#settings);
    if (this.#life !== life) return; // closed or cancelled meanwhile
    if (target instanceof MessageConnectionError) return this.#retryOrStop(life, { error: target, isFatal: false });
    const { url, headers } = target;
    const { platform, ca, connectTimeout, heartbeat, session } = this.#settings;
    try {
      const canFindOut = heartbeat !== null && (heartbeat.probe || runtime.canPing);
      const options = {
        platform,
        canFindOut,
        headers,
        ca,
        connectTimeout,
        session,
        sessionEvents: this.#sessionEvents,
      };
      const link: Link = new Link(url, options, {
        usable: () => this.#usable(life, link),
        wantsFrames: () => this.#isCurrent(link),
        received: (received) => this.#received(link, received),
        confirmed: () => this.#confirmed(link),
        findOut: () => this.#findOut(link),
        ended: (end) => this.#ended(link, end),
      });
      life.link = link;
    } catch (cause) {
      const end: LinkEnd = { code: 1006, reason: "", wasUpgraded: false, closingSince: null, timeout: null, cause };
      this.#retryOrStop(life, closeVerdict(end, new URL(url)));
    }
  }

  #isCurrent(link: Link): boolean {
    return "link" in this.#life && this.#life.link === link;
  }

  #usable(from: Connecting, link: Link): void {
    if (this.#life === from) {
      const since = runtime.now();
      const gap = from.lostAt === undefined ? {} : { gap: Math.round(since - from.lostAt) };
      this.opened++;
      this.#enter({ state: "open", attempt: from.attempt, link, heartbeat: this.#watch(link), since, ...gap });
      from.waiter.resolve();
    }
    // Even if a handler of `status` has closed the client, the waiting messages are sent before the closing handshake.
    if (!this.#isCurrent(link)) return;
    this.outbox.attach(link);
    if (this.#life.state === "open") this.#life.heartbeat?.start();
  }

  #watch(link: Link): Heartbeat | null {
    return watchLink(link, this.#settings, () => this.outbox.roomAgain());
  }

  #received(link: Link, received: Received): void {
    this.outbox.roomAgain(); // what the server is may be known only now
    if (typeof received !== "string") this.#events.received(received, link);
  }

  #confirmed(link: Link): void {
    if (!this.#isCurrent(link)) return;
    this.outbox.roomAgain();
    this.#callConfirmed({ isEnded: false });
    if (this.#life.state === "closing") this.#life.confirmed();
  }

  #findOut(link: Link): void {
    if (this.#isCurrent(link) && this.#life.state === "open") this.#life.heartbeat?.askNow();
  }

  #ended(link: Link, end: LinkEnd): void {
    link.session.leaveRounds();
    const life = this.#life;
    if (!("link" in life) || life.link !== link) return;
    if (life.state === "closing") this.#endClosing(life, end);
    else void this.#handleEnd(life, link, end); // never rejects
  }

  #endClosing(closing: Closing, { code, reason }: LinkEnd): void {
    const { link, done } = closing;
    closing.stop();
    this.outbox.stopSending();
    this.#enter({ state: "closed" });
    const isSilent = code === CLOSE.abnormal.code;
    const items = link.session.takeInDoubt(isSilent ? link.heardAt : Infinity);
    // If a server of another library has answered our close frame, it has read everything that was sent before.
    const isAnswer = code === CLOSE.clientClosed.code && reason === CLOSE.clientClosed.reason;
    const isRead = isAnswer && !link.session.answersPings && !link.session.isUnknown;
    this.#settle(isRead ? [] : items, "closed");
    this.outbox.dropWaiting("closed");
    done.resolve();
  }

  /** Settles the messages that were sent over a link that has ended, and that are in doubt. */
  #settle(items: readonly OutboxItem[], code: MessageConnectionError["code"]): void {
    const sentMessages = code === "unauthorized" || code === "too_large" ? code : "in_doubt";
    this.outbox.settle(items, { sentMessages, canResend: this.#life.state === "waiting" });
    this.#callConfirmed({ isEnded: true });
  }

  /** Handles a link that has ended. If its dial failed for a hidden reason, first asks the server for the reason. */
  async #handleEnd(life: Connecting | Open, link: Link, end: LinkEnd): Promise<void> {
    if (!hasHiddenReason(end)) return this.#retryOrStop(life, closeVerdict(end, link.url));
    const { ca, connectTimeout } = this.#settings;
    const timeout = link.dialledAt + connectTimeout - runtime.now();
    const verdict = await askForReason(end, link.url, { ca, timeout });
    if (this.#life === life) this.#retryOrStop(life, verdict); // otherwise closed meanwhile
  }

  /** Decides whether the client dials again after a dial has failed or an open link has ended. */
  #retryOrStop(life: Connecting | Open, { error: reason, isFatal }: CloseVerdict): void {
    const waiter = life.state === "connecting" ? life.waiter : newWaiter();
    const lostAt = life.state === "connecting" ? life.lostAt : runtime.now();
    const isStable = life.state === "open" && runtime.now() - life.since >= this.#settings.reconnect.stableAfter;
    const attempt = isStable ? 1 : life.attempt + 1;
    const isOnce = life.state === "connecting" && life.isOnce;
    const items = life.state === "open" ? this.#takeInDoubt(life, reason) : [];
    if (life.state === "open") life.heartbeat?.stop();
    this.outbox.stopSending(); // messages that handlers send from now on wait for the next link
    const delay = isFatal || isOnce ? null : this.#reconnectDelay(attempt, reason);
    if (this.#life === life) {
      if (delay !== null) this.#dialLater({ attempt, delay, reason, waiter, lostAt });
      else this.#enter({ state: lostAt === undefined ? "idle" : "closed", reason });
    }
    const wasLetIn = life.state === "open" && life.link.hasFrames;
    this.#settle(items, wasLetIn && reason.code === "unauthorized" ? "closed" : reason.code);
    const isOver = this.#life.state === "idle" || this.#life.state === "closed";
    if (isOver) this.outbox.dropWaiting(reason.code === "unauthorized" ? "unauthorized" : "closed");
    if (delay === null) waiter.reject(reason);
  }

  #takeInDoubt({ link, heartbeat }: Open, { code }: MessageConnectionError): OutboxItem[] {
    // A server that refuses the token has handled nothing, although its runtime may have answered pings.
    const silentSince = code === "unauthorized" ? -Infinity : heartbeat?.silentSince ?? Infinity;
    return link.session.takeInDoubt(silentSince);
  }

  /** Returns the delay before the next dial; `null` if there is no next dial, or if the user's function has failed. */
  #reconnectDelay(attempt: number, reason: MessageConnectionError): number | null {
    try {
      return delayBefore(attempt, reason, this.#settings.reconnect);
    } catch (error) {
      this.#events.fail(error);
      return null;
    }
  }

  #dialLater(next: Omit<Waiting, "state" | "timer">): void {
    const { attempt, waiter, lostAt, delay } = next;
    const dial = () => this.#dial({ state: "connecting", attempt, waiter, lostAt, isOnce: false, link: null });
    this.#enter({ ...next, state: "waiting", timer: runtime.after(delay, dial) });
  }
}
