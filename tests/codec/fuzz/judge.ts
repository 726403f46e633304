/**
 * A Python process that judges what the codec makes of texts.
 * @module
 */

import { fileURLToPath } from "node:url";

import { pythonCommand } from "../../support/peers/python.ts";
import { type LineProcess, spawnLines } from "../../support/peers/process.ts";
import type { CheckedText } from "./run.ts";

const SCRIPT = fileURLToPath(new URL("judge.py", import.meta.url));
/** Texts that are sent in one line. */
const BATCH = 500;
const TIMEOUT_MS = 60_000;

/** Judges texts in batches. */
export class Judge implements AsyncDisposable {
  readonly #process: LineProcess = spawnLines(pythonCommand(), ["-B", "-u", SCRIPT], {
    env: { PYTHONIOENCODING: "utf-8" },
  });
  readonly #batch: CheckedText[] = [];
  /** What Python holds against the codec, each with its text. */
  readonly faults: string[] = [];
  /** Texts judged so far. */
  judged = 0;

  /** Takes a text; judges a batch once it is full. */
  async add(checked: CheckedText): Promise<void> {
    this.#batch.push(checked);
    if (this.#batch.length === BATCH) await this.flush();
  }

  /** Judges the texts that wait. */
  async flush(): Promise<void> {
    const batch = this.#batch.splice(0);
    if (batch.length === 0) return;
    this.#process.write(`${JSON.stringify(batch.map(({ text, code, again }) => [text, code, again]))}\n`);
    const line = await this.#process.line(/^(?:\[|\w*(?:Error|Exception)\b)/, { timeoutMs: TIMEOUT_MS });
    if (!line.startsWith("[")) throw new Error(`Python cannot judge: ${this.#process.lines.join("\n")}`);
    const verdicts: (string | null)[] = JSON.parse(line);
    if (verdicts.length !== batch.length) throw new Error(`Python judged ${verdicts.length} of ${batch.length} texts`);
    this.judged += batch.length;
    verdicts.forEach((verdict, index) => {
      if (verdict !== null) this.faults.push(`${verdict}\n  ${JSON.stringify(batch[index]!.text)}`);
    });
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#process[Symbol.asyncDispose]();
  }
}
