import type { HeartbeatSettings } from "./settings.ts";
import { runtime } from "../runtime/mod.ts";
import type { Timer } from "../runtime/clock.ts";

/** What a heartbeat asks through. */
export interface Pulse {
  /** Asks the server for a sign of life, until aborted; false if there is no way to. */
  ask(signal: AbortSignal): boolean;
  /** Bytes of ours that are still leaving. */
  readonly bufferedAmount: number;
  /** The server is given up. */
  dead(): void;
}

type Life =
  | { readonly state: "stopped" }
  | { readonly state: "listening"; readonly timer: Timer }
  | { readonly state: "asking"; readonly timer: Timer; readonly since: number; readonly question: AbortController };

/** Bytes per second below which an upload is no longer a reason to wait for an answer: 1 Mbit/s. */
const SLOWEST = 131_072;
/** Milliseconds after which a question without an answer counts as silence when the line falls. */
const PATIENCE = 1000;

/** Notices a server that has fallen silent, and asks only when it has. */
export class Heartbeat {
  readonly #interval: number;
  readonly #timeout: number;
  readonly #pulse: Pulse;
  #lastSign = runtime.now();
  #life: Life = { state: "stopped" };

  constructor({ interval, timeout }: Pick<HeartbeatSettings, "interval" | "timeout">, pulse: Pulse) {
    this.#interval = interval;
    this.#timeout = timeout;
    this.#pulse = pulse;
  }

  /** Begins to listen. */
  start(): void {
    this.sign();
    this.#listen();
  }

  /** The server has shown that it lives. */
  sign(): void {
    this.#lastSign = runtime.now();
  }

  /** Ends it; a stopped one never calls back. */
  stop(): void {
    if (this.#life.state !== "stopped") runtime.cancel(this.#life.timer);
    if (this.#life.state === "asking") this.#life.question.abort();
    this.#life = { state: "stopped" };
  }

  /** The last sign of life if the server owes an answer, else `Infinity`. */
  get silentSince(): number {
    const isOwing = this.#life.state === "asking" && this.#lastSign < this.#life.since &&
      runtime.now() - this.#life.since >= Math.min(PATIENCE, this.#timeout);
    return isOwing ? this.#lastSign : Infinity;
  }

  #listen(): void {
    const rest = this.#lastSign + this.#interval - runtime.now();
    this.#life = { state: "listening", timer: runtime.after(Math.max(0, rest), () => this.#consider()) };
  }

  #consider(): void {
    if (runtime.now() - this.#lastSign < this.#interval) return this.#listen();
    const since = runtime.now();
    // The question stands behind what is still leaving, so the answer may take as long as a slow line needs for that.
    const upload = this.#pulse.bufferedAmount / SLOWEST * 1000;
    const question = new AbortController();
    const timer = runtime.after(this.#timeout + upload, () => this.#decide(since));
    this.#life = { state: "asking", since, timer, question };
    if (!this.#pulse.ask(question.signal)) this.stop();
  }

  #decide(since: number): void {
    if (this.#life.state === "asking") this.#life.question.abort();
    if (this.#lastSign >= since) return this.#listen();
    // The state stays "asking", so that the fall knows how long the silence was.
    this.#pulse.dead();
  }
}
