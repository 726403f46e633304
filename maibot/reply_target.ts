import { SCOPE_KEYS } from "../schema/route.ts";
import type { MessageBase, Seg } from "../schema/types.ts";
import { type Fields, isAbsent, isObject, own, toId } from "./python/values.ts";
import { routeId } from "./legacy_route.ts";

/** Whom a message of MaiBot is for. */
export interface ReplyTarget {
  /** Whether `id` is a group's or a user's. */
  readonly kind: "group" | "private";
  /** Id of the group or the user. */
  readonly id: string;
  /** The platform, as `message_info` has it. */
  readonly platform: string;
  /** The bot's account to speak as. Both versions name it in every message. */
  readonly account?: string;
  /** The route to take, where the message that is answered named one in the keys of MaiBot 1.2. */
  readonly scope?: string;
}

const NOTHING: Fields = {};

function fields(object: Fields, key: string): Fields {
  const value = own(object, key);
  return isObject(value) ? value : NOTHING;
}

/**
 * The receiver as the message names it. In what MaiBot converts for its API server that is the bot itself, and nobody is
 * named as the sender; where the sender is the receiver, both are the bot.
 */
function receiverId(info: Fields): string {
  const id = toId(own(fields(fields(info, "receiver_info"), "user_info"), "user_id"));
  const isApi = isAbsent(own(info, "user_info"));
  const sender = toId(own(fields(fields(info, "sender_info"), "user_info"), "user_id"));
  return isApi || id === sender ? "" : id;
}

/**
 * The account that a message speaks as: what it names at the top, as an answer made by `createReply` does, else its
 * author; such an answer has the user for its author, and is known by that. Never a key of `additional_config`: those are the ones that came in,
 * and MaiBot 1.3 sends a wrong one back as it was. In what is converted for the API server the receiver is the bot.
 */
function botAccount(message: Fields, info: Fields): string {
  const formal = own(message, "account_id");
  if (typeof formal === "string" && toId(formal) !== "") return toId(formal);
  const receiver = toId(own(fields(fields(info, "receiver_info"), "user_info"), "user_id"));
  const isReply = !isAbsent(own(info, "user_info")) && isAbsent(own(info, "sender_info"));
  if (isReply && receiver !== "" && receiver === toId(own(fields(info, "user_info"), "user_id"))) return "";
  const author = isAbsent(own(info, "user_info"))
    ? fields(fields(info, "receiver_info"), "user_info")
    : fields(info, "user_info");
  return toId(own(author, "user_id"));
}

/**
 * Finds out whom a message of MaiBot is for.
 *
 * Never `message_info.user_info`: since MaiBot 1.0 that is the bot, in private chats as well. Asked in this order:
 * `group_info`, `platform_io_target_group_id`, the group of `receiver_info`, the user of `receiver_info` if that is not
 * the bot, `platform_io_target_user_id`. Legacy messages and payloads of the API server are both understood.
 *
 * The account to speak as is `message_info.user_info.user_id`.
 *
 * Source: maibot.md 4 and protocol.md 3.1, run with MaiBot 1.3.15 and 1.2.1.
 *
 * @param message A message from MaiBot.
 * @returns The target, or `null` when the message names none.
 *
 * @example Where to?
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
  const info = fields(isObject(message) ? message : NOTHING, "message_info");
  const config = fields(info, "additional_config");
  const group = toId(own(fields(info, "group_info"), "group_id")) || toId(own(config, "platform_io_target_group_id")) ||
    toId(own(fields(fields(info, "receiver_info"), "group_info"), "group_id"));
  const id = group || receiverId(info) || toId(own(config, "platform_io_target_user_id"));
  if (id === "") return null;
  const [account, scope] = [
    botAccount(isObject(message) ? message as unknown as Fields : NOTHING, info),
    routeId(config, SCOPE_KEYS),
  ];
  return {
    kind: group === "" ? "private" : "group",
    id,
    platform: toId(own(info, "platform")),
    ...(account === "" ? {} : { account }),
    ...(scope === undefined ? {} : { scope }),
  };
}

/**
 * Takes a segment out of the `dict` that MaiBot puts around what it has no type for: command, music, video, ...
 *
 * @param segment A segment of a message from MaiBot.
 * @returns The segment inside, or the same one when it is no such envelope.
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
