import { runtime } from "../runtime/mod.ts";

/** Counts messages, with a second's worth to spare. */
export class Rate {
  readonly #perSecond: number;
  #left: number;
  #at = runtime.now();

  constructor(perSecond: number) {
    this.#perSecond = perSecond;
    this.#left = perSecond;
  }

  /** Takes one; returns whether there was one left. */
  take(): boolean {
    if (this.#perSecond === Infinity) return true;
    const now = runtime.now();
    this.#left = Math.min(this.#perSecond, this.#left + (now - this.#at) / 1000 * this.#perSecond);
    this.#at = now;
    this.#left--;
    return this.#left >= 0;
  }

  /** Takes one back. */
  giveBack(): void {
    this.#left++;
  }
}

/** Counts how many there are of each name. */
export class Tally {
  readonly #counts = new Map<string, number>();

  add(name: string): void {
    this.#counts.set(name, this.of(name) + 1);
  }

  remove(name: string): void {
    const left = this.of(name) - 1;
    if (left > 0) this.#counts.set(name, left);
    else this.#counts.delete(name);
  }

  of(name: string): number {
    return this.#counts.get(name) ?? 0;
  }
}

interface Offence {
  count: number;
  /** When counting began. */
  since: number;
  blockedUntil: number;
  /** Milliseconds of the next block. */
  penalty: number;
}

const MINUTE = 60_000;
const MAX_PENALTY = 5 * MINUTE;
/** Addresses remembered; beyond them the oldest is forgotten. */
const MAX_ADDRESSES = 10_000;

/** Remembers who gave wrong tokens. */
export class Offences {
  readonly #limit: number;
  readonly #offences = new Map<string, Offence>();

  constructor(limit: number) {
    this.#limit = limit;
  }

  isBlocked(address: string): boolean {
    const offence = this.#offences.get(address);
    return offence !== undefined && runtime.now() < offence.blockedUntil;
  }

  /** Counts one more wrong token; returns whether the address is blocked from now on. */
  add(address: string): boolean {
    const now = runtime.now();
    let offence = this.#offences.get(address);
    if (offence === undefined || now - Math.max(offence.since, offence.blockedUntil) > MINUTE) {
      offence = { count: 0, since: now, blockedUntil: 0, penalty: 1000 };
      this.#offences.delete(address);
      this.#offences.set(address, offence);
      const [oldest] = this.#offences.keys();
      if (this.#offences.size > MAX_ADDRESSES && oldest !== undefined) this.#offences.delete(oldest);
    }
    offence.count++;
    if (offence.count < this.#limit) return false;
    offence.blockedUntil = now + offence.penalty;
    offence.penalty = Math.min(offence.penalty * 2, MAX_PENALTY);
    return true;
  }
}
