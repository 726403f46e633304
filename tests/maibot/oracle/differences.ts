/**
 * Where our judgement differs from MaiBot's and is meant to, each with the reason.
 *
 * The run fails on a difference that no entry takes, and on an entry that takes none.
 * @module
 */

import type { MaibotVersion } from "../../../maibot/mod.ts";
import { type Difference, dropLine } from "./compare.ts";

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
    isMatch: ({ aspect, ours, theirs }) => aspect.startsWith("fake: ") && isCut(ours, theirs),
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
      return aspect !== "issues: drop" && aspect !== "fake: drop" && frame.policy !== undefined && answer.muted;
    },
  },
  {
    name: "blank platforms in 1.3.8 and 1.3.9",
    reason:
      "1.2.1 takes a platform of white space, and has another text for an empty one; 1.3.8 drops both as 1.3.15 does",
    version: "1.2.1",
    isMatch: ({ answer }) => dropLine(answer)?.endsWith("消息字典缺少有效的 platform 字段，无法构造 RouteKey") ?? false,
  },
  {
    name: "a platform called WebUI in 1.3.8 and 1.3.9",
    reason: "MaiBot finds the driver of its own webui for it where the message names no account",
    version: "1.2.1",
    isMatch: ({ aspect, answer: { session } }) => {
      const platform = session?.platform ?? "";
      return aspect.endsWith("unanswered") && platform !== "webui" && platform.trim().toLowerCase() === "webui";
    },
  },
];

/** The known differences under the rules of a version. */
export function knownDifferences(version: MaibotVersion): KnownDifference[] {
  return KNOWN_DIFFERENCES.filter((known) => known.version === undefined || known.version === version);
}
