/**
 * Codec: what decoding and encoding cost beside plain JSON.
 * @module
 */

import type { Samples } from "./micro/measure.ts";
import { type BenchOptions, outputOf, pinned, RUNTIMES, scriptCommand, TITLES } from "./options.ts";
import { compare, median } from "./stats.ts";
import { type Bound, digits, type Row, table } from "./table.ts";

type Results = Readonly<Record<string, Samples>>;

const PAIRS = [["decodeMessage", "JSON.parse"], ["encodeMessage", "JSON.stringify"]] as const;
const DECODE_BOUND: Bound = { kind: "at most", value: 1.1 };

/** Measures and lays out. */
export function benchCodec({ rounds, sampleMs }: BenchOptions): string {
  const tables = RUNTIMES.map((runtime) => {
    const command = pinned(0, scriptCommand(runtime, "micro/codec.ts", [`${rounds}`, `${sampleMs}`]));
    const results: Results = JSON.parse(outputOf(command));
    const rows = PAIRS.flatMap(([ours, plain]) =>
      Object.entries(results).map(([set, samples]): Row => {
        const [mine = [], theirs = []] = [samples[ours], samples[plain]];
        return {
          label: `${set}: ${ours} / ${plain}`,
          details: [digits(median(mine)), digits(median(theirs))],
          summary: compare(mine, theirs),
          ...(ours === "decodeMessage" && set !== "1 MB image" ? { bound: DECODE_BOUND } : {}),
        };
      })
    );
    return table(`Codec on ${TITLES[runtime]}: time, less is better`, ["ratio", "ours ns", "plain ns"], rows);
  });
  return tables.join("\n");
}
