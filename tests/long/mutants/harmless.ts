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
  {
    file: "client/connection.ts",
    operator: "always",
    before: 'const waiter = "waiter" in life ? life.waiter : null;',
    reason: "the test is for the types: a state without a waiter gives undefined, and both uses are `waiter?.`",
  },
  {
    file: "client/connection.ts",
    operator: "always",
    before: 'if (this.#life.state === "open") this.#life.heartbeat?.start();',
    reason: "the test is for the types: no state but open has a heartbeat",
  },
  {
    file: "client/heartbeat.ts",
    operator: "right side only",
    before: 'const isOverdue = this.#life.state === "asking" && this.#target.heardAt < this.#life.since',
    reason: "the test is for the types: no state but asking has `since`, and nothing is less than undefined",
  },
  {
    file: "client/link.ts",
    operator: "drop the statement",
    before: 'if (this.#life.state !== "dialling") return;',
    reason: "a socket opens once, and a link that ends while it dials takes its listener away",
  },
  {
    file: "session/transfer/crc32.ts",
    operator: "<= to <",
    before: "at + 4 <= ascii.length",
    reason: "the last four characters go through the loop for single characters, with the same result",
  },
  {
    file: "session/transfer/crc32.ts",
    operator: "one more",
    before: "byte < 256",
    reason: "a typed array ignores what is written behind its end, and its first entry is 0 from the start",
  },
  {
    file: "session/transfer/incoming.ts",
    operator: "one less",
    before: "const JOIN_COUNT = 256",
    reason: "chunks are joined in the same order, however many at a time",
  },
];

/** Says why a survivor changes nothing; undefined if nobody has found that. */
export function reasonOf({ file, operator, before }: Pick<Result, "file" | "operator" | "before">): string | undefined {
  return HARMLESS.find((each) => each.file === file && each.operator === operator && before.includes(each.before))
    ?.reason;
}
