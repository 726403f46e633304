import { ACCOUNT_KEYS } from "../../schema/route.ts";
import { seg } from "../../schema/build.ts";
import type { BaseMessageInfo, MessageBase, Seg, UserInfo } from "../../schema/types.ts";
import { routeId } from "../legacy_route.ts";
import type { MaibotVersion } from "../rules.ts";
import type { Destination } from "./destination.ts";

/** Content of a message of MaiBot's: a text, a segment, or several. */
export type SayContent = string | Seg | readonly Seg[];

/** Who speaks, and how. */
export interface Speaker {
  /** Account on the platform. */
  readonly account: string;
  readonly nickname: string;
  readonly version: MaibotVersion;
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

/** The free data: the keys of the route as the adapter wrote them, and the target. 1.2.1 adds its account to none. */
function configOf({ group, user, route }: Destination, { account, version }: Speaker): Record<string, unknown> {
  const isAdded = version === "1.2.1" && routeId(route, ACCOUNT_KEYS) === undefined;
  const target = group === undefined
    ? { platform_io_target_user_id: user }
    : { platform_io_target_group_id: group.group_id };
  return { ...route, ...(isAdded ? { platform_io_account_id: account } : {}), ...target };
}

/**
 * Makes a message as MaiBot sends it, with the nulls it writes: the bot is author and sender, the recipient stands in
 * `group_info`, `receiver_info` and `additional_config`. In 1.2.1 a group without a name stands in the last alone.
 * Source: maibot.md 4 and protocol.md 3.1, recorded from both versions.
 *
 * @param content What it says.
 * @param to Where it goes.
 * @param speaker Who says it.
 * @returns The message.
 */
export function maibotMessage(content: SayContent, to: Destination, speaker: Speaker): MessageBase {
  const { platform, group, user } = to;
  const isNameless = group === undefined || (group.group_name === "" && speaker.version === "1.2.1");
  const group_info = isNameless ? null : { platform, ...group };
  const self: UserInfo = { platform, user_id: speaker.account, user_nickname: speaker.nickname, user_cardname: null };
  const target = user === undefined ? null : { platform, user_id: user, user_nickname: null, user_cardname: null };
  const message_info: BaseMessageInfo = {
    platform,
    message_id: nextId(),
    time: Date.now() / 1000,
    ...(group_info === null ? {} : { group_info }),
    user_info: self,
    additional_config: configOf(to, speaker),
    sender_info: { group_info, user_info: self },
    ...(group_info === null && target === null ? {} : { receiver_info: { group_info, user_info: target } }),
  };
  return { message_info, message_segment: { type: "seglist", data: segments(content) } };
}
