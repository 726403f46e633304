import { type Scheduled, VirtualClock } from "./clock.ts";
import type { End } from "./end.ts";
import type { Listening } from "./listening.ts";
import type { Process } from "./process.ts";
import { Random } from "./random.ts";
import type { NetworkSpec } from "./scenario_types.ts";
import { Trace } from "./trace.ts";

/** How many turns of the microtask queue follow each event. Chains of promises in the library are shorter. */
const TURNS = 12;

/** Events after which a run is taken to go on for ever. */
const MAX_EVENTS = 300_000;

/** What the runtime and the network tell the oracle. */
export interface Observer {
  /** A text is handed to a socket. */
  textSent(text: string, connection: number, isFromClient: boolean): void;
  /** The runtime has read a frame that the library is about to get. */
  textReceived(text: string, connection: number, isFromClient: boolean): void;
  /** The kernel has all of a text of a client. */
  textLeft(text: string, connection: number): void;
  /** A frame never left its process. */
  textKept(text: string, connection: number): void;
  /** A client has read something: a frame, a ping, or an HTTP answer (`null`). */
  clientRead(process: Process, connection: number | null): void;
  /** The kernel has taken bytes of a client. */
  clientMoved(connection: number): void;
  /** A client sends a close frame. */
  clientCloses(connection: number, code: number, reason: string): void;
  /** The client's runtime reports the end of a WebSocket, or has been told to drop it. */
  clientEnded(connection: number, code: number, reason: string): void;
  /** An exception that ends a process, or something else that must never happen. */
  broken(rule: string, text: string): void;
}

/** One run: clock, random numbers, listeners, and whose code is running. */
export class Simulation {
  readonly clock: VirtualClock = new VirtualClock();
  readonly random: Random;
  readonly network: NetworkSpec;
  readonly observer: Observer;
  readonly trace: Trace;
  /** Who listens, by port. */
  readonly listeners: Map<number, Listening> = new Map();
  /** Until then every packet to or from the server is lost, those of a handshake included. */
  outageUntil = 0;
  /** Called when TCP is there, before anything was sent. */
  onJoin: (client: End, server: End) => void = () => {};
  /** The process whose code runs. */
  running: Process | null = null;
  /** Connections made so far. */
  connections = 0;
  /** Sockets that exist, in all processes. */
  sockets = 0;
  events = 0;

  constructor(seed: number, network: NetworkSpec, observer: Observer, isTraced: boolean) {
    this.random = new Random(seed);
    this.network = network;
    this.observer = observer;
    this.trace = new Trace(isTraced);
  }

  get now(): number {
    return this.clock.now;
  }

  schedule(delay: number, owner: Process | null, run: () => void): Scheduled {
    return this.clock.schedule(delay, owner, run);
  }

  log(who: string, text: () => string): void {
    if (this.trace.isOn) this.trace.add(this.now, who, text());
  }

  /** Lets everything happen that is to happen by `until`. */
  async run(until: number): Promise<void> {
    const { clock } = this;
    for (let event = clock.next(until); event !== null; event = clock.next(until)) {
      if (++this.events > MAX_EVENTS) return this.observer.broken("endless", `more than ${MAX_EVENTS} events`);
      const owner = event.owner as Process | null;
      if (owner === null) {
        event.run();
        continue;
      }
      this.running = owner;
      try {
        event.run();
      } catch (error) {
        this.observer.broken("uncaught", `${owner.name}: ${error instanceof Error ? error.stack : error}`);
      }
      for (let turn = 0; turn < TURNS; turn++) await null;
      this.running = null;
    }
    if (until !== Infinity) clock.now = Math.max(clock.now, until);
  }
}

/** The run that is going on; a process runs one at a time. */
export let sim: Simulation = undefined as unknown as Simulation;

export function begin(next: Simulation): void {
  sim = next;
}
