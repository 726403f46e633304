import type { MessageBase, Seg } from "../schema/types.ts";
import { legacyScope } from "./legacy_route.ts";
import { type Fields, isAbsent, isObject, own, toId } from "./python/values.ts";

/** The group or user that a message of MaiBot is for. */
export interface ReplyTarget {
  /** `group` if `id` is the id of a group, `private` if it is the id of a user. */
  readonly kind: "group" | "private";
  /** Id of the group or the user. */
  readonly id: string;
  /** The platform, as it is written in `message_info`. */
  readonly platform: string;
  /** The account of the bot that must send the message. MaiBot names this account in every message. */
  readonly account?: string;
  /**
   * The scope: the name that distinguishes several connections of one account. MaiBot copies it from the message that
   * it answers, but only from the keys for the scope in `additional_config`. Missing if the answered message had no
   * such key.
   */
  readonly scope?: string;
}

const EMPTY: Fields = {};

/** Returns a member if it is an object; otherwise an empty object. */
function objectAt(object: Fields, key: string): Fields {
  const value = own(object, key);
  return isObject(value) ? value : EMPTY;
}

/** Returns the user id in `sender_info` or `receiver_info`; an empty string if there is none. */
function userIdIn(info: Fields, key: "sender_info" | "receiver_info"): string {
  return toId(own(objectAt(objectAt(info, key), "user_info"), "user_id"));
}

/**
 * Tells whether MaiBot converted a message for its API server. Such a message has no `user_info`, and its receiver is
 * the bot.
 */
function isApiPayload(info: Fields): boolean {
  return isAbsent(own(info, "user_info"));
}

/** Returns the user that a message is for, from its `receiver_info`; an empty string if the receiver is the bot. */
function receivingUser(info: Fields): string {
  const id = userIdIn(info, "receiver_info");
  const isBot = isApiPayload(info) || id === userIdIn(info, "sender_info");
  return isBot ? "" : id;
}

/**
 * Returns the account that must send the message; an empty string if it is not known.
 *
 * The account is the top-level `account_id`, which `createReply` writes. If it is missing, the account is the author.
 * The keys of `additional_config` are ignored, because MaiBot copies them from the message that it answers, even if
 * they are wrong.
 */
function botAccount(message: Fields, info: Fields): string {
  const topLevel = own(message, "account_id");
  if (typeof topLevel === "string" && toId(topLevel) !== "") return toId(topLevel);
  const receiver = userIdIn(info, "receiver_info");
  if (isApiPayload(info)) return receiver;
  const author = toId(own(objectAt(info, "user_info"), "user_id"));
  // A reply that createReply made has no sender, and its author and its receiver are both the user.
  const isReply = isAbsent(own(info, "sender_info")) && receiver !== "" && receiver === author;
  return isReply ? "" : author;
}

/**
 * Returns the group or user that a message of MaiBot is for.
 *
 * The target is never `message_info.user_info`: since MaiBot 1.0 this member is the bot, also in private chats. The
 * target is the first id in this list:
 *
 * 1. the group in `group_info`;
 * 2. `platform_io_target_group_id` of `additional_config`;
 * 3. the group in `receiver_info`;
 * 4. the user in `receiver_info`, unless this user is the bot;
 * 5. `platform_io_target_user_id` of `additional_config`.
 *
 * Messages that MaiBot converted for its API server are supported too.
 *
 * Source: found by running MaiBot 1.3.15 and 1.2.1.
 *
 * @param message A message from MaiBot.
 * @returns The target; `null` if the message names no target.
 *
 * @example Deliver to the target
 * ```ts
 * import { createMessage, seg } from "@maim/message/schema";
 * import { replyTarget } from "@maim/message/maibot";
 *
 * const message = createMessage(
 *   { platform: "qq", user: "bot", additional_config: { platform_io_target_user_id: "10001" } },
 *   seg.text("你好"),
 * );
 * const target = replyTarget(message);
 * console.log(target?.kind, target?.id); // private 10001
 * ```
 */
export function replyTarget(message: MessageBase): ReplyTarget | null {
  const fields = isObject(message) ? message as unknown as Fields : EMPTY;
  const info = objectAt(fields, "message_info");
  const config = objectAt(info, "additional_config");
  const group = toId(own(objectAt(info, "group_info"), "group_id")) ||
    toId(own(config, "platform_io_target_group_id")) ||
    toId(own(objectAt(objectAt(info, "receiver_info"), "group_info"), "group_id"));
  const id = group || receivingUser(info) || toId(own(config, "platform_io_target_user_id"));
  if (id === "") return null;
  const account = botAccount(fields, info);
  const scope = legacyScope(config);
  return {
    kind: group === "" ? "private" : "group",
    id,
    platform: toId(own(info, "platform")),
    ...(account === "" ? {} : { account }),
    ...(scope === null ? {} : { scope }),
  };
}

/**
 * Returns the segment inside a `dict` segment. MaiBot wraps a segment in a `dict` if MaiBot has no type for the
 * segment, for example for a command, music or a video.
 *
 * @param segment A segment of a message from MaiBot.
 * @returns The segment inside; if the segment does not wrap another one, the same segment.
 *
 * @example A command
 * ```ts
 * import { seg } from "@maim/message/schema";
 * import { unwrap } from "@maim/message/maibot";
 *
 * const wrapped = seg.dict({ type: "command", data: { name: "GROUP_BAN", args: { qq_id: "1", duration: 60 } } });
 * console.log(unwrap(wrapped).type); // command
 * ```
 */
export function unwrap(segment: Seg): Seg {
  if (segment.type !== "dict" || !isObject(segment.data)) return segment;
  const [type, data] = [own(segment.data, "type"), own(segment.data, "data")];
  return typeof type === "string" && type !== "" && data !== undefined ? { type, data } : segment;
}
