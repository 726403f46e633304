/**
 * The mutants of a run: those with names, and some drawn by a seed.
 * @module
 */

import { createHash } from "node:crypto";

import { readText } from "../../support/package.ts";
import { randomFrom } from "../../support/random.ts";
import { countCodeLines, readSource } from "../../support/source_code.ts";
import { NAMED, type NamedMutant } from "./named.ts";
import { applyChange, type Change, findChanges, functionLines, isParsed } from "./operators.ts";
import { targetFiles } from "./targets.ts";

/** One changed place of one file. */
export interface Mutant {
  /** File, place and operator, and a digest of the file: the id of a changed file is another one. */
  readonly id: string;
  readonly file: string;
  /** First line of the place, from 1. */
  readonly line: number;
  /** First and last line of the function around the place. */
  readonly around: readonly [first: number, last: number];
  /** The name of a named mutant, else the operator. */
  readonly operator: string;
  readonly isNamed: boolean;
  /** The line as it was, or what was replaced. */
  readonly before: string;
  /** What became of it. */
  readonly after: string;
  /** The whole text of the changed file. */
  readonly source: string;
}

function shuffle<T>(items: readonly T[], random: () => number): T[] {
  const rest = [...items];
  for (let index = rest.length - 1; index > 0; index--) {
    const other = Math.floor(random() * (index + 1));
    [rest[index], rest[other]] = [rest[other]!, rest[index]!];
  }
  return rest;
}

function lineAt(source: string, index: number): number {
  return source.slice(0, index).split("\n").length;
}

/** The lines that a change touches. */
function linesOf(source: string, start: number, end: number): string {
  const from = source.lastIndexOf("\n", start - 1) + 1;
  const to = source.indexOf("\n", end);
  return source.slice(from, to < 0 ? undefined : to).replaceAll(/\s+/g, " ").trim();
}

function makeMutant(file: string, original: string, change: Change, isNamed: boolean): Mutant {
  const { operator, start, end, replacement } = change;
  const source = applyChange(original, change);
  const digest = createHash("sha256").update(original).digest("hex").slice(0, 8);
  const line = lineAt(original, start);
  return {
    id: `${file}:${line} ${start}-${end} ${operator} ${digest}`,
    ...{ file, line, operator, isNamed, source },
    around: functionLines(original, start),
    before: linesOf(original, start, end),
    after: linesOf(source, start, start + replacement.length),
  };
}

/** Makes a named mutant. Throws if its place is not there exactly once. */
function makeNamed({ name, file, find, replace }: NamedMutant): Mutant {
  const original = readText(file);
  const count = original.split(find).length - 1;
  if (count !== 1) {
    throw new Error(
      `Cannot make the mutant "${name}" as ${file} holds its text ${count} times; adapt named.ts:\n${find}`,
    );
  }
  const start = original.indexOf(find);
  const mutant = makeMutant(
    file,
    original,
    { operator: name, start, end: start + find.length, replacement: replace },
    true,
  );
  if (!isParsed(mutant.source)) throw new Error(`Cannot make the mutant "${name}" as ${file} does not parse then`);
  return mutant;
}

/** Every mutant with a name. */
export function namedMutants(): Mutant[] {
  return NAMED.map(makeNamed);
}

/**
 * Orders the changes of a file: first one for each line, in the order of the draw, then another for each line, and so
 * on.
 */
function spread(source: string, changes: readonly Change[], random: () => number): Change[] {
  const seen = new Map<number, number>();
  const rounds = shuffle(changes, random).map((change) => {
    const line = lineAt(source, change.start);
    const round = seen.get(line) ?? 0;
    seen.set(line, round + 1);
    return { change, round };
  });
  return rounds.toSorted((left, right) => left.round - right.round).map(({ change }) => change);
}

/** Shares a number out by size, at least one each; what rounding leaves goes to the largest remainders. */
export function share(count: number, sizes: readonly number[]): number[] {
  const total = sizes.reduce((sum, size) => sum + size, 0);
  const exact = sizes.map((size) => Math.max(1, count * size / total));
  const shares = exact.map(Math.floor);
  const order = exact.map((value, index) => [value % 1, index] as const).toSorted(([left], [right]) => right - left);
  let left = count - shares.reduce((sum, value) => sum + value, 0);
  for (const [, index] of order) if (left-- > 0) shares[index]!++;
  return shares;
}

/** Draws mutants, evenly over the code lines of all files. The same seed draws the same ones of the same code. */
export function drawMutants(count: number, seed: number): Mutant[] {
  const files = targetFiles();
  const sources = files.map(readText);
  const shares = share(count, sources.map((source) => countCodeLines(readSource(source))));
  return files.flatMap((file, index) => {
    const source = sources[index]!;
    // A generator for each file: a change in one file does not draw others elsewhere.
    const random = randomFrom(seed * 1_000_003 + [...file].reduce((sum, char) => sum * 31 + char.charCodeAt(0) | 0, 7));
    const drawn: Mutant[] = [];
    for (const change of spread(source, findChanges(source), random)) {
      if (drawn.length >= shares[index]!) break;
      const mutant = makeMutant(file, source, change, false);
      if (isParsed(mutant.source)) drawn.push(mutant);
    }
    return drawn;
  });
}
