/** What a queue tells of its reader. */
export interface PieceQueueEvents {
  /** A piece was taken. */
  taken(): void;
  /** The reader has come to the end: whoever asks for more has found no fault before. */
  drained(): void;
  /** The reader has left before the end. */
  left(): void;
}

type End = { readonly kind: "end" } | { readonly kind: "fault"; readonly error: unknown };

/** Pieces on their way from a line to the one who reads them. */
export class PieceQueue implements AsyncIterableIterator<string, void> {
  readonly #events: PieceQueueEvents;
  readonly #pieces: string[] = [];
  #end: End | null = null;
  /** Whoever waits for a piece. */
  #wake: (() => void) | null = null;
  #isOver = false;

  constructor(events: PieceQueueEvents) {
    this.#events = events;
  }

  push(piece: string): void {
    this.#pieces.push(piece);
    this.#wakeUp();
  }

  /** No piece comes any more. */
  end(): void {
    this.#end ??= { kind: "end" };
    this.#wakeUp();
  }

  /** No piece comes any more, and what came is of no use. */
  fail(error: unknown): void {
    this.#end ??= { kind: "fault", error };
    this.#pieces.length = 0;
    this.#wakeUp();
  }

  async next(): Promise<IteratorResult<string, void>> {
    while (!this.#isOver) {
      const piece = this.#pieces.shift();
      if (piece !== undefined) {
        this.#events.taken();
        return { done: false, value: piece };
      }
      if (this.#end !== null) {
        this.#isOver = true;
        if (this.#end.kind === "fault") throw this.#end.error;
        this.#events.drained();
        break;
      }
      const { promise, resolve } = Promise.withResolvers<void>();
      this.#wake = resolve;
      await promise;
    }
    return { done: true, value: undefined };
  }

  return(): Promise<IteratorResult<string, void>> {
    if (!this.#isOver) {
      this.#isOver = true;
      this.#pieces.length = 0;
      this.#wakeUp();
      if (this.#end?.kind !== "fault") this.#events.left();
    }
    return Promise.resolve({ done: true, value: undefined });
  }

  [Symbol.asyncIterator](): this {
    return this;
  }

  #wakeUp(): void {
    this.#wake?.();
    this.#wake = null;
  }
}
