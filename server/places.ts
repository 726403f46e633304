import { AddressCounts } from "./limits.ts";

/** Limits that {@linkcode Places} keeps. */
export interface PlaceLimits {
  readonly connections: number;
  readonly connectionsPerAddress: number;
  readonly turnedOut: number;
}

/**
 * Books every socket of a server, and every caller inside `authorize`, under one of two limits.
 *
 * A place in `connections` is for callers that may send messages, and for those that `authorize` still decides about. A
 * caller that was turned out but holds its socket moves to `turnedOut`, so that it keeps nobody else out. Therefore at
 * most `connections + turnedOut` sockets exist.
 */
export class Places<Holder extends { readonly address: string }> {
  readonly #limits: PlaceLimits;
  readonly #addresses = new AddressCounts();
  readonly #turnedOut = new Set<Holder>();
  /** Holders that were turned out while `turnedOut` was full. They keep their place in `connections` until then. */
  readonly #waiting = new Set<Holder>();
  #connections = 0;

  constructor(limits: PlaceLimits) {
    this.#limits = limits;
  }

  /** Number of sockets that still exist although their caller was turned out. */
  get turnedOut(): number {
    return this.#turnedOut.size + this.#waiting.size;
  }

  /** True if one more caller may be turned out by a close frame, which needs a socket. */
  get canTurnOut(): boolean {
    return this.#turnedOut.size < this.#limits.turnedOut;
  }

  /** Returns the limit that keeps a caller out; `null` if there is a place for it. */
  limitFor(address: string): "connections" | "connectionsPerAddress" | null {
    if (this.#connections >= this.#limits.connections) return "connections";
    return this.#addresses.of(address) >= this.#limits.connectionsPerAddress ? "connectionsPerAddress" : null;
  }

  /** Takes a place in `connections`. */
  take(address: string): void {
    this.#connections++;
    this.#addresses.add(address);
  }

  /** Sets a place in `connections` free. */
  free(address: string): void {
    this.#connections--;
    this.#addresses.remove(address);
  }

  /** Books a holder that never had a place in `connections`. The caller has checked `canTurnOut`. */
  addTurnedOut(holder: Holder): void {
    this.#turnedOut.add(holder);
  }

  /** Moves a holder from `connections` to `turnedOut`, now or as soon as there is room. May be called again. */
  turnOut(holder: Holder): void {
    if (this.#turnedOut.has(holder)) return;
    this.#waiting.add(holder);
    this.#moveWaiting();
  }

  /** Forgets a holder, because its socket is gone. */
  remove(holder: Holder): void {
    this.#waiting.delete(holder);
    if (!this.#turnedOut.delete(holder)) this.free(holder.address);
    this.#moveWaiting();
  }

  #moveWaiting(): void {
    for (const holder of this.#waiting) {
      if (!this.canTurnOut) return;
      this.#waiting.delete(holder);
      this.#turnedOut.add(holder);
      this.free(holder.address);
    }
  }
}
