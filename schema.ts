/**
 * Defines the messages of maim_message: the types, the guards, the check that finds the first fault, and the builders.
 *
 * The types describe the JSON exactly as it is sent, with its `snake_case` names. This module opens no connection.
 *
 * ```ts
 * import { createMessage, messageIssue, seg } from "@maim/message/schema";
 *
 * const message = createMessage(
 *   { platform: "qq", user: { user_id: "10001", user_nickname: "张三" } },
 *   seg.text("你好"),
 * );
 * console.log(messageIssue(message)); // null
 * ```
 *
 * @module
 */

export { createCustom, createMessage, createReply, seg } from "./schema/build.ts";
export { isCustomMessage, isMessageBase, isSeg } from "./schema/guards.ts";
export { plainText } from "./schema/plain_text.ts";
export { messageIssue } from "./schema/rules.ts";
export type { CreateMessageOptions, FileInput, GroupInput, SegBuilders, UserInput } from "./schema/build.ts";
export type { MessageIssue, MessageIssueOptions } from "./schema/rules.ts";
export type {
  BaseMessageInfo,
  CustomMessage,
  FileData,
  FormatInfo,
  GroupInfo,
  MessageBase,
  PartyInfo,
  ReceiverInfo,
  Seg,
  SegDataMap,
  SegOf,
  SegType,
  SenderInfo,
  TemplateInfo,
  UserInfo,
  WireMessage,
} from "./schema/types.ts";
