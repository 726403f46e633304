import type { Timer } from "../../runtime/clock.ts";
import { runtime } from "../../runtime/mod.ts";
import type { TransferBudget } from "./budget.ts";
import { ChunkQueue } from "./chunk_queue.ts";
import { Crc32 } from "./crc32.ts";
import { chunkFault, type ChunkFrame, GRANT_WINDOW, MAX_CHUNK_LENGTH, type RefusalReason } from "./frames.ts";

/** Takes the text of a transfer. */
export interface ChunkSink {
  push(chunk: string): void;
  /** The text is complete and its checksum is correct. */
  end(): void;
  /** The transfer has failed: no more text comes. */
  fail(error: unknown): void;
}

/** Events of an {@linkcode IncomingTransfer}. */
export interface IncomingEvents {
  /** Sends a frame to the sender. */
  sendFrame(frame: ChunkFrame): void;
  /** The transfer has ended. This event comes exactly once. */
  over(transfer: IncomingTransfer): void;
  /** Creates the error that the reader gets when this side refuses the transfer. */
  refusal(reason: RefusalReason): Error;
  /** The transfer was refused, because the transfers of all connections hold too much text. */
  full(): void;
}

/** Settings of an {@linkcode IncomingTransfer}. */
export interface IncomingSettings {
  readonly isStream: boolean;
  readonly timeout: number;
  readonly budget: TransferBudget;
}

/** One large message that is being received in chunks. */
export class IncomingTransfer {
  readonly id: number;
  /** True if the sender waits for grants. */
  readonly waitsForGrants: boolean;
  /** True if a reader takes the chunks one by one, so that at most {@linkcode GRANT_WINDOW} chunks are in memory. */
  readonly isStream: boolean;
  /** Length that the sender announced. */
  readonly #announced: number | undefined;
  readonly #events: IncomingEvents;
  readonly #timeout: number;
  readonly #budget: TransferBudget;
  readonly #crc = new Crc32();
  #sink: ChunkSink | null = null;
  #timer: Timer | undefined;
  #chunks = 0;
  #length = 0;
  /** Characters that are counted in `#budget`. */
  #held = 0;
  #granted = 0;
  #isEnded = false;
  #fault: unknown = null;

  constructor(
    { id, flow, length }: ChunkFrame & { op: "open" },
    { isStream, timeout, budget }: IncomingSettings,
    events: IncomingEvents,
  ) {
    this.id = id;
    this.waitsForGrants = flow;
    this.isStream = isStream;
    this.#announced = length;
    this.#timeout = timeout;
    this.#budget = budget;
    this.#events = events;
  }

  /** Characters received so far. */
  get length(): number {
    return this.#length;
  }

  /** The error for the wrong frame because of which the transfer was refused; `null` if no frame was wrong. */
  get fault(): unknown {
    return this.#fault;
  }

  /** Starts to receive chunks. */
  begin(sink: ChunkSink): void {
    this.#sink = sink;
    this.#grant(GRANT_WINDOW);
    this.#restartTimer();
  }

