/**
 * Compares what MaiBot made of a frame with what `maibotIssues`, `FakeMaiBot` and the vectors say.
 * @module
 */

import { type MaibotIssue, maibotIssues, type MaibotVersion } from "../../../maibot/mod.ts";
import type { MaibotReceipt } from "../../../maibot/fake/mod.ts";
import type { Frame, FrameSet } from "./frames.ts";
import type { OracleAnswer, OracleLine } from "./oracle.ts";

/** What is compared. */
export type Aspect =
  | "issues: drop"
  | "issues: unanswered"
  | "fake: drop"
  | "fake: unanswered"
  | "fake: log"
  | "vector";

/** One comparison that came out unequal. */
export interface Difference {
  readonly aspect: Aspect;
  readonly set: FrameSet;
  readonly frame: Frame;
  readonly ours: string;
  /** The issues behind it. */
  readonly detail: string;
  readonly theirs: string;
  readonly answer: OracleAnswer;
}

/** Takes one comparison; the detail is shown with what is ours. */
type Note = (aspect: Aspect, ours: unknown, theirs: unknown, detail?: string) => void;

const OLD_ROUTE = "消息使用旧版路由归属格式";

const show = (value: unknown): string => typeof value === "string" ? value : JSON.stringify(value) ?? "undefined";

/** The line that says why a frame was dropped; null where MaiBot says nothing. */
export function dropLine({ verdict, lines }: OracleAnswer): string | null {
  if (verdict === "accept") return null;
  return lines.findLast(([level, , text]) => level !== "INFO" && !text.startsWith(OLD_ROUTE))?.[2] ?? null;
}

/** Checks whether MaiBot tried to answer by itself: a command is answered at once. */
const isSpeaking = (lines: readonly OracleLine[]): boolean => lines.some(([, logger]) => logger === "send_service");

/** Checks whether an answer to a frame can come: it needs a chat, and since 1.3.10 an account as well. */
function isAnswerable({ stored, session, muted, lines }: OracleAnswer, version: MaibotVersion): boolean {
  if (stored === null || muted) return false;
  return version === "1.2.1" || isSpeaking(lines) || (session !== null && session.account_id !== null);
}

const isDrop = (issues: readonly MaibotIssue[]): boolean => issues.some(({ level }) => level === "drop");
const isUnanswered = (issues: readonly MaibotIssue[]): boolean => issues.some(({ level }) => level === "unanswered");
const describe = (issues: readonly MaibotIssue[]): string =>
  issues.map(({ level, rule, path }) => `${level} ${rule} ${path}`).join(", ");
const verdictOf = (isDropped: boolean): string => isDropped ? "drop" : "accept";

function compareIssues({ frame, answer, accounts, version }: Judged, note: Note): void {
  if (!frame.isFaithful) return;
  const issues = maibotIssues(frame.value, { version, accounts });
  note("issues: drop", verdictOf(isDrop(issues)), answer.verdict, describe(issues));
  // Of what is dropped no answer can come either, and of an echo nobody expects one.
  if (answer.stored !== null && !isDrop(issues)) {
    note("issues: unanswered", isUnanswered(issues), !isAnswerable(answer, version), describe(issues));
  }
}

function compareReceipt({ receipt, answer, version }: Judged, note: Note): void {
  const { kind, issues, isAnswerable: canAnswer, log } = receipt;
  // The fake takes an echo only of a message that it sent, and the oracle of any: the issues are alike.
  const isDropped = kind === "broken" || isDrop(issues);
  note("fake: drop", verdictOf(isDropped), answer.verdict, describe(issues));
  if (answer.stored !== null && !isDropped) note("fake: unanswered", !canAnswer, !isAnswerable(answer, version));
  if (answer.verdict === "drop" && kind !== "broken") note("fake: log", log?.text ?? null, dropLine(answer));
}

/** Cuts what was cut as it was recorded: `xxx…(70000)`. */
function cutAlike(recorded: string | null, text: string | null): string | null {
  const cut = /^(.*)…\(\d+\)$/s.exec(recorded ?? "");
  return cut === null || text === null ? text : text.slice(0, cut[1]?.length) + (recorded ?? "").slice(cut[1]?.length);
}

function compareVector({ recorded }: Frame, answer: OracleAnswer, note: Note): void {
  if (recorded === undefined) return;
  const { maibot_1_3_15: verdict, reason, unanswered, session, warnings } = recorded;
  note("vector", verdict, answer.verdict);
  if (reason !== undefined && verdict === "drop") note("vector", reason, dropLine(answer));
  // Whether the one that there is nobody to send to is among them has changed with the recorder.
  if (warnings !== undefined && !isSpeaking(answer.lines)) {
    note("vector", warnings, answer.lines.filter(([level]) => level === "WARNING").length);
  }
  if (verdict !== "accept" || answer.stored === null) return;
  note("vector", unanswered ?? null, answer.muted ? "no_chat" : isAnswerable(answer, "1.3.15") ? null : "no_account");
  if (session === undefined) return;
  // Whether it names the group or the user depends on who opened it, in the order in which the vectors were recorded.
  for (const member of ["account_id", "scope"]) {
    note("vector", session[member], cutAlike(session[member] ?? null, answer.session?.[member] ?? null));
  }
}

/** What there is to compare of one frame. */
export interface Judged {
  readonly set: FrameSet;
  readonly frame: Frame;
  readonly answer: OracleAnswer;
  readonly receipt: MaibotReceipt;
  readonly accounts: Record<string, string>;
  /** The rules of ours that are asked. */
  readonly version: MaibotVersion;
}

/** Compares everything there is to compare of one frame; counts the comparisons. */
export function compare(judged: Judged): { count: number; differences: Difference[] } {
  const { set, frame, answer, version } = judged;
  const differences: Difference[] = [];
  let count = 0;
  const note: Note = (aspect, ours, theirs, detail = "") => {
    count++;
    if (ours === theirs) return;
    differences.push({ aspect, set, frame, ours: show(ours), detail, theirs: show(theirs), answer });
  };
  compareIssues(judged, note);
  compareReceipt(judged, note);
  if (version === "1.3.15") compareVector(frame, answer, note);
  return { count, differences };
}
