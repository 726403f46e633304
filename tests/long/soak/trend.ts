/**
 * How the memory of a process goes over a run.
 * @module
 */

import { pause } from "./pause.ts";
import type { Vitals } from "./target.ts";

/** Milliseconds between two samples. */
const SAMPLE_MS = 250;

/** Samples resident memory until it is told to stop. */
export class Trend implements Disposable {
  readonly #vitals: Vitals;
  readonly #samples: number[] = [];
  #isOver = false;

  /** Starts sampling. */
  constructor(vitals: Vitals) {
    this.#vitals = vitals;
    void this.#run(); // never rejects
  }

  /** Median of the samples between two shares of the time so far, MiB. */
  median(from: number, to: number): number {
    const { length } = this.#samples;
    const part = this.#samples.slice(Math.floor(length * from), Math.max(1, Math.ceil(length * to)));
    return part.sort((a, b) => a - b)[part.length >> 1] ?? NaN;
  }

  /** The largest sample, MiB. */
  get max(): number {
    return this.#samples.reduce((most, sample) => Math.max(most, sample), 0);
  }

  /** Stops sampling. */
  [Symbol.dispose](): void {
    this.#isOver = true;
  }

  async #run(): Promise<void> {
    while (!this.#isOver) {
      try {
        this.#samples.push(this.#vitals.rss);
      } catch {
        return; // the process is gone
      }
      await pause(SAMPLE_MS);
    }
  }
}
