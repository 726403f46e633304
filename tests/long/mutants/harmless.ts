/**
 * Changes that were looked at and change nothing that anybody could notice. A survivor that is listed here does not
 * count.
 * @module
 */

import type { Result } from "./trial.ts";

/** A change that changes nothing. */
export interface Harmless {
  readonly file: string;
  readonly operator: string;
  /** Part of the line as it was. */
  readonly before: string;
  readonly reason: string;
}

/** All of them. */
export const HARMLESS: readonly Harmless[] = [
  {
    file: "codec/decode.ts",
    operator: "pop to shift",
    before: "next = open.pop()",
    reason: "segments are counted, in whatever order",
  },
];

/** Says why a survivor changes nothing; undefined if nobody has found that. */
export function reasonOf({ file, operator, before }: Pick<Result, "file" | "operator" | "before">): string | undefined {
  return HARMLESS.find((each) => each.file === file && each.operator === operator && before.includes(each.before))
    ?.reason;
}
