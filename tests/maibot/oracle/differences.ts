/**
 * Where our judgement differs from MaiBot's and is meant to, each with the reason.
 *
 * The run fails on a difference that no entry takes, and on an entry that takes none.
 * @module
 */

import type { MaibotVersion } from "../../../maibot/mod.ts";
import type { Difference } from "./compare.ts";

/** A known difference. */
export interface KnownDifference {
  readonly name: string;
  readonly reason: string;
  /** The rules of ours that it is about; all unless given. */
  readonly version?: MaibotVersion;
  readonly isMatch: (difference: Difference) => boolean;
}

/** Checks whether our text is MaiBot's with long names in it cut off. */
function isCut(ours: string, theirs: string): boolean {
  const [start, ...rest] = ours.split("…");
  return rest.length > 0 && theirs.startsWith(start ?? "") && theirs.endsWith(rest.at(-1) ?? "") &&
    theirs.length > ours.length;
}

/** The first that fits takes a difference. */
const KNOWN_DIFFERENCES: readonly KnownDifference[] = [
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
    isMatch: ({ aspect, frame, answer }) => {
      return (aspect === "issues: unanswered" || aspect === "fake: unanswered") && frame.policy !== undefined &&
        answer.muted;
    },
  },
  {
    name: "no platform, 1.3.8 and 1.3.9",
    reason: "1.2.1 says 消息缺少平台信息 of an empty platform; 1.3.8 says already what 1.3.15 says",
    version: "1.2.1",
    isMatch: ({ aspect, ours, theirs }) => {
      return aspect === "fake: log" && ours.endsWith(": 消息缺少平台信息") && theirs.endsWith("无法构造 RouteKey");
    },
  },
];

/** The known differences under the rules of a version. */
export function knownDifferences(version: MaibotVersion): KnownDifference[] {
  return KNOWN_DIFFERENCES.filter((known) => known.version === undefined || known.version === version);
}
