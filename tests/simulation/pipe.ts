import type { Frame } from "./frames.ts";
import type { Process } from "./process.ts";
import { sim } from "./simulation.ts";
import { Queue } from "../../util/queue.ts";

/** The end that a pipe brings frames to, or takes them from. */
export interface PipeEnd {
  readonly process: Process;
  /** True once the kernel has forgotten the socket. */
  readonly isGone: boolean;
  /** The next frame, in a turn of its process. */
  receive(frame: Frame): void;
  /** The kernel has all bytes of a frame. */
  left(frame: Frame): void;
  /** The kernel has taken bytes. */
  moved(): void;
}

interface Item {
  readonly frame: Frame;
  /** Where it ends, counted from the first byte of the pipe. */
  readonly end: number;
}

/** Kernels wait until this share of a buffer is free, so that no frame is cut into many small packets. */
const SHARE = 4;

/** Milliseconds after which a kernel gives up a connection that nothing is acknowledged on. */
const RETRANSMIT_TIMEOUT = 924_000;

/**
 * One direction of a TCP connection: from the process that writes, through the buffers of two kernels, to the process
 * that reads. All numbers count bytes from the start.
 */
export class Pipe {
  readonly sender: PipeEnd;
  readonly receiver: PipeEnd;
  /** The other direction; acknowledgements travel in it. */
  reverse!: Pipe;
  /** From now on, bytes that are sent vanish. */
  isCut = false;
  /** Vanish at this byte, and from then on. */
  #cutAt = Infinity;
  #cutsAfterResponse: "this" | "both" | null = null;
  #losesInFlight = false;
  #written = 0;
  #taken = 0;
  #sent = 0;
  #acked = 0;
  #arrived = 0;
  #read = 0;
  /** What the sender knows of `#read`. */
  #window = 0;
  #lastArrival = 0;
  #isTaking = false;
  #isReading = false;
  #isTimed = false;
  readonly #items = new Queue<Item>();
  /** Frames that the kernel has not taken whole. */
  readonly #untaken = new Queue<{ readonly frame: Frame; readonly start: number; readonly end: number }>();

  constructor(sender: PipeEnd, receiver: PipeEnd) {
    this.sender = sender;
    this.receiver = receiver;
  }

  /** Bytes that the kernel has not taken, as the runtime of the sender counts them. */
  get buffered(): number {
    if (!this.sender.process.flavour.countsWholeFrames) return this.#written - this.#taken;
    const first = this.#untaken.first;
    return first === undefined ? 0 : this.#written - first.start;
  }

  get isDrained(): boolean {
    return this.#written === this.#taken;
  }

  get hasUnread(): boolean {
    return this.#arrived > this.#read;
  }

  /** Frames that have not left the process. */
  get kept(): Frame[] {
    return this.#untaken.drain().map(({ frame }) => frame);
  }

