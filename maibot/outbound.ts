import { type BaseMessageInfo, type MessageBase, type Seg, seg, type UserInfo } from "../schema.ts";
import type { Destination } from "./destination.ts";
import { ACCOUNT_KEYS, routeId } from "./route.ts";

/** Content of a message of MaiBot's: a text, a segment, or several. */
export type SayContent = string | Seg | readonly Seg[];

/** The account MaiBot speaks as. */
export interface BotAccount {
  readonly account: string;
  readonly nickname: string;
}

let lastId = 0;

/** As MaiBot makes them, but never the same twice within a millisecond. */
function nextId(): string {
  lastId = Math.max(Date.now(), lastId + 1);
  return `send_api_${lastId}`;
}

function segments(content: SayContent): Seg[] {
  if (typeof content === "string") return [seg.text(content)];
  const list = Array.isArray(content) ? content : [content];
  return list.flatMap((piece: Seg) => piece.type === "seglist" && Array.isArray(piece.data) ? piece.data : [piece]);
}

/** The free data: the keys of the route as the adapter wrote them, and the target. */
function configOf({ group, user, route }: Destination, { account }: BotAccount): Record<string, unknown> {
  const own = routeId(route, ACCOUNT_KEYS) === undefined ? { platform_io_account_id: account } : {};
  const target = group === undefined
    ? { platform_io_target_user_id: user }
    : { platform_io_target_group_id: group.group_id };
  return { ...route, ...own, ...target };
}

/**
 * Makes a message as MaiBot 1.2.1 sends it, with the nulls it writes: the bot is author and sender, the recipient
 * stands in `group_info`, `receiver_info` and `additional_config`; a group without a name in the last alone.
 * Source: protocol.md 3 and 3.1, recorded from MaiBot.
 *
 * @param content What it says.
 * @param to Where it goes.
 * @param bot Who says it.
 * @returns The message.
 */
export function maibotMessage(content: SayContent, to: Destination, bot: BotAccount): MessageBase {
  const { platform, group, user } = to;
  const group_info = group === undefined || group.group_name === "" ? null : { platform, ...group };
  const self: UserInfo = { platform, user_id: bot.account, user_nickname: bot.nickname, user_cardname: null };
  const target = user === undefined ? null : { platform, user_id: user, user_nickname: null, user_cardname: null };
  const message_info: BaseMessageInfo = {
    platform,
    message_id: nextId(),
    time: Date.now() / 1000,
    ...(group_info === null ? {} : { group_info }),
    user_info: self,
    additional_config: configOf(to, bot),
    sender_info: { group_info, user_info: self },
    ...(group_info === null && target === null ? {} : { receiver_info: { group_info, user_info: target } }),
  };
  return { message_info, message_segment: { type: "seglist", data: segments(content) } };
}
