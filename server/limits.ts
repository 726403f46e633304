import { runtime } from "../runtime/mod.ts";

/** Limits the messages per second of one connection. All messages that one second allows may come in one burst. */
export class MessageRate {
  readonly #perSecond: number;
  #left: number;
  #updatedAt = runtime.now();

  constructor(perSecond: number) {
    this.#perSecond = perSecond;
    this.#left = perSecond;
  }

  /** Counts one message; returns false if there were too many. */
  take(): boolean {
    const now = runtime.now();
    this.#left = Math.min(this.#perSecond, this.#left + (now - this.#updatedAt) / 1000 * this.#perSecond);
    this.#updatedAt = now;
    this.#left--;
    return this.#left >= 0;
  }

  /** Undoes one {@linkcode MessageRate.take}. Called for a frame that does not count as a message. */
  giveBack(): void {
    this.#left++;
  }
}

/** Counts connections by address. */
export class AddressCounts {
  readonly #counts = new Map<string, number>();

  add(address: string): void {
    this.#counts.set(address, this.of(address) + 1);
  }

  remove(address: string): void {
    const left = this.of(address) - 1;
    if (left > 0) this.#counts.set(address, left);
    else this.#counts.delete(address);
  }

  of(address: string): number {
    return this.#counts.get(address) ?? 0;
  }
}

/** Wrong tokens of one address. */
interface WrongTokenRecord {
  count: number;
  /** Time of the first wrong token. */
  since: number;
  blockedUntil: number;
  /** Milliseconds that the next block lasts. */
  nextBlock: number;
}

const MINUTE = 60_000;
const FIRST_BLOCK = 1000;
const LONGEST_BLOCK = 5 * MINUTE;
/** Maximum number of addresses that are remembered; the oldest is forgotten first. */
const MAX_ADDRESSES = 10_000;

/** Blocks addresses that keep sending wrong tokens. */
export class WrongTokens {
  readonly #limit: number;
  readonly #records = new Map<string, WrongTokenRecord>();

  constructor(limit: number) {
    this.#limit = limit;
  }

  /** Tells whether an address is blocked now. */
  isBlocked(address: string): boolean {
    const record = this.#records.get(address);
    return record !== undefined && runtime.now() < record.blockedUntil;
  }

  /** Counts one wrong token; returns true if the address is blocked from now on. */
  add(address: string): boolean {
    const now = runtime.now();
    let record = this.#records.get(address);
    if (record === undefined || now - Math.max(record.since, record.blockedUntil) > MINUTE) {
      record = { count: 0, since: now, blockedUntil: 0, nextBlock: FIRST_BLOCK };
      this.#records.delete(address);
      this.#records.set(address, record);
      const [oldest] = this.#records.keys();
      if (this.#records.size > MAX_ADDRESSES && oldest !== undefined) this.#records.delete(oldest);
    }
    record.count++;
    if (record.count < this.#limit) return false;
    record.blockedUntil = now + record.nextBlock;
    record.nextBlock = Math.min(record.nextBlock * 2, LONGEST_BLOCK);
    return true;
  }
}
