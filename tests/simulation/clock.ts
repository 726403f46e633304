/** Whose event it is. The events of a process that is dead are skipped; those of a frozen one wait until it thaws. */
export interface Owner {
  readonly isAlive: boolean;
  readonly frozenUntil: number;
}

/** Something that happens at a moment of virtual time. */
export interface Scheduled {
  at: number;
  /** Events of one moment happen in the order in which they were scheduled. */
  readonly order: number;
  /** `null` for what happens in the network or in a kernel. */
  readonly owner: Owner | null;
  readonly run: () => void;
  isCancelled: boolean;
}

function isBefore(a: Scheduled, b: Scheduled): boolean {
  return a.at < b.at || (a.at === b.at && a.order < b.order);
}

/** Ticks in a millisecond. All times are multiples of a tick, so that sums and differences of them are exact. */
const TICKS = 1024;

/** A clock that jumps from event to event. */
export class VirtualClock {
  /** Milliseconds since the start of the run. */
  now = 0;
  readonly #heap: Scheduled[] = [];
  #order = 0;

  schedule(delay: number, owner: Owner | null, run: () => void): Scheduled {
    const at = Math.ceil((this.now + Math.max(0, delay)) * TICKS) / TICKS;
    const event = { at, order: this.#order++, owner, run, isCancelled: false };
    this.#push(event);
    return event;
  }

  /** Takes out the next event that is to happen by `until`, and sets the time to it; `null` if there is none. */
  next(until: number): Scheduled | null {
    for (let first = this.#heap[0]; first !== undefined && first.at <= until; first = this.#heap[0]) {
      this.#pop();
      const { owner } = first;
      if (first.isCancelled || owner?.isAlive === false) continue;
      if (owner !== null && owner.frozenUntil > first.at) {
        first.at = owner.frozenUntil;
        this.#push(first);
        continue;
      }
      this.now = first.at;
      return first;
    }
    return null;
  }

  #push(event: Scheduled): void {
    const heap = this.#heap;
    let index = heap.length;
    heap.push(event);
    while (index > 0) {
      const up = (index - 1) >> 1;
      const parent = heap[up] as Scheduled;
      if (!isBefore(event, parent)) break;
      heap[index] = parent;
      index = up;
    }
    heap[index] = event;
  }

  #pop(): void {
    const heap = this.#heap;
    const last = heap.pop() as Scheduled;
    if (heap.length === 0) return;
    let index = 0;
    for (;;) {
      let down = index * 2 + 1;
      if (down >= heap.length) break;
      if (down + 1 < heap.length && isBefore(heap[down + 1] as Scheduled, heap[down] as Scheduled)) down++;
      if (!isBefore(heap[down] as Scheduled, last)) break;
      heap[index] = heap[down] as Scheduled;
      index = down;
    }
    heap[index] = last;
  }
}
