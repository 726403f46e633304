/**
 * Where our judgement differs from MaiBot's and is meant to, each with the reason.
 *
 * The run fails on a difference that no entry takes, and on an entry that takes none.
 * @module
 */

import type { Difference } from "./compare.ts";

/** A known difference. */
export interface KnownDifference {
  readonly name: string;
  readonly reason: string;
  readonly isMatch: (difference: Difference) => boolean;
}

/** Checks whether our text is MaiBot's with long names in it cut off. */
function isCut(ours: string, theirs: string): boolean {
  const [start, ...rest] = ours.split("…");
  return rest.length > 0 && theirs.startsWith(start ?? "") && theirs.endsWith(rest.at(-1) ?? "") &&
    theirs.length > ours.length;
}

/** The known differences; the first that fits takes a difference. */
export const KNOWN_DIFFERENCES: readonly KnownDifference[] = [
  {
    name: "long names in the fake's log",
    reason: "the fake cuts a name from outside after 40 characters, MaiBot logs all of it",
    isMatch: ({ aspect, ours, theirs }) => aspect === "fake: log" && isCut(ours, theirs),
  },
  {
    name: "half characters in what was built",
    reason: "maibotIssues judges the value as it stands; the encoder mends it as it is sent, and MaiBot takes that",
    isMatch: ({ aspect, set, ours, detail }) => {
      const drops = detail.split(", ").filter((issue) => issue.startsWith("drop "));
      return aspect === "issues: drop" && set.name === "built" && ours === "drop" &&
        drops.every((issue) => issue.startsWith("drop surrogate "));
    },
  },
  {
    name: "policy files",
    reason: "maibotIssues does not see config/adapter_policy.toml, and the fake takes a function instead",
    isMatch: ({ aspect, set, answer }) => {
      return (aspect === "issues: unanswered" || aspect === "fake: unanswered") && set.policy !== undefined &&
        answer.muted;
    },
  },
];
