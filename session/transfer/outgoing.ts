import { runtime } from "../../runtime/mod.ts";
import { CHUNK_LENGTH, type ChunkFrame, WINDOW } from "./frames.ts";
import { Crc32 } from "./crc32.ts";

/** Text that is made piece by piece. */
export interface PieceSource {
  /** The next piece, at most {@linkcode CHUNK_LENGTH} characters of ASCII; `null` at the end. */
  next(): Promise<string | null>;
  /** Releases what the text is made of, and whoever waits for a piece. */
  cancel(reason: unknown): void;
}

/** What a transfer is told about itself. */
export interface OutgoingOptions {
  readonly id: number;
  /** Milliseconds the receiver may take for one step. */
  readonly timeout: number;
  /** Sends one frame. */
  readonly post: (frame: ChunkFrame) => void;
  /** Whether the line holds so much already that other messages would have to wait. */
  readonly isBusy: () => boolean;
  /** Tells how many characters have left so far. */
  readonly progress: (sent: number) => void;
  /** The error for a receiver that does not answer. */
  readonly late: () => Error;
}

/** Milliseconds between two looks at a busy line: runtimes do not tell when it is free. */
const LOOK = { first: 1, last: 16 };

/** One message on its way out, piece by piece, as fast as the receiver grants. */
export class OutgoingTransfer {
  readonly #options: OutgoingOptions;
  #granted = 0;
  #sent = 0;
  #isDone = false;
  #fault: { readonly error: unknown; readonly isTold: boolean } | null = null;
  #source: PieceSource | null = null;
  #wake: (() => void) | null = null;

  constructor(options: OutgoingOptions) {
    this.#options = options;
  }

  /** Sends everything; resolves when the receiver has read it. */
  async run(source: PieceSource, length: number | null): Promise<void> {
    const { id, post } = this.#options;
    this.#source = source;
    let isOpen = false;
    try {
      this.#check();
      isOpen = true;
      post({ op: "open", id, flow: true, ...(length === null ? {} : { length }) });
      await this.#sendPieces(source);
      while (!this.#isDone) await this.#answer();
    } catch (error) {
      source.cancel(error);
      if (isOpen && this.#fault?.isTold !== true) post({ op: "abort", id });
      throw error;
    } finally {
      this.#source = null;
    }
  }

  /** Whether a grant is one that is waited for, and none that is only made up. */
  isDue(n: number): boolean {
    return n > this.#granted && n <= this.#sent + 2 * WINDOW;
  }

  /** Pieces before `n` may leave. */
  grant(n: number): void {
    this.#granted = Math.max(this.#granted, n);
    this.#wakeUp();
  }

  /** The receiver has read everything. */
  done(): void {
    this.#isDone = true;
    this.#wakeUp();
  }

  /** Gives up; `isTold` when the receiver knows, or can not be told. */
  fail(error: unknown, isTold: boolean): void {
    this.#fault ??= { error, isTold };
    this.#source?.cancel(error);
    this.#wakeUp();
  }

  async #sendPieces(source: PieceSource): Promise<void> {
    const { id, post, progress } = this.#options;
    const crc = new Crc32();
    let length = 0;
    let n = 0;
    for (;; n++) {
      while (n >= this.#granted) await this.#answer();
      const data = await source.next();
      this.#check(); // the source ends early when the transfer is given up
      if (data === null) break;
      await this.#room();
      crc.push(data);
      length += data.length;
      post({ op: "data", id, n, data });
      this.#sent = n + 1;
      progress(length);
    }
    post({ op: "end", id, n, length, crc: crc.value });
  }

  #check(): void {
    if (this.#fault !== null) throw this.#fault.error;
  }

  /** Waits for the receiver. */
  #answer(): Promise<void> {
    const { timeout, late } = this.#options;
    return this.#step(timeout, () => this.fail(late(), false));
  }

  /** Waits for the line. */
  async #room(): Promise<void> {
    const { timeout, late, isBusy } = this.#options;
    const end = runtime.now() + timeout;
    for (let delay = LOOK.first; isBusy(); delay = Math.min(delay * 2, LOOK.last)) {
      if (runtime.now() >= end) this.fail(late(), false);
      await this.#step(delay, () => this.#wakeUp());
    }
  }

  /** Waits for whatever comes next, some time at most. */
  async #step(ms: number, expired: () => void): Promise<void> {
    this.#check();
    const { promise, resolve } = Promise.withResolvers<void>();
    this.#wake = resolve;
    const timer = runtime.after(ms, expired);
    await promise;
    runtime.cancel(timer);
    this.#check();
  }

  #wakeUp(): void {
    this.#wake?.();
    this.#wake = null;
  }
}

/** The frames of a text that is whole already and need not wait for grants. */
export function* wholeFrames(id: number, ascii: string): Generator<ChunkFrame, void, void> {
  const crc = new Crc32();
  yield { op: "open", id, flow: false, length: ascii.length };
  let n = 0;
  for (let at = 0; at < ascii.length; at += CHUNK_LENGTH, n++) {
    const data = ascii.slice(at, at + CHUNK_LENGTH);
    crc.push(data);
    yield { op: "data", id, n, data };
  }
  yield { op: "end", id, n, length: ascii.length, crc: crc.value };
}
