import { runtime } from "../runtime/mod.ts";
import type { Refusal } from "./events.ts";

/** Milliseconds in which at most one refusal is reported for each address and cause. */
const PERIOD = 1000;
/** Maximum number of addresses and causes that are remembered. It also bounds the reports of one second. */
const MAX_RECORDS = 1000;

interface RefusalRecord {
  readonly reportedAt: number;
  /** Refusals that were not reported since then. */
  omitted: number;
}

/** Decides which refusals are reported, so that callers cannot flood a log. */
export class Refusals {
  /** By address and cause, the oldest report first. */
  readonly #records = new Map<string, RefusalRecord>();

  /** Counts a refusal. Returns the refusal as it is to be reported; `null` if it is left out. */
  count(refusal: Omit<Refusal, "omitted">): Refusal | null {
    const now = runtime.now();
    const key = `${refusal.cause} ${refusal.address}`;
    const record = this.#records.get(key);
    if (record !== undefined && now - record.reportedAt < PERIOD) {
      record.omitted++;
      return null;
    }
    this.#records.delete(key);
    if (!this.#makeRoom(now)) return null;
    this.#records.set(key, { reportedAt: now, omitted: 0 });
    return { ...refusal, omitted: record?.omitted ?? 0 };
  }

  /** Forgets the oldest record if there are too many; returns false if even the oldest is still needed. */
  #makeRoom(now: number): boolean {
    if (this.#records.size < MAX_RECORDS) return true;
    const [oldest] = this.#records;
    if (oldest === undefined || now - oldest[1].reportedAt < PERIOD) return false;
    return this.#records.delete(oldest[0]);
  }
}
