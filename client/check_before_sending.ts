import type { WireMessage } from "../schema/types.ts";
import { oneLine } from "../util/display.ts";
import { reportUnheard } from "../util/emitter.ts";

/** A fault in a message that a `validate` function has found. */
export interface ValidationIssue {
  /**
   * Level of the issue. `"drop"` means that the receiver would discard the message, so the message is not sent. Any
   * other level is a warning.
   */
  readonly level: string;
  /** JSON path of the wrong member. */
  readonly path: string;
  /** Name of the rule that was broken. */
  readonly rule?: string;
  /** Advice: what to write instead. */
  readonly hint?: string;
}

/** Function that checks a message before it is sent. Returns the issues that it found. */
export type Validate = (message: WireMessage) => readonly ValidationIssue[];

/** Maximum characters of a hint that are shown. The limit is high, because a hint consists of whole sentences. */
const MAX_HINT_LENGTH = 1000;

/** Describes an issue in one line that is safe to print. */
function describe({ path, rule, hint }: ValidationIssue): string {
  const name = rule === undefined ? "" : ` (${oneLine(rule)})`;
  return `${oneLine(path)}${name}${hint === undefined ? "" : `: ${oneLine(hint, MAX_HINT_LENGTH)}`}`;
}

/** Error for a message that was not sent, because its receiver would discard it. */
export class MessageRejectedError extends Error {
  /** All issues that were found, warnings included. */
  readonly issues: readonly ValidationIssue[];

  /**
   * Creates the error.
   *
   * @param issues The issues; at least one has the level `drop`.
   */
  constructor(issues: readonly ValidationIssue[]) {
    const [first, ...rest] = issues.filter(({ level }) => level === "drop").map(describe);
    const more = rest.length === 0 ? "" : `; and ${rest.length} more`;
    super(`Message was not sent, because its receiver would drop it: ${first}${more}`);
    this.name = "MessageRejectedError";
    this.issues = issues;
  }
}

/**
 * Returns a value as the encoder writes it: with U+FFFD in place of lone surrogates. A value without lone surrogates is
 * returned itself, not a copy. `seen` holds the objects that were visited so far, with their results, so that cycles
 * end and shared objects are visited only once.
 */
function asEncoded(value: unknown, seen: Map<object, unknown>): unknown {
  if (typeof value === "string") return value.toWellFormed();
  if (typeof value !== "object" || value === null) return value;
  const isArray = Array.isArray(value);
  if (!isArray && Object.getPrototypeOf(value) !== Object.prototype) return value; // bytes, or an object with toJSON()
  if (seen.has(value)) return seen.get(value);
  seen.set(value, value);
  const entries = Object.entries(value);
  const encoded = entries.map(([key, item]) => [key.toWellFormed(), asEncoded(item, seen)] as const);
  const isSame = encoded.every(([key, item], index) => key === entries[index]?.[0] && item === entries[index]?.[1]);
  const result = isSame ? value : isArray ? encoded.map(([, item]) => item) : Object.fromEntries(encoded);
  seen.set(value, result);
  return result;
}

/**
 * Checks a message with the user's function before it is sent.
 *
 * @returns The warnings; empty if there are none.
 * @throws {MessageRejectedError} If an issue has the level `drop`.
 */
export function checkBeforeSending(message: WireMessage, validate: Validate): readonly ValidationIssue[] {
  const issues = validate(asEncoded(message, new Map()) as WireMessage);
  if (issues.some(({ level }) => level === "drop")) throw new MessageRejectedError(issues);
  return issues;
}

/** Prints warnings about messages that will never be answered, if there is no handler for `warning`. */
export class UnheardWarnings {
  readonly #printedRules = new Set<string>();

  /** Prints the first issue with the level `unanswered` whose rule was not printed before. */
  print(issues: readonly ValidationIssue[]): void {
    const found = issues.find(({ level, rule = level }) => level === "unanswered" && !this.#printedRules.has(rule));
    if (found === undefined) return;
    this.#printedRules.add(found.rule ?? found.level);
    reportUnheard("warning", describe(found));
  }
}
