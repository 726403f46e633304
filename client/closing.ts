import type { Timer } from "../runtime/clock.ts";
import { runtime } from "../runtime/mod.ts";
import type { Link } from "./link.ts";
import type { Outbox } from "./outbox.ts";
import type { ClientSettings } from "./settings.ts";
import { askBeside } from "./watch_link.ts";

/** The messages that wait are sent for at most this fraction of `closeTimeout`. */
const FLUSH_UNTIL = 0.5;
/** The server may confirm what was sent until this fraction of `closeTimeout` has passed. */
const ASK_UNTIL = 0.8;

/**
 * State: the client is closing. It sends the messages that wait, asks the server to confirm everything, then does the
 * closing handshake. A server that nothing was received from, and that cannot be asked, may still be one of this
 * library, whose answer to a close frame proves nothing. So it is asked beside the link what it is. Each step ends at
 * its share of `closeTimeout` at the latest.
 */
export class Closing {
  readonly state = "closing";
  readonly link: Link;
  readonly since: number = runtime.now();
  /** Resolves when the link has ended. */
  readonly done: PromiseWithResolvers<void> = Promise.withResolvers<void>();
  readonly #outbox: Outbox;
  readonly #settings: ClientSettings;
  /** Ends the request beside the link. */
  readonly #request = new AbortController();
  #step: "flush" | "ask" | "shake hands" = "flush";
  #timer: Timer | undefined;

  constructor(link: Link, outbox: Outbox, settings: ClientSettings) {
    this.link = link;
    this.#outbox = outbox;
    this.#settings = settings;
  }

  get #closeTimeout(): number {
    return this.#settings.closeTimeout;
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
    const isAsked = this.link.session.ask({ isLast: true });
    if (!isAsked && !this.#mustFindOut) return this.#shakeHands();
    const rest = this.since + this.#closeTimeout * ASK_UNTIL - runtime.now();
    this.#timer = runtime.after(Math.max(0, rest), () => this.#shakeHands());
    if (!isAsked) void this.#findOut(); // never rejects
  }

  /** True if messages were sent to a server that may be of this library or not. */
  get #mustFindOut(): boolean {
    const { session, canFindOut } = this.link;
    return session.isUnknown && canFindOut && this.#outbox.sent > 0;
  }

  async #findOut(): Promise<void> {
    await askBeside(this.link, this.#settings, this.#request.signal);
    // If a hello has come meanwhile, the server can be asked.
    if (this.#step === "ask" && !this.link.session.ask({ isLast: true })) this.#shakeHands();
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
    this.#request.abort();
  }
}
