import type { Scenario } from "./scenario_types.ts";
import type { Counts } from "./statistics.ts";
import type { RuleName, Violation } from "./violations.ts";

/** What a child process is to do. A scenario that is given stands for the one of the seed. */
export type ChildTask =
  /** Runs all seeds from `from` up to, but not including, `to`. */
  | { readonly do: "seeds"; readonly from: number; readonly to: number; readonly ignored?: readonly RuleName[] }
  /** Runs one scenario and shows what happened. */
  | { readonly do: "one"; readonly seed: number; readonly scenario?: Scenario; readonly ignored?: readonly RuleName[] }
  /** Takes away whatever the violation of a rule does not need. */
  | { readonly do: "shrink"; readonly seed: number; readonly scenario?: Scenario; readonly rule: RuleName };

/** What a child process reports, a line each. */
export type ChildReport =
  | { readonly is: "progress"; readonly runs: number }
  | { readonly is: "violations"; readonly seed: number; readonly violations: readonly Violation[] }
  | { readonly is: "counts"; readonly counts: Counts }
  | {
    readonly is: "run";
    readonly scenario: Scenario;
    readonly violations: readonly Violation[];
    readonly trace: readonly string[];
  };
