import type { Timer } from "../runtime/clock.ts";
import { runtime } from "../runtime/mod.ts";
import type { Link } from "./link.ts";
import type { Outbox } from "./outbox.ts";

/** Share of `closeTimeout` until which the messages that wait are sent. */
const FLUSH_UNTIL = 0.5;
/** Share of `closeTimeout` until which the server may confirm what was sent. */
const ASK_UNTIL = 0.8;

/**
 * State: the client is closing. It sends the messages that wait, asks the server to confirm everything, then does the
 * closing handshake. Each step ends at its share of `closeTimeout` at the latest.
 */
export class Closing {
  readonly state = "closing";
  readonly link: Link;
  readonly since: number = runtime.now();
  /** Resolves when the link has ended. */
  readonly done: PromiseWithResolvers<void> = Promise.withResolvers<void>();
  readonly #outbox: Outbox;
  readonly #closeTimeout: number;
  #step: "flush" | "ask" | "shake hands" = "flush";
  #timer: Timer | undefined;

  constructor(link: Link, outbox: Outbox, closeTimeout: number) {
    this.link = link;
    this.#outbox = outbox;
    this.#closeTimeout = closeTimeout;
  }

  /** Starts the first step. */
  start(): void {
    this.link.session.beginEnd();
    this.#timer = runtime.after(this.#closeTimeout * FLUSH_UNTIL, () => this.#ask());
    this.#outbox.whenFlushed(() => this.#ask());
  }

  #ask(): void {
    if (this.#step !== "flush") return;
    this.#step = "ask";
    runtime.cancel(this.#timer);
    this.#outbox.stopSending();
    if (!this.link.session.ask({ isLast: true })) return this.#shakeHands();
    const rest = this.since + this.#closeTimeout * ASK_UNTIL - runtime.now();
    this.#timer = runtime.after(Math.max(0, rest), () => this.#shakeHands());
  }

  /** The server has answered a ping. */
  confirmed(): void {
    if (this.#step === "ask" && this.link.session.isAnswered) this.#shakeHands();
  }

  #shakeHands(): void {
    this.stop();
    const rest = this.since + this.#closeTimeout - runtime.now();
    this.link.close(Math.max(this.#closeTimeout * (1 - ASK_UNTIL), rest));
  }

  /** Takes no further step, because the link has ended. */
  stop(): void {
    this.#step = "shake hands";
    runtime.cancel(this.#timer);
  }
}
