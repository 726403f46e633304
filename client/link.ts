import { encodeMessage } from "../codec/encode.ts";
import type { WireMessage } from "../schema/rules.ts";
import { chunkMessage } from "../session/transfer/frames.ts";
import { pingMessage } from "../session/hello.ts";
import type { Confirms, Line } from "./outbox.ts";
import { runtime } from "../runtime/mod.ts";
import type { Dialled, DialOptions } from "../runtime/types.ts";
import type { Timer } from "../runtime/clock.ts";
import { isLarge, lineFell, type Transfers } from "../session/transfer/transfers.ts";

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
  /** A ping or pong of the server, where the runtime tells of them; a pong with the number of its ping. */
  sign(pong: number | null): void;
  /** Makes what looks after transfers in pieces; called once, when it is needed. */
  transfers(): Transfers;
  ended(end: LinkEnd): void;
}

/** What a link needs. */
export interface LinkOptions extends DialOptions {
  /** Name this side routes by. */
  platform: string;
  /** Milliseconds the handshake may take. */
  connectTimeout: number;
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
export class Link implements Line {
  /** What the server agreed to by hello; `null` before it spoke. */
  features: readonly string[] | null = null;
  /** What was dialled. */
  readonly url: URL;
  readonly #events: LinkEvents;
  readonly #dialled: Dialled;
  readonly #platform: string;
  /** When each ping without an answer was sent, by its number. */
  readonly #asked = new Map<number, number>();
  #pings = 0;
  #life: Life;
  #wasUpgraded = false;
  #cause: unknown;
  #transfers: Transfers | null = null;

  /** Dials at once; throws what the runtime throws for an impossible dial. */
  constructor(url: string, { connectTimeout, platform, ...dial }: LinkOptions, events: LinkEvents) {
    this.#events = events;
    this.#platform = platform;
    this.url = new URL(url);
    this.#dialled = runtime.dial(url, dial);
    const { socket } = this.#dialled;
    socket.binaryType = "arraybuffer";
    socket.onopen = () => this.#upgraded();
    socket.onmessage = ({ data }) => this.#frame(typeof data === "string" ? data : null);
    this.#dialled.onsign = (pong) => events.sign(pong === null ? null : Number(pong));
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

  /** Whether messages may go in pieces. */
  get takesChunks(): boolean {
    return this.features?.includes("chunks") ?? false;
  }

  /** What is under way in pieces. */
  get transfers(): Transfers {
    return this.#transfers ??= this.#events.transfers();
  }

  /** Queues one message, in one frame or, where it is large and that was agreed on, in pieces. */
  send(text: string, message: WireMessage): void {
    if (!this.takesChunks || !isLarge(text)) return this.post(text);
    for (const frame of this.transfers.whole(text, message)) {
      this.post(encodeMessage(chunkMessage(frame, this.#platform)));
    }
  }

  /** Queues one text frame. */
  post(text: string): void {
    this.#dialled.socket.send(text);
  }

  /** What the answer to a ping proves: ours is given after the handlers were called, the protocol's before. */
  get confirms(): Confirms {
    if (this.features?.includes("ping")) return "handled";
    return this.#dialled.ping === undefined ? "nothing" : "read";
  }

  /** Sends a ping by the best means there is; false if there is none. */
  ask(): boolean {
    const { confirms } = this;
    if (confirms === "nothing") return false;
    const number = ++this.#pings;
    this.#asked.set(number, runtime.now());
    if (confirms === "handled") this.post(encodeMessage(pingMessage(number, this.#platform)));
    else this.#dialled.ping?.(`${number}`);
    return true;
  }

  /** When the ping of a number was sent; what was sent before it is confirmed. No question, no confirmation. */
  answered(number: number): number {
    const at = this.#asked.get(number);
    if (at === undefined) return -Infinity;
    for (const earlier of this.#asked.keys()) if (earlier <= number) this.#asked.delete(earlier);
    return at;
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
    this.#transfers?.end(lineFell("the connection ended"));
    this.#events.ended({ code, reason, wasUpgraded: this.#wasUpgraded, wasClosing, timeout, cause: this.#cause });
  }
}
