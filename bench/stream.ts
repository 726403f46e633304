/**
 * Streams: what the streaming codec costs beside the same done in memory, in time and in peak memory.
 * @module
 */

import type { Samples } from "./micro/measure.ts";
import { type BenchOptions, outputOf, pinned, RUNTIMES, scriptCommand, TITLES } from "./options.ts";
import { compare, median } from "./stats.ts";
import { type Bound, digits, type Row, table } from "./table.ts";

const SIZES = [["100 KB", 1e5], ["1 MB", 1e6], ["10 MB", 1e7], ["64 MB", 6.4e7]] as const;

/** What is compared with what; the bound is for 10 MB on Deno. */
const PAIRS: readonly (readonly [ours: string, other: string, atMost?: number])[] = [
  ["encodeMessage", "btoa + stringify"],
  ["encodeMessage", "toBase64 + stringify"],
  ["encodeStream", "toBase64 + stringify + TextEncoder", 0.15],
  ["encodeStream, BYOB", "toBase64 + stringify + TextEncoder", 0.06],
  ["encodeStream, BYOB", "copy encoded"],
  ["decodeSegments", "TextDecoder + parse + atob"],
  ["decodeSegments", "TextDecoder + parse + fromBase64"],
  ["decodeSegments, BYOB", "TextDecoder + parse + fromBase64"],
  ["decodeSegments, BYOB", "copy decoded"],
];

/** From here on a round takes seconds, and three tell enough where no bound is. */
const LARGE = 5e7;

/** Measures and lays out. */
export function benchStream({ rounds, sampleMs, isShort }: BenchOptions): string {
  const tables = RUNTIMES.map((runtime) => {
    const run = (...args: readonly (string | number)[]): unknown => {
      return JSON.parse(outputOf(pinned(0, scriptCommand(runtime, "micro/stream.ts", args.map(String)))));
    };
    const rows = SIZES.filter(([, bytes]) => !isShort || bytes < LARGE).flatMap(([size, bytes]) => {
      const samples = run("time", bytes, bytes < LARGE ? rounds : Math.min(rounds, 3), sampleMs) as Samples;
      // Each in a process of its own: memory that one took is there for the next.
      const peaks = new Map(PAIRS.flat().filter((name) => typeof name === "string").map((name) => [name, NaN]));
      for (const name of peaks.keys()) peaks.set(name, run("rss", bytes, name) as number);
      return PAIRS.map(([ours, other, atMost]): Row => {
        const [mine, theirs] = [samples[ours] ?? [], samples[other] ?? []];
        const bound: Bound | undefined = runtime === "deno" && size === "10 MB" && atMost !== undefined
          ? { kind: "at most", value: atMost }
          : undefined;
        const memory = [ours, other].map((name) => (peaks.get(name) ?? NaN).toFixed(0));
        return {
          label: `${size}: ${ours} / ${other}`,
          details: [digits(median(mine)), digits(median(theirs)), ...memory],
          summary: compare(mine, theirs),
          ...(bound === undefined ? {} : { bound }),
        };
      });
    });
    const columns = ["time ratio", "ours ms", "other ms", "ours peak MiB", "other peak MiB"];
    return table(`Streams on ${TITLES[runtime]}: time and memory, less is better`, columns, rows);
  });
  return tables.join("\n");
}
