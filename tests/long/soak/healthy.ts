/**
 * The healthy peer that looks on, in a process of its own.
 * @module
 */

import type { Children } from "./children.ts";
import { pause } from "./pause.ts";
import type { Lap, ProbeAnswers } from "./programs/probe.ts";
import type { Worker } from "./worker.ts";

/** Milliseconds between two echoes: 200 a second. */
const EVERY_MS = 5;

/** Whom it calls. */
export interface Server {
  readonly url: string;
  readonly token?: string | undefined;
}

/** Asks a server for an echo 200 times a second. */
export class Healthy implements AsyncDisposable {
  readonly #worker: Worker<ProbeAnswers>;

  private constructor(worker: Worker<ProbeAnswers>) {
    this.#worker = worker;
  }

  /** Starts one; the first echoes, slow as everything is cold, are not counted. */
  static async start(children: Children, { url, token }: Server): Promise<Healthy> {
    const worker: Worker<ProbeAnswers> = children.measure("probe");
    try {
      await worker.ask("start", { url, token, everyMs: EVERY_MS });
      await pause(1000);
      await worker.ask("lap", undefined);
      return new Healthy(worker);
    } catch (error) {
      await worker[Symbol.asyncDispose]();
      throw error;
    }
  }

  /** Looks on for so many seconds while nothing else happens. */
  async quiet(seconds: number): Promise<Lap> {
    await this.lap();
    await pause(seconds * 1000);
    return await this.lap();
  }

  /** What became of the echoes asked for since the last call; waits for those under way. */
  lap(): Promise<Lap> {
    return this.#worker.ask("lap", undefined);
  }

  /** Ends the process. */
  [Symbol.asyncDispose](): Promise<void> {
    return this.#worker[Symbol.asyncDispose]();
  }
}
