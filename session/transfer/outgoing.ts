import { FIRST_POLL, nextPoll } from "../../runtime/buffer_poll.ts";
import { runtime } from "../../runtime/mod.ts";
import { Crc32 } from "./crc32.ts";
import { type ChunkFrame, GRANT_WINDOW, MAX_CHUNK_LENGTH } from "./frames.ts";

/** Produces the text of a transfer. */
export interface ChunkSource {
  /** Returns the next chunk, at most {@linkcode MAX_CHUNK_LENGTH} ASCII characters; `null` at the end. */
  next(): Promise<string | null>;
  /** Releases the sources of the text, and wakes a caller that waits in `next()`. */
  cancel(reason: unknown): void;
}

/** Options of an {@linkcode OutgoingTransfer}. */
export interface OutgoingOptions {
  readonly id: number;
  /** Maximum milliseconds that the receiver may take for one step. */
  readonly timeout: number;
  /** Sends a frame to the receiver. */
  readonly sendFrame: (frame: ChunkFrame) => void;
  /** Returns true if so much is queued already that other messages would have to wait. */
  readonly isBusy: () => boolean;
  /** Called with the number of characters sent so far. */
  readonly progress: (sent: number) => void;
  /** Creates the error for a receiver that does not answer in time. */
  readonly timeoutError: () => Error;
}

/** Reason for which a transfer was given up. */
interface Failure {
  readonly error: unknown;
  /** True if the receiver does not know yet. */
  readonly mustTell: boolean;
}

/** One large message that is being sent in chunks, as fast as the receiver grants them. */
export class OutgoingTransfer {
  readonly #options: OutgoingOptions;
  #granted = 0;
  #sent = 0;
  #isDone = false;
  #failure: Failure | null = null;
  #source: ChunkSource | null = null;
  #wake: (() => void) | null = null;

  constructor(options: OutgoingOptions) {
    this.#options = options;
  }

  /** Sends the whole text. Resolves when the receiver has read it. */
  async run(source: ChunkSource, length: number | null): Promise<void> {
    const { id, sendFrame } = this.#options;
    this.#source = source;
    let isOpen = false;
    try {
      this.#throwIfFailed();
      isOpen = true;
      sendFrame({ op: "open", id, flow: true, ...(length === null ? {} : { length }) });
      await this.#sendChunks(source);
      while (!this.#isDone) await this.#waitForReceiver();
    } catch (error) {
      source.cancel(error);
      if (isOpen && this.#failure?.mustTell !== false) sendFrame({ op: "abort", id });
      throw error;
    } finally {
      this.#source = null;
    }
  }

  /**
   * Returns true if a grant up to `n` allows more chunks than before, and is at most two windows ahead of the chunks that
   * were sent. A receiver that follows the protocol is at most one window ahead; a later version may have a larger one.
   */
  isUsefulGrant(n: number): boolean {
    return n > this.#granted && n <= this.#sent + 2 * GRANT_WINDOW;
  }

  /** The receiver allows the chunks with numbers below `n`. */
  grant(n: number): void {
    this.#granted = Math.max(this.#granted, n);
    this.#wakeUp();
  }

  /** The receiver has read the whole text. */
  done(): void {
    this.#isDone = true;
    this.#wakeUp();
  }

  /** Gives up and tells the receiver. */
  abort(error: unknown): void {
    this.#giveUp({ error, mustTell: true });
  }

  /** Gives up without telling the receiver, because the receiver knows already or the connection has ended. */
  fail(error: unknown): void {
    this.#giveUp({ error, mustTell: false });
  }

  #giveUp(failure: Failure): void {
    this.#failure ??= failure;
    this.#source?.cancel(failure.error);
    this.#wakeUp();
  }

  async #sendChunks(source: ChunkSource): Promise<void> {
    const { id, sendFrame, progress } = this.#options;
    const crc = new Crc32();
    let length = 0;
    let n = 0;
    for (;; n++) {
      while (n >= this.#granted) await this.#waitForReceiver();
      const data = await source.next();
      this.#throwIfFailed(); // a source ends early when the transfer is given up
      if (data === null) break;
      await this.#waitForRoom();
      crc.push(data);
      length += data.length;
      sendFrame({ op: "data", id, n, data });
      this.#sent = n + 1;
      progress(length);
    }
    sendFrame({ op: "end", id, n, length, crc: crc.value });
  }

  #throwIfFailed(): void {
    if (this.#failure !== null) throw this.#failure.error;
  }

  #waitForReceiver(): Promise<void> {
    const { timeout, timeoutError } = this.#options;
    return this.#waitAtMost(timeout, () => this.abort(timeoutError()));
  }

  /** Waits until the socket's buffer has room for a chunk. */
  async #waitForRoom(): Promise<void> {
    const { timeout, timeoutError, isBusy } = this.#options;
    const end = runtime.now() + timeout;
    for (let delay = FIRST_POLL; isBusy(); delay = nextPoll(delay)) {
      if (runtime.now() >= end) this.abort(timeoutError());
      await this.#waitAtMost(delay, () => this.#wakeUp());
    }
  }

  /** Waits until an event wakes this transfer. After `ms` milliseconds, calls `onTimeout`, which also wakes it. */
  async #waitAtMost(ms: number, onTimeout: () => void): Promise<void> {
    this.#throwIfFailed();
    const { promise, resolve } = Promise.withResolvers<void>();
    this.#wake = resolve;
    const timer = runtime.after(ms, onTimeout);
    await promise;
    runtime.cancel(timer);
    this.#throwIfFailed();
  }

  #wakeUp(): void {
    this.#wake?.();
    this.#wake = null;
  }
}

/** Yields all frames of a text that is in memory and is sent without waiting for grants. */
export function* framesOfText(id: number, ascii: string): Generator<ChunkFrame, void, void> {
  const crc = new Crc32();
  yield { op: "open", id, flow: false, length: ascii.length };
  let n = 0;
  for (let at = 0; at < ascii.length; at += MAX_CHUNK_LENGTH, n++) {
    const data = ascii.slice(at, at + MAX_CHUNK_LENGTH);
    crc.push(data);
    yield { op: "data", id, n, data };
  }
  yield { op: "end", id, n, length: ascii.length, crc: crc.value };
}
