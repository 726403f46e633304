import type { Timer } from "../runtime/clock.ts";
import { runtime } from "../runtime/mod.ts";
import type { Dialled, DialOptions } from "../runtime/types.ts";
import type { WireMessage } from "../schema/types.ts";
import { Session, type SessionChannel, type SessionEvents, type SessionOptions } from "../session/session.ts";
import { connectionEnded } from "../session/transfer/transfers.ts";
import type { Confirms, Line } from "./outbox.ts";

/** How a link ended. */
export interface LinkEnd {
  /** Close code, 1006 when there was no close frame. */
  readonly code: number;
  readonly reason: string;
  /** Whether the handshake had succeeded. */
  readonly wasUpgraded: boolean;
  /** Whether our close frame was under way. */
  readonly wasClosing: boolean;
  /** Milliseconds after which our own clock ended it; `null` when the other side did. */
  readonly timeout: number | null;
  /** What the runtime said, if anything. */
  readonly cause: unknown;
}

/** What a link tells its client. `ended` comes exactly once, last. */
export interface LinkEvents {
  /** Frames are being answered, or nothing spoke against it for a while: sending makes sense. */
  usable(): void;
  /** One frame; `null` is a binary one. */
  frame(text: string | null): void;
  /** The server has shown that it lives, by a ping or a pong of the protocol. */
  alive(): void;
  /** The server has answered a ping: what was sent before this time has got there. */
  confirmed(sentBefore: number): void;
  ended(end: LinkEnd): void;
}

/** What a link needs. */
export interface LinkOptions extends DialOptions {
  /** Name this side routes by. */
  platform: string;
  /** Milliseconds the handshake may take. */
  connectTimeout: number;
  /** How the conversation over it behaves. */
  session: SessionOptions;
  sessionEvents: SessionEvents<Link>;
}

/**
 * Milliseconds after the upgrade without a close that make a link usable.
 * Source: maim_message 0.6.8, ws_connection.py, websocket_endpoint: the server accepts first and closes 1008 then.
 */
const PROBATION = 150;

type Life =
  | { readonly state: "dialling"; readonly timer: Timer }
  | { readonly state: "probation"; readonly timer: Timer }
  | { readonly state: "usable" }
  | { readonly state: "closing"; readonly timer: Timer }
  | { readonly state: "ended" };

/** One WebSocket, from the dial to its end, with a bound on every wait. */
export class Link implements Line, SessionChannel {
  /** Name this side routes by. */
  readonly platform: string;
  /** What was dialled. */
  readonly url: URL;
  readonly session: Session<Link>;
  readonly #events: LinkEvents;
  readonly #dialled: Dialled;
  #life: Life;
  #wasUpgraded = false;
  #cause: unknown;

  /** Dials at once; throws what the runtime throws for an impossible dial. */
  constructor(
    url: string,
    { connectTimeout, platform, session, sessionEvents, ...dial }: LinkOptions,
    events: LinkEvents,
  ) {
    this.#events = events;
    this.platform = platform;
    this.session = new Session<Link>(this, sessionEvents, session, null);
    this.url = new URL(url);
    this.#dialled = runtime.dial(url, dial);
    const { socket } = this.#dialled;
    socket.binaryType = "arraybuffer";
    socket.onopen = () => this.#upgraded();
    socket.onmessage = ({ data }) => this.#frame(typeof data === "string" ? data : null);
    this.#dialled.onsign = (pong) => this.#heardOf(pong);
    socket.onerror = (event) => this.#cause ??= runtime.errorOf(event);
    socket.onclose = ({ code, reason }) => this.#end(code || 1006, reason, null);
    this.#life = { state: "dialling", timer: runtime.after(connectTimeout, () => this.#end(1006, "", connectTimeout)) };
  }

  /** Whether it is gone. */
  get isEnded(): boolean {
    return this.#life.state === "ended";
  }

  /** Bytes that the kernel has not taken yet. */
  get bufferedAmount(): number {
    return this.#dialled.socket.bufferedAmount;
  }

  /** Queues one message, in as many frames as it takes. */
  send(text: string, message: WireMessage): void {
    this.session.send(text, message);
  }

  /** Queues one text frame. */
  sendFrame(text: string): void {
    this.#dialled.socket.send(text);
  }

  /** Queues a frame of the session's own; a socket that is closing drops it. */
  sendOwn(text: string): void {
    this.#dialled.socket.send(text);
  }

  /** The server has answered a ping of the session's. */
  confirmed(sentBefore: number): void {
    this.#events.confirmed(sentBefore);
  }

  /** A ping of the server, or the pong to one of ours, as the runtime tells. */
  #heardOf(pong: string | null): void {
    this.#events.alive();
    if (pong !== null) this.#events.confirmed(this.session.answered(Number(pong)));
  }

  /** What the answer to a ping proves: ours is given after the handlers were called, the protocol's before. */
  get confirms(): Confirms {
    if (this.session.answersPings) return "handled";
    return this.#dialled.ping === undefined ? "nothing" : "read";
  }

  /** Sends a ping by the best means there is; false if there is none. */
  ask(): boolean {
    const { confirms } = this;
    if (confirms === "handled") this.session.ping();
    else if (confirms === "read") this.#dialled.ping?.(`${this.session.newPing()}`);
    return confirms !== "nothing";
  }

  /** Gives the link up without a handshake. */
  abandon(reason: string): void {
    this.#end(1006, reason, null);
  }

  /** Starts the closing handshake; the end comes within `timeout` milliseconds. */
  close(timeout: number): void {
    const { state } = this.#life;
    if (state === "ended" || state === "closing") return;
    this.#clearTimer();
    if (state === "dialling") return this.#end(1006, "", null);
    this.#life = { state: "closing", timer: runtime.after(timeout, () => this.#end(1006, "", timeout)) };
    this.#dialled.socket.close(1000);
  }

  #clearTimer(): void {
    if ("timer" in this.#life) runtime.cancel(this.#life.timer);
  }

  #upgraded(): void {
    if (this.#life.state !== "dialling") return;
    this.#clearTimer();
    this.#wasUpgraded = true;
    this.#life = { state: "probation", timer: runtime.after(PROBATION, () => this.#makeUsable()) };
  }

  #makeUsable(): void {
    this.#clearTimer();
    this.#life = { state: "usable" };
    this.#events.usable();
  }

  #frame(text: string | null): void {
    if (this.#life.state === "probation") this.#makeUsable();
    if (this.#life.state !== "ended") this.#events.frame(text);
  }

  #end(code: number, reason: string, timeout: number | null): void {
    if (this.#life.state === "ended") return;
    this.#clearTimer();
    const wasClosing = this.#life.state === "closing";
    this.#life = { state: "ended" };
    const { socket } = this.#dialled;
    socket.onopen =
      socket.onmessage =
      socket.onclose =
      this.#dialled.onsign =
        null;
    // A late error must still have a listener, and a socket that is not closed yet must not stay.
    if (socket.readyState !== WebSocket.CLOSED) socket.close();
    this.#dialled.release();
    this.session.end(connectionEnded("the connection ended"));
    this.#events.ended({ code, reason, wasUpgraded: this.#wasUpgraded, wasClosing, timeout, cause: this.#cause });
  }
}
