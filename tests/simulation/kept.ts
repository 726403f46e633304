import type { Scenario } from "./scenario_types.ts";
import type { RuleName } from "./violations.ts";

/** A scenario that found a fault, as data: it stays the same when the drawing of scenarios changes. */
export interface Kept {
  readonly name: string;
  readonly rule: RuleName;
  readonly scenario: Scenario;
}

export const KEPT: readonly Kept[] = [];
