import { findFaults } from "./faults.ts";
import { HINTS } from "./hints.ts";
import { type MaibotLevel, type MaibotRule, type MaibotVersion, RULES } from "./rules.ts";
import { type MaibotSetup, readSetup } from "./setup.ts";

export type { MaibotLevel, MaibotRule, MaibotVersion } from "./rules.ts";

/** Options of {@linkcode maibotIssues}. */
export interface MaibotIssuesOptions {
  /**
   * The version of MaiBot that gets the message: `"1.3.15"` for 1.3.10 and newer, `"1.2.1"` for older versions.
   *
   * @default {"1.3.15"}
   */
  version?: MaibotVersion;
  /**
   * The bot's account on each platform, as in `[bot]` of MaiBot's configuration. Without this option, a wrong account
   * in a message causes no issue. A missing account always causes one.
   */
  accounts?: Readonly<Record<string, string>>;
}

/** A reason why MaiBot would drop a message, never answer it, or read something that the sender did not mean. */
export interface MaibotIssue {
  /** The effect that the issue has on the message. */
  readonly level: MaibotLevel;
  /** JSON path of the member at fault, such as `$.message_segment.data[0].data`. */
  readonly path: string;
  /** Name of the rule that the message breaks. Names are stable. */
  readonly rule: MaibotRule;
  /** English text: what to write instead, and the file of MaiBot that has the rule. See {@linkcode hintOf}. */
  readonly hint: string;
}

/** Maximum number of issues that are listed. If the first `drop` comes after these issues, it is listed too. */
export const MAX_ISSUES = 100;

/** Languages of the hints. */
export type HintLanguage = "en" | "zh";

/**
 * Returns the hint of a rule: what to write instead, and the file in the source of MaiBot that has the rule.
 *
 * @param issue An issue, or an object with the member `rule`.
 * @param language `"en"` for English, `"zh"` for Chinese.
 * @param version The version of MaiBot whose source file is named. The default is `"1.3.15"`. If this version does not
 * have the rule, the file of the other version is named.
 * @returns The hint.
 *
 * @example In Chinese
 * ```ts
 * import { hintOf, maibotIssues } from "@maim/message/maibot";
 *
 * for (const issue of maibotIssues({ message_segment: { type: "text", data: "hi" } })) {
 *   console.log(issue.path, hintOf(issue, "zh")); // $.message_info message_info 必须是对象；...
 * }
 * ```
 */
export function hintOf(
  { rule }: Pick<MaibotIssue, "rule">,
  language: HintLanguage,
  version: MaibotVersion = "1.3.15",
): string {
  const { sources } = RULES[rule];
  const source = sources[version] ?? Object.values(sources)[0];
  const place = source === undefined ? "" : `${source.program}: ${source.file.split("/").at(-1)}`;
  return language === "zh" ? `${HINTS[rule].zh}（${place}）` : `${HINTS[rule].en} (${place})`;
}

/**
 * Finds every reason why MaiBot would drop a message, never answer it, or read something that the sender did not mean.
 *
 * The issues come in the order in which MaiBot finds them. If one of them is a `drop`, MaiBot drops the message and
 * logs the first `drop`; otherwise it accepts the message. A message with an `unanswered` issue is stored, but MaiBot
 * can never answer it.
 *
 * Any value may be checked, also a custom message. Bytes are treated as the base64 text in which they are sent. The
 * first 100 issues are listed. If the first `drop` comes after these issues, it is listed too. The rules are the same
 * for both servers of MaiBot, the legacy WebSocket server and the API server.
 *
 * This function cannot find three reasons in the message alone: the message names another platform than the connection;
 * MaiBot's policy does not allow the chat; the account is not the configured one. With the option `accounts`, it also
 * finds the last of these.
 *
 * @param message Any decoded JSON value.
 * @param options The version and the accounts of MaiBot.
 * @returns The issues. The list is empty if MaiBot accepts the message as it was meant.
 * @throws {RangeError} If the rules of the version are not known.
 * @throws {TypeError} If an account is not a string, or is blank.
 *
 * @example Before sending
 * ```ts
 * import { maibotIssues } from "@maim/message/maibot";
 *
 * const [issue] = maibotIssues({
 *   message_info: { platform: "qq", message_id: "1", time: 1703123456, user_info: { user_id: "10001" } },
 *   message_segment: { type: "text", data: "hi" },
 * });
 * console.log(issue?.level, issue?.path); // drop $.message_info.user_info.user_nickname
 * ```
 */
export function maibotIssues(message: unknown, options: MaibotIssuesOptions = {}): MaibotIssue[] {
  return findIssues(message, readSetup(options));
}

/** Finds the issues of a message, as {@linkcode maibotIssues} does. */
export function findIssues(message: unknown, setup: MaibotSetup): MaibotIssue[] {
  const issues: MaibotIssue[] = [];
  let hasDrop = false;
  findFaults(message, setup, ({ rule, path }) => {
    const { level } = RULES[rule];
    const isFirstDrop = level === "drop" && !hasDrop;
    if (issues.length >= MAX_ISSUES && !isFirstDrop) return;
    hasDrop ||= isFirstDrop;
    issues.push({ level, path, rule, hint: hintOf({ rule }, "en", setup.version) });
  });
  return issues;
}
