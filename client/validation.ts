import { unheard } from "../util/emitter.ts";
import type { WireMessage } from "../schema/types.ts";

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
 * A value as the encoder writes it: without half pairs of surrogates. The same one where there are none. What holds
 * itself, or stands in many places, is looked into once.
 */
function asSent(value: unknown, seen: Map<object, unknown>): unknown {
  if (typeof value === "string") return value.toWellFormed();
  if (typeof value !== "object" || value === null) return value;
  const isArray = Array.isArray(value);
  if (!isArray && Object.getPrototypeOf(value) !== Object.prototype) return value; // bytes, and what writes itself
  if (seen.has(value)) return seen.get(value);
  seen.set(value, value);
  const entries = Object.entries(value);
  const sent = entries.map(([key, item]) => [key.toWellFormed(), asSent(item, seen)] as const);
  const isSame = sent.every(([key, item], index) => key === entries[index]?.[0] && item === entries[index]?.[1]);
  const result = isSame ? value : isArray ? sent.map(([, item]) => item) : Object.fromEntries(sent);
  seen.set(value, result);
  return result;
}

/**
 * Checks a message before anything of it leaves.
 *
 * @returns The warnings; none when all is well.
 * @throws {MessageRejectedError} If an issue is a `drop`.
 */
export function checkBeforeSending(message: WireMessage, validate: Validate): readonly ValidationIssue[] {
  const issues = validate(asSent(message, new Map()) as WireMessage);
  if (issues.some(({ level }) => level === "drop")) throw new MessageRejectedError(issues);
  return issues;
}

/** Tells on the console of messages that can never be answered, where nobody listens to warnings. */
export class UnheardWarnings {
  readonly #told = new Set<string>();

  /** Tells the first issue of the level `unanswered` whose rule was not told before. */
  tell(issues: readonly ValidationIssue[]): void {
    const found = issues.find(({ level, rule = level }) => level === "unanswered" && !this.#told.has(rule));
    if (found === undefined) return;
    this.#told.add(found.rule ?? found.level);
    unheard("warning", describe(found));
  }
}
