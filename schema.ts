/**
 * What a maim_message IS: the wire types, the guards, the walk that finds the first fault, and the builders.
 *
 * The types are the JSON of the wire as it stands, `snake_case` and all. Nothing here touches a socket.
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

export {
  createCustom,
  createMessage,
  createReply,
  isCustomMessage,
  isMessageBase,
  isSeg,
  messageIssue,
  plainText,
  seg,
} from "./schema/rules.ts";
export type {
  BaseMessageInfo,
  CreateMessageOptions,
  CustomMessage,
  FileData,
  FileInput,
  FormatInfo,
  GroupInfo,
  GroupInput,
  MessageBase,
  MessageIssue,
  MessageIssueOptions,
  PartyInfo,
  ReceiverInfo,
  Seg,
  SegBuilders,
  SegDataMap,
  SegOf,
  SegType,
  SenderInfo,
  TemplateInfo,
  UserInfo,
  UserInput,
  WireMessage,
} from "./schema/rules.ts";
