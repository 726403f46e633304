/**
 * What MaiBot itself wants: why it would drop a message or never answer it, whom its own messages are for, and the echo
 * of ids. By version: 1.3.15 unless 1.2.1 is asked for.
 *
 * MaiBot asserts more than the protocol says, drops the whole message where one thing is off, and tells nobody:
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
 *   console.log(hintOf(issue, "zh")); // MaiBot 只接受 text、image、…
 * }
 * ```
 *
 * `new MessageClient(url, { platform, validate: maibotIssues })` looks at each message before it is sent.
 *
 * @module
 */

// before sending: would MaiBot take it?
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

// what MaiBot sends: whom it is for, what is in it, how it is called there
export { replyTarget, unwrap } from "./reply_target.ts";
export type { ReplyTarget } from "./reply_target.ts";
export { echoing, echoMessageId } from "./echo.ts";
export type { ActualId, DeliveryHandler, EchoClient, EchoId } from "./echo.ts";
