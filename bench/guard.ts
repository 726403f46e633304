/**
 * Guards: `isMessageBase` against `JSON.parse` and against what others would use.
 * @module
 */

import type { Samples } from "./micro/measure.ts";
import { type BenchOptions, outputOf, pinned, RUNTIMES, scriptCommand, TITLES } from "./options.ts";
import { compare, median } from "./stats.ts";
import { type Bound, digits, type Row, table } from "./table.ts";

type Results = Readonly<Record<string, Samples>>;

const OURS = "isMessageBase";

/** Bounds hold for the messages that really come: not for broken ones. */
function boundOf(runtime: string, set: string, other: string): Bound | undefined {
  if (set === "invalid") return undefined;
  if (other === "JSON.parse") return { kind: "at most", value: runtime === "deno" ? 0.06 : 0.1 };
  if (other === "ajv compiled") return { kind: "at most", value: 0.6 };
  if (other === "typebox compiled") return { kind: "at most", value: 1 };
  if (other === "zod 4" && runtime === "deno") return { kind: "at most", value: 1 / 12 };
  return undefined;
}

/** Measures and lays out. */
export function benchGuard({ rounds, sampleMs }: BenchOptions): string {
  const tables = RUNTIMES.map((runtime) => {
    const command = pinned(0, scriptCommand(runtime, "micro/guard.ts", [`${rounds}`, `${sampleMs}`]));
    const results: Results = JSON.parse(outputOf(command));
    const rows = Object.entries(results).flatMap(([set, samples]) => {
      const ours = samples[OURS] ?? [];
      return Object.entries(samples).filter(([name]) => name !== OURS).map(([name, theirs]): Row => {
        const bound = boundOf(runtime, set, name);
        return {
          label: `${set}: ${OURS} / ${name}`,
          details: [digits(median(ours)), digits(median(theirs))],
          summary: compare(ours, theirs),
          ...(bound === undefined ? {} : { bound }),
        };
      });
    });
    return table(`Guards on ${TITLES[runtime]}: time, less is better`, ["ratio", "ours ns", "other ns"], rows);
  });
  return tables.join("\n");
}