  /**
   * The sink has taken one chunk: the sender may send another chunk. `freed` is the number of characters that are not
   * in memory any more.
   */
  chunkTaken(freed: number): void {
    if (this.#sink === null) return;
    this.#held -= freed;
    this.#budget.give(freed);
    this.#grant(this.#granted + 1);
    this.#restartTimer();
  }

  /** The whole text was received and read: tells the sender. */
  finish(): void {
    if (this.#detachSink() !== null) this.#events.sendFrame({ op: "done", id: this.id });
  }

  /** Gives up and tells the sender. */
  refuse(reason: RefusalReason, limit?: number): void {
    const sink = this.#detachSink();
    if (sink === null) return;
    this.#events.sendFrame({ op: "refuse", id: this.id, reason, ...(limit === undefined ? {} : { limit }) });
    sink.fail(this.#events.refusal(reason));
  }

  /** Gives up without telling the sender, because the sender has given up itself or the connection has ended. */
  fail(error: unknown): void {
    this.#detachSink()?.fail(error);
  }

  /** Accepts chunk `n`; throws if it is wrong. */
  data({ n, data }: ChunkFrame & { op: "data" }): void {
    this.#rejectAfterEnd();
    if (n !== this.#chunks) this.#reject("n", `${this.#chunks} (the next chunk)`, "another number");
    if (this.waitsForGrants && n >= this.#granted) this.#reject("n", "below the number granted", "a higher number");
    if (data.length === 0 || data.length > MAX_CHUNK_LENGTH) {
      this.#reject("data", `from 1 to ${MAX_CHUNK_LENGTH} characters`, `${data.length}`);
    }
    if (this.#announced !== undefined && this.#length + data.length > this.#announced) {
      this.#reject("data", `${this.#announced} characters in all, as announced`, "more");
    }
    this.#crc.push(data);
    if (!this.#crc.isAscii) this.#reject("data", "ASCII", "other characters");
    if (!this.#budget.take(data.length)) {
      this.refuse("too_many");
      return this.#events.full();
    }
    this.#held += data.length;
    this.#chunks++;
    this.#length += data.length;
    this.#restartTimer();
    this.#sink?.push(data);
  }

  /**
   * Compares the received text with the number of chunks, length and checksum in the end frame; throws if they differ.
   */
  end({ n, length, crc }: ChunkFrame & { op: "end" }): void {
    this.#rejectAfterEnd();
    if (n !== this.#chunks) this.#reject("n", `${this.#chunks}, as received`, "another number");
    if (this.#announced !== undefined && length !== this.#announced) {
      this.#reject("length", `${this.#announced}, as announced`, "another number");
    }
    if (length !== this.#length) this.#reject("length", `${this.#length}, as received`, "another number");
    if (crc !== this.#crc.value) this.#reject("crc", "the checksum of the text", "another number");
    this.#isEnded = true;
    this.#restartTimer();
    this.#sink?.end();
  }

  /** Throws, because the sender has opened another transfer with the same id. */
  rejectSecondOpen(): never {
    this.#reject("id", "a new id", "the id of an unfinished transfer");
  }

  /** Throws if the text is complete and only waits to be read. */
  #rejectAfterEnd(): void {
    if (this.#isEnded) this.#reject("op", "for another transfer", "a frame after the end");
  }

  #reject(member: string, expected: string, received: string): never {
    const error = chunkFault(member, expected, received);
    this.#fault = error;
    const sink = this.#detachSink();
    this.#events.sendFrame({ op: "refuse", id: this.id, reason: "invalid" });
    sink?.fail(error);
    throw error;
  }

  #grant(n: number): void {
    this.#granted = n;
    if (this.waitsForGrants) this.#events.sendFrame({ op: "grant", id: this.id, n });
  }

  /** Refuses the transfer if neither side makes progress for `timeout`. */
  #restartTimer(): void {
    runtime.cancel(this.#timer);
    if (this.#sink !== null) this.#timer = runtime.after(this.#timeout, () => this.refuse("timeout"));
  }

  /** Ends the transfer and returns its sink; `null` if the transfer had ended before. */
  #detachSink(): ChunkSink | null {
    const sink = this.#sink;
    this.#sink = null;
    runtime.cancel(this.#timer);
    this.#budget.give(this.#held);
    this.#held = 0;
    if (sink !== null) this.#events.over(this);
    return sink;
  }
}

/** Number of chunks that are joined at a time, so that many small chunks take no more memory than their text. */
const JOIN_COUNT = 256;

/**
 * Collects the text of a transfer in memory.
 *
 * @param transfer The transfer.
 * @param onText Called with the whole text; returns true if it was a message.
 */
export function collectText(transfer: IncomingTransfer, onText: (text: string) => boolean): ChunkSink {
  const blocks: string[] = [];
  let chunks: string[] = [];
  const clear = (): void => {
    blocks.length = 0;
    chunks = [];
  };
  return {
    push(chunk) {
      chunks.push(chunk);
      if (chunks.length === JOIN_COUNT) blocks.push(chunks.splice(0).join(""));
      transfer.chunkTaken(0); // it stays in memory
    },
    end() {
      const text = [...blocks, ...chunks].join("");
      clear();
      if (onText(text)) transfer.finish();
      else transfer.refuse("invalid");
    },
    fail: clear,
  };
}

/** Queues the chunks of a transfer for a reader. The sender is granted a new chunk each time the reader takes one. */
export function queueChunks(transfer: IncomingTransfer): ChunkQueue {
  return new ChunkQueue({
    taken: (chunk) => transfer.chunkTaken(chunk.length),
    drained: () => transfer.finish(),
    cancelled: () => transfer.refuse("cancelled"),
  });
}