  write(frame: Frame, bytes: number): void {
    const start = this.#written;
    this.#written += bytes;
    this.#items.push({ frame, end: this.#written });
    this.#untaken.push({ frame, start, end: this.#written });
    if (this.#cutsAfterResponse !== null && frame.kind === "response") this.#cutAt = this.#written;
    if (this.sender.process.flavour.writesAtOnce) this.#take();
    else this.#takeSoon();
  }

  /** The kernel says that nothing more follows what it has. What it has not taken is lost. */
  finish(): void {
    this.#written = this.#taken + 1;
    const items = this.#items.drain().filter(({ end }) => end <= this.#taken);
    for (const item of items) this.#items.push(item);
    this.#untaken.drain();
    this.#items.push({ frame: { kind: "fin" }, end: this.#written });
    this.#taken = this.#written;
    this.#transmit();
  }

  /** The kernel ends both directions at once. What has not arrived is lost; sometimes also what was not read. */
  reset(): void {
    const { latency, resetsDiscard } = sim.network;
    this.#untaken.drain();
    if (this.isCut) return;
    sim.schedule(latency, null, () => {
      if (this.isCut || this.receiver.isGone) return;
      const unread = this.#items.drain().filter(({ end }) => !resetsDiscard && end <= this.#arrived);
      for (const item of unread) this.#items.push(item);
      this.#items.push({ frame: { kind: "reset" }, end: this.#arrived });
      this.#readSoon();
    });
  }

  /** Bytes vanish from now on; with `losesInFlight` also those that are on the way. */
  cut(losesInFlight: boolean): void {
    this.isCut = true;
    this.#losesInFlight ||= losesInFlight;
    this.#watch();
    this.reverse.#watch();
  }

  /** Bytes vanish after the HTTP response: in this direction, or in both. */
  cutAfterResponse(directions: "this" | "both"): void {
    this.#cutsAfterResponse = directions;
  }

  /** Nothing arrives for a while. */
  stall(ms: number): void {
    this.#lastArrival = Math.max(this.#lastArrival, sim.now + ms);
  }

  #takeSoon(): void {
    if (this.#isTaking) return;
    this.#isTaking = true;
    sim.schedule(0, this.sender.process, () => {
      this.#isTaking = false;
      this.#take();
    });
  }

  #take(): void {
    if (this.sender.isGone) return;
    const limit = Math.min(this.#written, this.#acked + sim.network.sendBuffer);
    if (
      limit - this.#taken >= Math.min(this.#written - this.#taken, sim.network.sendBuffer / SHARE) &&
      limit > this.#taken
    ) {
      this.#taken = limit;
      for (let first = this.#untaken.first; first && first.end <= limit; first = this.#untaken.first) {
        this.#untaken.shift();
        this.sender.left(first.frame);
      }
      this.sender.moved();
    }
    this.#transmit();
  }

  #transmit(): void {
    const { latency, jitter, bandwidth, receiveBuffer } = sim.network;
    const bytes = Math.min(this.#taken, this.#window + receiveBuffer) - this.#sent;
    if (bytes <= 0 || bytes < Math.min(this.#taken - this.#sent, receiveBuffer / SHARE)) return this.#watch();
    this.#sent += bytes;
    if (this.isCut) return this.#watch();
    const arrival = Math.max(sim.now + latency + sim.random.next() * jitter, this.#lastArrival) + bytes / bandwidth;
    this.#lastArrival = arrival;
    sim.schedule(arrival - sim.now, null, () => this.#arrive(bytes));
  }

  #arrive(bytes: number): void {
    if (this.isCut && this.#losesInFlight) return this.#watch();
    if (this.receiver.isGone) return this.#answerWithReset();
    this.#arrived += bytes;
    if (this.#arrived > this.#cutAt) {
      this.#arrived = this.#cutAt;
      this.cut(true);
      if (this.#cutsAfterResponse === "both") this.reverse.cut(true);
    }
    this.#acknowledge();
    this.#readSoon();
  }

  #acknowledge(): void {
    if (this.reverse.isCut || this.isCut) return this.#watch();
    this.#acked = this.#arrived;
    this.#window = this.#read;
    if (this.#written > this.#taken && !this.sender.isGone) this.#takeSoon();
    this.#transmit();
  }

  #answerWithReset(): void {
    if (this.sender.isGone) return;
    this.reverse.reset();
    this.#watch();
  }

  #readSoon(): void {
    if (this.#isReading || this.receiver.isGone) return;
    this.#isReading = true;
    const { process } = this.receiver;
    sim.schedule(process.readDelay, process, () => {
      this.#isReading = false;
      if (!this.receiver.isGone) this.#readNext();
    });
  }

  #readNext(): void {
    const next = this.#items.first;
    if (next === undefined || next.end > this.#arrived) {
      this.#read = this.#arrived; // the start of a frame
      return this.#acknowledge();
    }
    this.#items.shift();
    this.#read = next.end;
    this.#acknowledge();
    this.receiver.receive(next.frame);
    const after = this.#items.first;
    if (after !== undefined && (after.end <= this.#arrived || this.#arrived > this.#read)) this.#readSoon();
  }

  /** The kernel ends a socket whose bytes, or keep-alive packets, nobody acknowledges. */
  #watch(): void {
    const isLost = this.isCut || this.reverse.isCut;
    if (!isLost || this.#isTimed || this.sender.isGone) return;
    this.#isTimed = true;
    sim.schedule(RETRANSMIT_TIMEOUT, this.sender.process, () => {
      if (!this.sender.isGone) this.sender.receive({ kind: "reset" });
    });
  }
}
