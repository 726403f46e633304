/**
 * A process that answers questions, one line of JSON each way; its end of the line is `programs/answers.ts`.
 * @module
 */

import type { LineProcess } from "../../support/peers/process.ts";
import type { WaitOptions } from "../../support/peers/inbox.ts";

/** What a function of a program takes and gives; only JSON gets across. */
type Input<F> = F extends (input: infer Given) => unknown ? Given : never;
type Output<F> = F extends (input: never) => infer Result ? Awaited<Result> : never;

/** Asks a program of `programs/`; `Answers` is the interface that it implements. */
export class Worker<Answers extends object> implements AsyncDisposable {
  readonly #process: LineProcess;
  #lastId = 0;

  /** Takes over a process that runs such a program. */
  constructor(child: LineProcess) {
    this.#process = child;
  }

  /** Process id. */
  get pid(): number {
    return this.#process.pid;
  }

  /** Asks one question; rejects if it fails there, if the process ends, or if it takes too long. */
  async ask<Name extends keyof Answers & string>(
    name: Name,
    input: Input<Answers[Name]>,
    { timeoutMs = 30_000 }: WaitOptions = {},
  ): Promise<Output<Answers[Name]>> {
    const start = `answer ${++this.#lastId} `;
    this.#process.write(`${JSON.stringify({ id: this.#lastId, name, input })}\n`);
    const line = await this.#process.line((line) => line.startsWith(start), { timeoutMs });
    const { value, error } = JSON.parse(line.slice(start.length));
    if (error !== undefined) throw new Error(`"${name}" failed: ${error}`);
    return value; // both ends are ours
  }

  /** Ends the process. */
  [Symbol.asyncDispose](): Promise<void> {
    return this.#process[Symbol.asyncDispose]();
  }
}
