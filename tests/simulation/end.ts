import { type Frame, sizeOf } from "./frames.ts";
import { Pipe, type PipeEnd } from "./pipe.ts";
import type { Process, ProcessSocket } from "./process.ts";
import { sim } from "./simulation.ts";

/** One end of a connection, in its process. */
export abstract class End implements PipeEnd, ProcessSocket {
  readonly process: Process;
  /** Number of the connection; 0 before there is one. */
  connection = 0;
  isGone = false;
  out: Pipe | null = null;
  #in: Pipe | null = null;
  #hasSentFin = false;
  #hasReceivedFin = false;

  constructor(process: Process) {
    this.process = process;
    process.sockets.add(this);
    sim.sockets++;
  }

  abstract receive(frame: Frame): void;

  left(_frame: Frame): void {}

  /** The kernel has taken bytes. */
  moved(): void {
    if (this.#hasReceivedFin && this.#isDrained) this.forget();
  }

  /** Connects two ends. */
  static join(client: End, server: End): void {
    client.connection = server.connection = ++sim.connections;
    const up = new Pipe(client, server);
    const down = new Pipe(server, client);
    [up.reverse, down.reverse] = [down, up];
    [client.out, client.#in, server.out, server.#in] = [up, down, down, up];
  }

  get in(): Pipe | null {
    return this.#in;
  }

  get name(): string {
    return `${this.process.name}#${this.connection}`;
  }

  protected write(frame: Frame): void {
    if (this.isGone || this.#hasSentFin || this.out === null) return;
    if (frame.kind === "fin") this.#hasSentFin = true;
    this.out.write(frame, sizeOf(frame, sim.network.byteScale));
  }

  get #isDrained(): boolean {
    return this.out === null || this.out.isDrained;
  }

  /** The other side is done, and this one, too: the socket is gone when the kernel has the last byte. */
  protected finish(): void {
    this.write({ kind: "fin" });
    this.#hasReceivedFin = true;
    this.moved();
  }

  /** The kernel forgets the socket. */
  protected forget(): void {
    if (this.isGone) return;
    this.isGone = true;
    this.process.sockets.delete(this);
    sim.sockets--;
  }

  /** Drops the connection; what the kernel has not taken is lost. */
  protected drop(how: "fin" | "reset"): void {
    if (this.isGone) return;
    this.forget();
    this.beforeDrop();
    if (how === "fin" && !this.#hasSentFin) this.out?.finish();
    else this.out?.reset();
  }

  protected beforeDrop(): void {}

  killed(): void {
    this.drop(this.#in?.hasUnread ? "reset" : "fin");
  }
}
