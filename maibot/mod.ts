/**
 * Knowledge about MaiBot itself: why MaiBot would drop a message or never answer it, the recipients of MaiBot's own
 * messages, and the echo of message ids. The rules are those of MaiBot 1.3.15. An option selects the rules of 1.2.1.
 *
 * MaiBot requires more than the protocol. If one member is wrong, it drops the whole message, and the adapter gets no
 * error:
 *
 * ```ts
 * import { createMessage, seg } from "@maim/message/schema";
 * import { hintOf, maibotIssues } from "@maim/message/maibot";
 *
 * const message = createMessage(
 *   { platform: "qq", user: "10001", account: "777" },
 *   seg.text("看"),
 *   seg.of("face", 14),
 * );
 * for (const issue of maibotIssues(message)) {
 *   console.log(issue.level, issue.path); // drop $.message_segment.data[1].type
 *   console.log(hintOf(issue, "zh")); // MaiBot 只支持 text、image、…
 * }
 * ```
 *
 * `new MessageClient(url, { platform, validate: maibotIssues })` checks each message before it is sent.
 *
 * @module
 */

// Messages to MaiBot: checks before sending, and additional_config.
export { hintOf, maibotIssues } from "./issues.ts";
export type {
  HintLanguage,
  MaibotIssue,
  MaibotIssuesOptions,
  MaibotLevel,
  MaibotRule,
  MaibotVersion,
} from "./issues.ts";
export { mention, stripTrusted } from "./additional_config.ts";
export type { MentionOptions } from "./additional_config.ts";

// Messages from MaiBot: their recipients, their segments, and the ids that the platform gives to them.
export { replyTarget, unwrap } from "./reply_target.ts";
export type { ReplyTarget } from "./reply_target.ts";
export { echoing, echoMessageId } from "./echo.ts";
export type { ActualId, DeliveryHandler, EchoClient, EchoId } from "./echo.ts";
