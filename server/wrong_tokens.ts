import { runtime } from "../runtime/mod.ts";

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
