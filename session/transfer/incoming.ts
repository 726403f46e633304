import { runtime } from "../../runtime/mod.ts";
import { CHUNK_LENGTH, chunkFault, type ChunkFrame, type RefusalReason, WINDOW } from "./frames.ts";
import { Crc32 } from "./crc32.ts";
import { PieceQueue } from "./block_queue.ts";
import type { Timer } from "../../runtime/clock.ts";

/** Where the text of a transfer goes. */
export interface Sink {
  push(piece: string): void;
  /** All of it has come, and is what was sent. */
  end(): void;
  /** No more comes. */
  fail(error: unknown): void;
}

/** What a transfer tells of itself; after `over` it is forgotten. */
export interface IncomingEvents {
  post(frame: ChunkFrame): void;
  over(transfer: IncomingTransfer): void;
  /** The error that readers get for a refusal of our own. */
  refusal(reason: RefusalReason): Error;
}

/** One message on its way in. */
export class IncomingTransfer {
  readonly id: number;
  readonly isFlowing: boolean;
  /** Whether it is read piece by piece, and so holds no more than a window. */
  readonly isStream: boolean;
  /** Length the sender has promised. */
  readonly #promised: number | undefined;
  readonly #events: IncomingEvents;
  readonly #timeout: number;
  readonly #crc = new Crc32();
  #sink: Sink | null = null;
  #timer: Timer | undefined;
  #pieces = 0;
  #length = 0;
  #granted = 0;
  #isEnded = false;
  #fault: unknown = null;

  constructor(
    { id, flow, length }: ChunkFrame & { op: "open" },
    { isStream, timeout }: { isStream: boolean; timeout: number },
    events: IncomingEvents,
  ) {
    this.id = id;
    this.isFlowing = flow;
    this.isStream = isStream;
    this.#promised = length;
    this.#timeout = timeout;
    this.#events = events;
  }

  /** Characters so far. */
  get length(): number {
    return this.#length;
  }

  /** What was wrong with its frames, once it was refused for that. */
  get fault(): unknown {
    return this.#fault;
  }

  /** Lets the pieces come. */
  begin(sink: Sink): void {
    this.#sink = sink;
    this.#grant(WINDOW);
    this.#watch();
  }

  /** One piece was taken out of the sink. */
  taken(): void {
    if (this.#sink === null) return;
    this.#grant(this.#granted + 1);
    this.#watch();
  }

  /** Everything has come and was read. */
  finish(): void {
    if (this.#leave() !== null) this.#events.post({ op: "done", id: this.id });
  }

  /** Will have no more of it. */
  refuse(reason: RefusalReason, limit?: number): void {
    const sink = this.#leave();
    if (sink === null) return;
    this.#events.post({ op: "refuse", id: this.id, reason, ...(limit === undefined ? {} : { limit }) });
    sink.fail(this.#events.refusal(reason));
  }

  /** The sender, or the line, has given up. */
  fail(error: unknown): void {
    this.#leave()?.fail(error);
  }

  /** Takes piece `n`; throws what is wrong with it. */
  data({ n, data }: ChunkFrame & { op: "data" }): void {
    this.#refuseMore();
    if (n !== this.#pieces) this.#reject("n", `${this.#pieces}, the next one`, "another number");
    if (this.isFlowing && n >= this.#granted) this.#reject("n", "granted", "a number beyond");
    if (data.length === 0 || data.length > CHUNK_LENGTH) {
      this.#reject("data", `from 1 to ${CHUNK_LENGTH} characters`, `${data.length}`);
    }
    if (this.#promised !== undefined && this.#length + data.length > this.#promised) {
      this.#reject("data", `${this.#promised} characters in all, as promised`, "more");
    }
    this.#crc.push(data);
    if (!this.#crc.isAscii) this.#reject("data", "ASCII", "other characters");
    this.#pieces++;
    this.#length += data.length;
    this.#watch();
    this.#sink?.push(data);
  }

  /** Compares what was sent with what has come; throws where they differ. */
  end({ n, length, crc }: ChunkFrame & { op: "end" }): void {
    this.#refuseMore();
    if (n !== this.#pieces) this.#reject("n", `${this.#pieces}, as many as have come`, "another number");
    if (this.#promised !== undefined && length !== this.#promised) {
      this.#reject("length", `${this.#promised}, as promised`, "another number");
    }
    if (length !== this.#length) this.#reject("length", `${this.#length}, as many as have come`, "another number");
    if (crc !== this.#crc.value) this.#reject("crc", "that of the text", "another number");
    this.#isEnded = true;
    this.#watch();
    this.#sink?.end();
  }

  /** The sender has begun another one under the same number; throws. */
  openAgain(): never {
    this.#reject("id", "a new one", "that of a transfer");
  }

  /** Throws if all has come already and is only waiting to be read. */
  #refuseMore(): void {
    if (this.#isEnded) this.#reject("op", "that of another transfer", "more after the end");
  }

  #reject(member: string, expected: string, received: string): never {
    const error = chunkFault(member, expected, received);
    this.#fault = error;
    const sink = this.#leave();
    this.#events.post({ op: "refuse", id: this.id, reason: "invalid" });
    sink?.fail(error);
    throw error;
  }

  #grant(n: number): void {
    this.#granted = n;
    if (this.isFlowing) this.#events.post({ op: "grant", id: this.id, n });
  }

  /** Neither side may stand still for long. */
  #watch(): void {
    runtime.cancel(this.#timer);
    if (this.#sink !== null) this.#timer = runtime.after(this.#timeout, () => this.refuse("timeout"));
  }

  #leave(): Sink | null {
    const sink = this.#sink;
    this.#sink = null;
    runtime.cancel(this.#timer);
    if (sink !== null) this.#events.over(this);
    return sink;
  }
}

/** Pieces that are put together at a time, so that many small ones take no more memory than they hold. */
const BATCH = 256;

/**
 * Collects the text, as nobody wants to read it piece by piece.
 *
 * @param transfer Where it comes from.
 * @param whole Takes the text; returns whether it was a message.
 */
export function collector(transfer: IncomingTransfer, whole: (text: string) => boolean): Sink {
  const batches: string[] = [];
  let pieces: string[] = [];
  const clear = (): void => {
    batches.length = 0;
    pieces = [];
  };
  return {
    push(piece) {
      pieces.push(piece);
      if (pieces.length === BATCH) batches.push(pieces.splice(0).join(""));
      transfer.taken();
    },
    end() {
      const text = [...batches, ...pieces].join("");
      clear();
      if (whole(text)) transfer.finish();
      else transfer.refuse("invalid");
    },
    fail: clear,
  };
}

/** Hands the text to a reader that sets the pace. */
export function queueOf(transfer: IncomingTransfer): PieceQueue {
  return new PieceQueue({
    taken: () => transfer.taken(),
    drained: () => transfer.finish(),
    left: () => transfer.refuse("cancelled"),
  });
}
