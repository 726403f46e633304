import { findFaults } from "./faults.ts";
import { type MaibotLevel, type MaibotRule, RULES } from "./rules.ts";
import { TEXTS } from "./texts.ts";

export type { MaibotLevel, MaibotRule } from "./rules.ts";

/** One reason why MaiBot 1.2.1 would drop or damage a message. */
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
export function hintOf({ rule }: Pick<MaibotIssue, "rule">, language: HintLanguage): string {
  const { source } = RULES[rule];
  return language === "zh" ? `${TEXTS[rule].zh}（${source}）` : `${TEXTS[rule].en} (${source})`;
}

/**
 * Finds every reason why MaiBot 1.2.1 would drop or damage a message, in the order in which MaiBot comes upon them.
 *
 * It accepts a message exactly when none of them is a `drop`; the first of those is the one in its log. Legacy and API
 * mode are alike. Custom messages may be given, too. Bytes among the data count as the base64 they become when sent.
 * Never throws for what `JSON.parse` gives, and always ends: a list that holds itself is looked into once.
 *
 * The first 100 are listed; the first `drop` always is, as the last where it comes later.
 *
 * What can not be seen in a message is not looked for: whether its platform is the connection's, whether MaiBot knows
 * the bot's account there and lets the chat in, and whether an account that `additional_config` names is that very one.
 * The keys `platform_io_account_id`, `account_id`, `self_id` and `bot_account` name one: where it is another, MaiBot
 * takes the message, and its answer goes nowhere.
 *
 * @param message Any decoded JSON value.
 * @returns The issues; none for a message that arrives as it was meant.
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
export function maibotIssues(message: unknown): MaibotIssue[] {
  const issues: MaibotIssue[] = [];
  let hasDrop = false;
  findFaults(message, (rule, path) => {
    const { level } = RULES[rule];
    const isFirstDrop = level === "drop" && !hasDrop;
    if (issues.length >= MAX_ISSUES && !isFirstDrop) return;
    hasDrop ||= isFirstDrop;
    issues.push({ level, path, rule, hint: hintOf({ rule }, "en") });
  });
  return issues;
}
