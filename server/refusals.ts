import { runtime } from "../runtime/mod.ts";
import type { LimitName } from "./options.ts";

/**
 * Why a caller was refused.
 *
 * - `token`: its token is wrong or missing.
 * - `authorize`: `authorize` has refused it, has failed, or did not return in time.
 * - `origin`: it is a web page whose origin is not in `origins`.
 * - `path`, `socket_io`, `not_websocket`, `host`: it asked for another path, speaks Socket.IO, has sent no valid
 *   WebSocket handshake, or has sent an invalid `Host` header.
 * - `platform_name`: its platform name is not printable ASCII.
 * - `blocked`: its address has sent too many wrong tokens.
 * - `full`: `limits.connections` or `limits.connectionsPerAddress` is reached.
 * - `duplicate`: its platform is connected already, and `duplicates` is `"reject"`.
 * - `closing`: the server is closing.
 */
export type RefusalCause =
  | "token"
  | "authorize"
  | "origin"
  | "path"
  | "socket_io"
  | "not_websocket"
  | "host"
  | "platform_name"
  | "blocked"
  | "full"
  | "duplicate"
  | "closing";

/** A caller that was refused. */
export interface Refusal {
  /** IP address of the caller; empty if the runtime does not report it. */
  address: string;
  /** Platform that the caller named; missing if the caller was refused before its platform was read. */
  platform?: string;
  /** Why the caller was refused. */
  cause: RefusalCause;
  /** HTTP status of the refusal, or the close code, which is 1000 or more. */
  code: number;
  /** The limit that was reached, if the caller was refused in this way because of a limit. */
  limit?: LimitName;
  /** Refusals of this address for this cause that had no event of their own since the last one. */
  omitted: number;
}

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
