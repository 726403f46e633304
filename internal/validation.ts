import type { WireMessage } from "../schema.ts";

/** One thing that is wrong with a message, as a `validate` function tells it. */
export interface ValidationIssue {
  /** `"drop"` when the receiver would not take the message: it is not sent. Any other is a warning. */
  readonly level: string;
  /** JSON path of the member at fault. */
  readonly path: string;
  /** Name of the rule. */
  readonly rule?: string;
  /** What to write instead. */
  readonly hint?: string;
}

/** Looks at a message before it is sent. */
export type Validate = (message: WireMessage) => readonly ValidationIssue[];

function describe({ path, rule, hint }: ValidationIssue): string {
  return `${path}${rule === undefined ? "" : ` (${rule})`}${hint === undefined ? "" : `: ${hint}`}`;
}

/** A message was not sent, as its receiver would not have taken it. */
export class MessageRejectedError extends Error {
  /** Everything that was found, warnings included. */
  readonly issues: readonly ValidationIssue[];

  /**
   * Creates the error.
   *
   * @param issues What was found; at least one is a `drop`.
   */
  constructor(issues: readonly ValidationIssue[]) {
    const [first, ...rest] = issues.filter(({ level }) => level === "drop").map(describe);
    const more = rest.length === 0 ? "" : `; and ${rest.length} more`;
    super(`Cannot send message as its receiver would drop it: ${first}${more}`);
    this.name = "MessageRejectedError";
    this.issues = issues;
  }
}

/**
 * Judges a message before anything of it leaves.
 *
 * @returns The warnings; none when all is well.
 * @throws {MessageRejectedError} If an issue is a `drop`.
 */
export function judge(message: WireMessage, validate: Validate): readonly ValidationIssue[] {
  const issues = validate(message);
  if (issues.some(({ level }) => level === "drop")) throw new MessageRejectedError(issues);
  return issues;
}
