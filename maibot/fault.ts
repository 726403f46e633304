/**
 * Faults of a frame, and the JSON paths of the members at fault.
 * @module
 */

import type { MaibotRule } from "./rules.ts";

/** JSON path of `message_info`. */
export const INFO = "$.message_info";
/** JSON path of `message_segment`. */
export const SEGMENT = "$.message_segment";

/**
 * The step in which MaiBot finds a fault: `dispatch` passes the frame on to a handler, `preprocess` reads the frame,
 * and `store` stores the message.
 */
export type FaultStep = "dispatch" | "preprocess" | "store";

/** A rule of MaiBot that a frame breaks. */
export interface Fault {
  readonly rule: MaibotRule;
  /** JSON path of the member at fault. */
  readonly path: string;
  /** Text of the error that MaiBot logs; `undefined` if it logs none. */
  readonly error: string | undefined;
  /** The step in which MaiBot finds the fault. The text of MaiBot's log line depends on the step. */
  readonly step: FaultStep;
}

/** Handler of a fault. */
export type FaultHandler = (fault: Fault) => void;

/**
 * Reports a fault of the current step. Takes the rule, the JSON path of the member at fault, and the text of the error
 * that MaiBot logs, if it logs one.
 */
export type Report = (rule: MaibotRule, path: string, error?: string) => void;

/** Returns the function that reports the faults of one step. */
export function reportIn(step: FaultStep, onFault: FaultHandler): Report {
  return (rule, path, error) => onFault({ rule, path, error, step });
}
