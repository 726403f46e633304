import { findFaults } from "./faults.ts";
import { MAIBOT_VERSIONS, type MaibotLevel, type MaibotRule, type MaibotVersion, RULES } from "./rules.ts";
import { type Asked, readAccounts } from "./chat_session.ts";
import { TEXTS } from "./hints.ts";

export type { MaibotLevel, MaibotRule, MaibotVersion } from "./rules.ts";

/** Options of {@linkcode maibotIssues}. */
export interface MaibotIssuesOptions {
  /**
   * The version whose rules are asked: `"1.3.15"` for 1.3.10 and newer, `"1.2.1"` for all that are older.
   *
   * @default {"1.3.15"}
   */
  version?: MaibotVersion;
  /**
   * The bot's account by platform, as `[bot]` of MaiBot's configuration has them. Without it only what the message alone
   * shows is found: that it names no account, and not that it names a wrong one.
   */
  accounts?: Readonly<Record<string, string>>;
}

/** One reason why MaiBot would drop a message, leave it without an answer, or damage it. */
export interface MaibotIssue {
  /** What MaiBot does to the message. */
  readonly level: MaibotLevel;
  /** JSON path of the member at fault, as `$.message_segment.data[0].data`. */
  readonly path: string;
  /** Name of the rule, stable. */
  readonly rule: MaibotRule;
  /** What to write instead, in English, and where the rule is written; {@linkcode hintOf} has it in Chinese. */
  readonly hint: string;
}

/** Issues that are listed; a first `drop` that comes later is one more. */
export const MAX_ISSUES = 100;

/** Languages of the hints. */
export type HintLanguage = "en" | "zh";

/**
 * Tells what to write instead, in a language of choice.
 *
 * @param issue An issue, or at least its rule.
 * @param language `"en"` or `"zh"`.
 * @param version The version of MaiBot whose place of the rule is named.
 * @returns The hint, and where the rule is written.
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
  return language === "zh" ? `${TEXTS[rule].zh}（${place}）` : `${TEXTS[rule].en} (${place})`;
}

/** Reads what is asked for; throws where a version is not known. */
export function readAsked({ version = "1.3.15", accounts }: MaibotIssuesOptions): Asked {
  if (!MAIBOT_VERSIONS.includes(version)) {
    throw new RangeError(`Unknown version "${version}" of MaiBot; 'version' is one of ${MAIBOT_VERSIONS.join(", ")}`);
  }
  return { version, accountOn: accounts === undefined ? null : readAccounts(accounts) };
}

/**
 * Finds every reason why MaiBot would drop a message, never answer it, or damage it, in the order in which MaiBot comes
 * upon them.
 *
 * It accepts a message exactly when none of them is a `drop`; the first of those is the one in its log. One that is
 * `unanswered` is stored, and no answer to it can come. Legacy and API mode are alike. Custom messages may be given, too.
 * Bytes among the data count as the base64 they become when sent. Never throws for what `JSON.parse` gives, and always
 * ends: a list that holds itself is looked into once.
 *
 * The first 100 are listed; the first `drop` always is, as the last where it comes later.
 *
 * What can not be seen in a message is not looked for: whether its platform is the connection's, whether MaiBot's policy
 * lets the chat in, and, without `accounts`, whether the account is the configured one.
 *
 * @param message Any decoded JSON value.
 * @param options The version of MaiBot, and the accounts of its configuration.
 * @returns The issues; none for a message that arrives as it was meant.
 * @throws {RangeError} If the rules of the version are not known.
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
  return issuesOf(message, readAsked(options));
}

/** The same for what was read already. */
export function issuesOf(message: unknown, asked: Asked): MaibotIssue[] {
  const issues: MaibotIssue[] = [];
  let hasDrop = false;
  findFaults(message, asked, ({ rule, path }) => {
    const { level } = RULES[rule];
    const isFirstDrop = level === "drop" && !hasDrop;
    if (issues.length >= MAX_ISSUES && !isFirstDrop) return;
    hasDrop ||= isFirstDrop;
    issues.push({ level, path, rule, hint: hintOf({ rule }, "en", asked.version) });
  });
  return issues;
}
