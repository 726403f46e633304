import type { ReconnectOptions } from "./options.ts";
import type { MessageConnectionError } from "../util/connection_error.ts";

/** When to dial again after a failure, and when to stop. */
export class Backoff {
  readonly stableAfter: number;
  readonly #options: Required<Omit<ReconnectOptions, "delay" | "stableAfter">>;
  readonly #delay: ReconnectOptions["delay"];

  constructor(options: ReconnectOptions | false) {
    const { minDelay = 1000, maxDelay = 30_000, multiplier = 2, jitter = 0.2, maxAttempts = Infinity } = options || {};
    this.#options = { minDelay, maxDelay, multiplier, jitter, maxAttempts: options === false ? 0 : maxAttempts };
    this.#delay = options ? options.delay : undefined;
    this.stableAfter = options ? options.stableAfter ?? 10_000 : Infinity;
  }

  /** Milliseconds before new dial number `attempt`, from 1 after a stable connection; `null` is the end. */
  delayOf(attempt: number, reason: MessageConnectionError): number | null {
    const { minDelay, maxDelay, multiplier, jitter, maxAttempts } = this.#options;
    if (attempt > maxAttempts) return null;
    if (this.#delay !== undefined) return this.#own(this.#delay(attempt, reason));
    const wait = Math.min(minDelay * multiplier ** (attempt - 1), maxDelay);
    return Math.round(wait * (1 - jitter * Math.random()));
  }

  #own(delay: number): number {
    if (delay >= 0) return delay;
    throw new RangeError(`Cannot reconnect as 'reconnect.delay' must return at least 0: received ${delay}`);
  }
}
