/**
 * Judges `maibotIssues` and `FakeMaiBot` by MaiBot's own code:
 *
 *     deno task oracle [--maibot=VERSION] [--seed=N] [--frames=N] [--calls=N] [--cache=FOLDER]
 *
 * Takes the Python of `MAIM_MAIBOT_PYTHON`, else makes an environment with that version of MaiBot in the cache, which
 * needs Python 3.12 or newer and PyPI. Without such a Python it is skipped, or fails if `MAIM_PEERS` is `required`.
 *
 * Exit codes: 0 no difference but the known ones, or skipped; 1 another difference; 2 wrong usage; 3 no such Python.
 * @module
 */

import { isDeepStrictEqual, parseArgs } from "node:util";

import type { MaibotVersion } from "../../../maibot/mod.ts";
import { compare, type Difference } from "./compare.ts";
import { type KnownDifference, knownDifferences } from "./differences.ts";
import { type FrameOptions, type FrameSet, frameSets } from "./frames.ts";
import { askOracle } from "./oracle.ts";
import { defaultCache, findPython, PINNED_VERSION, preparePython, versionOf } from "./python.ts";
import { accountsOf, sendToFake } from "./wire.ts";

const DEFAULTS = { maibot: PINNED_VERSION, seed: "1", frames: "2000", calls: "10000" };
/** MaiBot is busy with one frame at a time: more of them at once are faster, and hungry for memory. */
const MAX_INSTANCES = 2;
/** Unknown differences that are shown, and the length of what is shown of each. */
const MAX_SHOWN = 40;
const SHOWN_LENGTH = 600;

interface MaiBot {
  readonly python: string;
  readonly isRecorded: boolean;
  readonly version: MaibotVersion;
}

interface Outcome {
  readonly set: FrameSet;
  readonly count: number;
  readonly differences: readonly Difference[];
}

function print(line: string): void {
  // deno-lint-ignore no-console -- this is a program.
  console.log(line);
}

/** The rules of ours that a version is judged by: what the receive chain does has changed with 1.3.10 only. */
function rulesFor(version: string): MaibotVersion {
  return /^(?:0|1\.[0-2]|1\.3\.[0-9])(?:\.|$)/.test(version) ? "1.2.1" : "1.3.15";
}

async function judgeSet({ python, version, isRecorded }: MaiBot, set: FrameSet): Promise<Outcome> {
  const accounts = accountsOf(set.accounts);
  const texts = set.frames.map(({ text }) => text);
  const [answers, fakes] = await Promise.all([
    askOracle(python, set.frames, set.accounts),
    sendToFake(texts, accounts, version),
  ]);
  const compared = set.frames.map((frame, index) => {
    const [answer, fake] = [answers[index], fakes[index]];
    if (answer === undefined || fake === undefined) throw new Error("Cannot compare as every frame must be judged");
    return compare({ set, frame, answer, fake, accounts, version, isRecorded });
  });
  const count = compared.reduce((sum, each) => sum + each.count, 0);
  return { set, count, differences: compared.flatMap((each) => each.differences) };
}

/** Judges the sets, a few at a time, in the order given. */
async function judgeAll(maibot: MaiBot, sets: readonly FrameSet[]): Promise<Outcome[]> {
  const outcomes: Outcome[] = [];
  const waiting = sets.entries();
  const work = async (): Promise<void> => {
    for (const [index, set] of waiting) outcomes[index] = await judgeSet(maibot, set);
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

/** Prints what came out, and gives the exit code. */
function report(outcomes: readonly Outcome[], version: MaibotVersion, isComplete: boolean): number {
  for (const { set: { name, accounts, frames }, count, differences } of outcomes) {
    print(`${name} (${accounts}): ${frames.length} frames, ${count} comparisons, ${differences.length} unequal`);
  }
  const listed = knownDifferences(version);
  const all = outcomes.flatMap(({ differences }) => differences);
  const sorted = Map.groupBy(all, (difference): KnownDifference | null => {
    return listed.find(({ isMatch }) => isMatch(difference)) ?? null;
  });
  for (const known of listed) {
    print(`known, ${sorted.get(known)?.length ?? 0} times: ${known.name}: ${known.reason}`);
  }
  const unknown = sorted.get(null) ?? [];
  for (const difference of unknown.slice(0, MAX_SHOWN)) print(`UNEQUAL ${describe(difference)}`);
  if (unknown.length > MAX_SHOWN) print(`... and ${unknown.length - MAX_SHOWN} more`);
  // With other frames, or another MaiBot, an entry may well take nothing.
  const stale = isComplete ? listed.filter((known) => !sorted.has(known)) : [];
  for (const { name } of stale) print(`STALE known difference, nothing is like it any more: ${name}`);
  const failed = unknown.length + stale.length;
  const count = outcomes.reduce((sum, each) => sum + each.count, 0);
  print(`${count - all.length} passed, ${failed} failed`);
  return failed === 0 ? 0 : 1;
}

function skip(reason: string): number {
  const isRequired = Deno.env.get("MAIM_PEERS") === "required";
  print(`${isRequired ? "FAILED" : "SKIPPED"}: MaiBot's own code, as ${reason}`);
  print(`0 passed, ${isRequired ? 1 : 0} failed`);
  return isRequired ? 3 : 0;
}

/** What the command line asks for. */
interface Wanted {
  readonly maibot: string;
  readonly cache: string;
  readonly frames: FrameOptions;
}

function readNumber(name: string, text: string): number {
  if (/^\d{1,7}$/.test(text)) return Number(text);
  throw new TypeError(`Cannot read --${name} as it must be a number: received "${text}"`);
}

/** Reads the flags; throws a `TypeError` for what cannot be understood. */
function readFlags(args: readonly string[]): Wanted {
  const flag = { type: "string" } as const;
  const options = { maibot: flag, seed: flag, frames: flag, calls: flag, cache: flag };
  const { values } = parseArgs({ args: [...args], options });
  const { maibot, seed, frames, calls, cache } = { ...DEFAULTS, cache: defaultCache(), ...values };
  return {
    maibot,
    cache,
    frames: {
      seed: readNumber("seed", seed),
      generated: readNumber("frames", frames),
      built: readNumber("calls", calls),
    },
  };
}

async function main({ maibot, cache, frames }: Wanted): Promise<number> {
  let python = Deno.env.get("MAIM_MAIBOT_PYTHON") ?? "";
  if (python === "") {
    const interpreter = await findPython();
    if (interpreter === null) return skip("no Python 3.12 or newer was found");
    python = await preparePython(interpreter, maibot, cache);
  }
  const installed = await versionOf(python);
  const version = rulesFor(installed);
  print(`MaiBot ${installed} (${python}), our rules for ${version}`);
  const isRecorded = installed === PINNED_VERSION;
  const isComplete = isDeepStrictEqual({ installed, frames }, {
    installed: PINNED_VERSION,
    frames: readFlags([]).frames,
  });
  return report(await judgeAll({ python, version, isRecorded }, frameSets(frames)), version, isComplete);
}

/** Reads the command line; null, and a line that says why, if it is wrong. */
function readCommand(): Wanted | null {
  try {
    return readFlags(Deno.args);
  } catch (error) {
    if (!(error instanceof TypeError)) throw error;
    print(error.message);
    return null;
  }
}

if (import.meta.main) {
  const wanted = readCommand();
  Deno.exit(wanted === null ? 2 : await main(wanted));
}
