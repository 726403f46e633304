/**
 * Checks many texts, and makes those that fail smaller.
 * @module
 */

import { type Checked, checkText, Difference } from "./check.ts";
import { generateText } from "./generate.ts";

/** A text, and the number that decides how it is checked. */
export interface Case {
  readonly text: string;
  readonly seed: number;
}

/** A case that failed. */
export interface Failure extends Case {
  readonly message: string;
}

/** Checks that a smaller text is tried at most so often. */
const MAX_TRIES = 1500;

/** Says how a case fails; null if it does not. */
export async function failureOf({ text, seed }: Case): Promise<string | null> {
  try {
    await checkText(text, seed);
    return null;
  } catch (error) {
    if (error instanceof Difference) return error.message;
    throw error;
  }
}

/** What fails, without what was found: a smaller text must fail in the same way. */
function headline(message: string): string {
  return message.split("\n", 1)[0]!.replaceAll(/\d+/g, "0");
}

/** Cuts pieces out of a failing text as long as it goes on failing. */
export async function shrink(failure: Failure, check: typeof failureOf = failureOf): Promise<Failure> {
  let best = failure;
  let tries = 0;
  for (let size = Math.ceil(best.text.length / 2); size >= 1; size = size === 1 ? 0 : Math.ceil(size / 2)) {
    for (let at = 0; at < best.text.length && tries < MAX_TRIES;) {
      const text = best.text.slice(0, at) + best.text.slice(at + size);
      tries++;
      const message = await check({ text, seed: best.seed });
      if (message !== null && headline(message) === headline(failure.message)) best = { ...best, text, message };
      else at += size;
    }
  }
  return best;
}

/** The line that checks a case again. */
export function replayLine({ text, seed }: Case): string {
  const quoted = JSON.stringify(text).replaceAll("'", "\\u0027").replaceAll(
    /[\u007f-\uffff]/g,
    (unit) => `\\u${unit.charCodeAt(0).toString(16).padStart(4, "0")}`,
  );
  return `deno task fuzz --seed=${seed} --text='${quoted}'`;
}

/** A text that was checked, and what the codec made of it. */
export interface CheckedText extends Checked {
  readonly text: string;
}

/** What became of many texts. */
export interface Summary {
  /** Texts by what the codec said: `ok`, or the code of the error. */
  readonly counts: Readonly<Record<string, number>>;
  readonly failures: readonly Failure[];
}

/** Checks so many texts, from a seed on. */
export async function runFuzz(
  { from, count, maxFailures = 5, onChecked = () => {} }: {
    from: number;
    count: number;
    maxFailures?: number;
    onChecked?: (checked: CheckedText) => void | Promise<void>;
  },
): Promise<Summary> {
  const counts: Record<string, number> = {};
  const failures: Failure[] = [];
  for (let seed = from; seed < from + count && failures.length < maxFailures; seed++) {
    const text = generateText(seed);
    try {
      const checked = await checkText(text, seed);
      counts[checked.code ?? "ok"] = (counts[checked.code ?? "ok"] ?? 0) + 1;
      await onChecked({ ...checked, text });
    } catch (error) {
      if (!(error instanceof Difference)) throw new Error(`Cannot check text ${seed}`, { cause: error });
      failures.push({ text, seed, message: error.message });
    }
  }
  return { counts, failures };
}

/** Everything there is to know about failures: how to check each again, smaller, and what differs. */
export async function describeFailures(failures: readonly Failure[]): Promise<string> {
  const smaller = await Promise.all(failures.map((failure) => shrink(failure)));
  return smaller.map((failure) => `${replayLine(failure)}\n${failure.message}`).join("\n\n");
}
