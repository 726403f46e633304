import { seg } from "../../schema/build.ts";
import type { BaseMessageInfo, MessageBase, Seg, UserInfo } from "../../schema/types.ts";
import { legacyAccount } from "../legacy_route.ts";
import type { MaibotVersion } from "../rules.ts";
import type { Destination } from "./destination.ts";

/** Content of a message of a `FakeMaiBot`: a text, a segment, or a list of segments. */
export type SayContent = string | Seg | readonly Seg[];

/** The bot that sends a message. */
export interface Sender {
  /** The bot's account on the platform. */
  readonly account: string;
  readonly nickname: string;
  readonly version: MaibotVersion;
}

let lastId = 0;

/** Creates a message id in MaiBot's form, `send_api_<milliseconds>`. Unlike MaiBot, never creates the same id twice. */
function nextId(): string {
  lastId = Math.max(Date.now(), lastId + 1);
  return `send_api_${lastId}`;
}

/** Returns the segments of a content. A list in the content is replaced by its segments. */
function flatSegments(content: SayContent): Seg[] {
  if (typeof content === "string") return [seg.text(content)];
  const list = Array.isArray(content) ? content : [content];
  return list.flatMap((segment: Seg) => {
    return segment.type === "seglist" && Array.isArray(segment.data) ? segment.data : [segment];
  });
}

/**
 * Creates the `additional_config` of a message. It contains the legacy keys of account and scope as the adapter wrote
 * them, and the target. If these keys name no account, MaiBot 1.2.1 adds the account of the bot.
 */
function configOf({ group, user, routeFields }: Destination, { account, version }: Sender): Record<string, unknown> {
  const isAccountAdded = version === "1.2.1" && legacyAccount(routeFields) === null;
  const target = group === undefined
    ? { platform_io_target_user_id: user }
    : { platform_io_target_group_id: group.group_id };
  return { ...routeFields, ...(isAccountAdded ? { platform_io_account_id: account } : {}), ...target };
}

/**
 * Creates a message in the form in which MaiBot sends it. The members that MaiBot sends as null are null here too. The
 * author and the sender are the bot. The recipient is written in `group_info`, `receiver_info` and `additional_config`.
 * In 1.2.1, a group without a name is written only in `additional_config`.
 *
 * Source: recorded from MaiBot 1.3.15 and 1.2.1.
 */
export function createBotMessage(content: SayContent, to: Destination, sender: Sender): MessageBase {
  const { platform, group, user } = to;
  const isLeftOut = group === undefined || (group.group_name === "" && sender.version === "1.2.1");
  const group_info = isLeftOut ? null : { platform, ...group };
  const bot: UserInfo = { platform, user_id: sender.account, user_nickname: sender.nickname, user_cardname: null };
  const noNames: Pick<UserInfo, "user_nickname" | "user_cardname"> = { user_nickname: null, user_cardname: null };
  const receiver = user === undefined ? null : { platform, user_id: user, ...noNames };
  const message_info: BaseMessageInfo = {
    platform,
    message_id: nextId(),
    time: Date.now() / 1000,
    ...(group_info === null ? {} : { group_info }),
    user_info: bot,
    additional_config: configOf(to, sender),
    sender_info: { group_info, user_info: bot },
    ...(group_info === null && receiver === null ? {} : { receiver_info: { group_info, user_info: receiver } }),
  };
  return { message_info, message_segment: { type: "seglist", data: flatSegments(content) } };
}
