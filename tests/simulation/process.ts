import type { Owner, Scheduled } from "./clock.ts";
import type { Flavour } from "./flavour.ts";

/** One end of a connection, as its process and the network see it. */
export interface ProcessSocket {
  /** The process is gone: the kernel closes what is left of it. */
  killed(): void;
}

/** A process: it can be frozen, and killed. After a kill nothing of it runs any more. */
export class Process implements Owner {
  readonly name: string;
  readonly flavour: Flavour;
  isAlive = true;
  frozenUntil = 0;
  /** Milliseconds that it takes to read one frame. */
  readDelay = 0;
  /** All milliseconds that it was or will be frozen. */
  frozenFor = 0;
  /** Timers that the library has set and that have neither fired nor been cancelled. */
  readonly timers: Set<Scheduled> = new Set();
  readonly sockets: Set<ProcessSocket> = new Set();

  constructor(name: string, flavour: Flavour) {
    this.name = name;
    this.flavour = flavour;
  }

  freeze(now: number, ms: number): void {
    const from = Math.max(now, this.frozenUntil);
    this.frozenUntil = Math.max(this.frozenUntil, now + ms);
    this.frozenFor += Math.max(0, this.frozenUntil - from);
  }

  kill(): void {
    if (!this.isAlive) return;
    this.isAlive = false;
    for (const socket of [...this.sockets]) socket.killed();
    this.sockets.clear();
    this.timers.clear();
  }
}
