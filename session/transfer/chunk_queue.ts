/** Events of a {@linkcode ChunkQueue}. */
export interface ChunkQueueEvents {
  /** The reader has taken a chunk. */
  taken(chunk: string): void;
  /** The reader has taken every chunk and asked for more. This means that it found no fault in the text. */
  drained(): void;
  /** The reader has stopped before the end. */
  cancelled(): void;
}

type End = { readonly state: "complete" } | { readonly state: "failed"; readonly error: unknown };

/** Queue for the chunks of one transfer, between the connection and the reader. */
export class ChunkQueue implements AsyncIterableIterator<string, void> {
  readonly #events: ChunkQueueEvents;
  readonly #chunks: string[] = [];
  #end: End | null = null;
  /** Wakes the reader that waits for a chunk. */
  #wake: (() => void) | null = null;
  #isOver = false;

  constructor(events: ChunkQueueEvents) {
    this.#events = events;
  }

  push(chunk: string): void {
    this.#chunks.push(chunk);
    this.#wakeReader();
  }

  /** Marks the end: the text is complete. */
  end(): void {
    this.#end ??= { state: "complete" };
    this.#wakeReader();
  }

  /** Marks the end: the text is incomplete or wrong, so chunks that were not read are discarded. */
  fail(error: unknown): void {
    this.#end ??= { state: "failed", error };
    this.#chunks.length = 0;
    this.#wakeReader();
  }

  async next(): Promise<IteratorResult<string, void>> {
    while (!this.#isOver) {
      const chunk = this.#chunks.shift();
      if (chunk !== undefined) {
        this.#events.taken(chunk);
        return { done: false, value: chunk };
      }
      if (this.#end !== null) {
        this.#isOver = true;
        if (this.#end.state === "failed") throw this.#end.error;
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
      this.#chunks.length = 0;
      this.#wakeReader();
      if (this.#end?.state !== "failed") this.#events.cancelled();
    }
    return Promise.resolve({ done: true, value: undefined });
  }

  [Symbol.asyncIterator](): this {
    return this;
  }

  #wakeReader(): void {
    this.#wake?.();
    this.#wake = null;
  }
}
