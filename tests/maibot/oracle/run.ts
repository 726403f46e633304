/**
 * Judges `maibotIssues` and `FakeMaiBot` by MaiBot's own code:
 *
 *     deno task oracle [--maibot=VERSION] [--seed=N] [--frames=N] [--calls=N] [--cache=FOLDER]
 *
 * Takes the Python of `MAIM_MAIBOT_PYTHON`, else makes an environment with that version of MaiBot in the cache, which
 * needs Python 3.12 or newer and PyPI. Without such a Python it is skipped, or fails if `MAIM_PEERS` is `required`.
 *
 * Exit codes: 0 no difference but the known ones, 1 another one, 2 wrong usage.
 * @module
 */

import { parseArgs } from "node:util";

import { compare, type Difference } from "./compare.ts";
import { KNOWN_DIFFERENCES, type KnownDifference } from "./differences.ts";
import { type FrameSet, frameSets } from "./frames.ts";
import { askOracle } from "./oracle.ts";
import { defaultCache, findPython, PINNED_VERSION, preparePython, versionOf } from "./python.ts";
import { accountsOf, sendToFake } from "./wire.ts";

const DEFAULTS = { maibot: PINNED_VERSION, seed: "1", frames: "2000", calls: "10000" };
/** MaiBot is busy with one frame at a time: more of them at once are faster, and hungry for memory. */
const MAX_INSTANCES = 2;
/** Unknown differences that are shown, and the length of what is shown of each. */
const MAX_SHOWN = 40;
const SHOWN_LENGTH = 600;

interface Outcome {
  readonly set: FrameSet;
  readonly count: number;
  readonly differences: readonly Difference[];
}

function print(line: string): void {
  // deno-lint-ignore no-console -- this is a program.
  console.log(line);
}

async function judgeSet(python: string, set: FrameSet): Promise<Outcome> {
  const accounts = accountsOf(set.accounts);
  const texts = set.frames.map(({ text }) => text);
  const [answers, receipts] = await Promise.all([askOracle(python, texts, set), sendToFake(texts, accounts)]);
  const compared = set.frames.map((frame, index) => {
    const [answer, receipt] = [answers[index], receipts[index]];
    if (answer === undefined || receipt === undefined) throw new Error("Cannot compare as every frame must be judged");
    return compare({ set, frame, answer, receipt, accounts });
  });
  const count = compared.reduce((sum, each) => sum + each.count, 0);
  return { set, count, differences: compared.flatMap((each) => each.differences) };
}

/** Judges the sets, a few at a time, in the order given. */
async function judgeAll(python: string, sets: readonly FrameSet[]): Promise<Outcome[]> {
  const outcomes: Outcome[] = [];
  const waiting = sets.entries();
  const work = async (): Promise<void> => {
    for (const [index, set] of waiting) outcomes[index] = await judgeSet(python, set);
  };
  await Promise.all(Array.from({ length: MAX_INSTANCES }, work));
  return outcomes;
}

const shorten = (text: string): string => text.length > SHOWN_LENGTH ? `${text.slice(0, SHOWN_LENGTH)}…` : text;

function describe({ aspect, frame, ours, detail, theirs }: Difference): string {
  return [
    `${aspect}, ${frame.name}`,
    `  ours:   ${shorten(detail === "" ? ours : `${ours}: ${detail}`)}`,
    `  MaiBot: ${shorten(theirs)}`,
    `  frame:  ${shorten(frame.text)}`,
  ].join("\n");
}

/** Sorts differences by the entry that takes them. */
function sortDifferences(all: readonly Difference[]): Map<KnownDifference | null, Difference[]> {
  return Map.groupBy(all, (difference) => KNOWN_DIFFERENCES.find(({ isMatch }) => isMatch(difference)) ?? null);
}

/** Prints what came out, and gives the exit code. */
function report(outcomes: readonly Outcome[], isComplete: boolean): number {
  for (const { set: { name, accounts, policy, frames }, count, differences } of outcomes) {
    const where = `${accounts}${policy === undefined ? "" : `, ${JSON.stringify(policy)}`}`;
    print(`${name} (${where}): ${frames.length} frames, ${count} comparisons, ${differences.length} unequal`);
  }
  const sorted = sortDifferences(outcomes.flatMap(({ differences }) => differences));
  for (const known of KNOWN_DIFFERENCES) {
    print(`known, ${sorted.get(known)?.length ?? 0} times: ${known.name}: ${known.reason}`);
  }
  const unknown = sorted.get(null) ?? [];
  for (const difference of unknown.slice(0, MAX_SHOWN)) print(`UNEQUAL ${describe(difference)}`);
  if (unknown.length > MAX_SHOWN) print(`... and ${unknown.length - MAX_SHOWN} more`);
  // With other frames, or another MaiBot, an entry may well take nothing.
  const stale = isComplete ? KNOWN_DIFFERENCES.filter((known) => !sorted.has(known)) : [];
  for (const { name } of stale) print(`STALE known difference, nothing is like it any more: ${name}`);
  const failed = unknown.length + stale.length;
  const count = outcomes.reduce((sum, each) => sum + each.count, 0);
  print(`${count - unknown.length} passed, ${failed} failed`);
  return failed === 0 ? 0 : 1;
}

function skip(reason: string): number {
  const isRequired = Deno.env.get("MAIM_PEERS") === "required";
  print(`${isRequired ? "FAILED" : "SKIPPED"}: MaiBot's own code, as ${reason}`);
  print(`0 passed, ${isRequired ? 1 : 0} failed`);
  return isRequired ? 1 : 0;
}

function readNumber(name: string, text: string): number {
  if (/^\d{1,7}$/.test(text)) return Number(text);
  throw new TypeError(`Cannot read --${name} as it must be a number: received "${text}"`);
}

function readFlags(args: readonly string[]): Record<"maibot" | "seed" | "frames" | "calls" | "cache", string> {
  const flag = { type: "string" } as const;
  const options = { maibot: flag, seed: flag, frames: flag, calls: flag, cache: flag };
  return { ...DEFAULTS, cache: defaultCache(), ...parseArgs({ args: [...args], options }).values };
}

async function main(args: readonly string[]): Promise<number> {
  const { maibot, cache, ...flags } = readFlags(args);
  const options = {
    seed: readNumber("seed", flags.seed),
    generated: readNumber("frames", flags.frames),
    built: readNumber("calls", flags.calls),
  };
  let python = Deno.env.get("MAIM_MAIBOT_PYTHON") ?? "";
  if (python === "") {
    const interpreter = await findPython();
    if (interpreter === null) return skip("no Python 3.12 or newer was found");
    python = await preparePython(interpreter, maibot, cache);
  }
  const version = await versionOf(python);
  print(`MaiBot ${version}, ${python}`);
  const isDefault = Object.entries(DEFAULTS).every(([name, value]) => ({ maibot: version, ...flags })[name] === value);
  return report(await judgeAll(python, frameSets(options)), isDefault);
}

if (import.meta.main) {
  try {
    Deno.exit(await main(Deno.args));
  } catch (error) {
    if (!(error instanceof TypeError)) throw error;
    print(error.message);
    Deno.exit(2);
  }
}
