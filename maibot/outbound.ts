import {
  type BaseMessageInfo,
  type GroupInfo,
  type GroupInput,
  isMessageBase,
  type MessageBase,
  type Seg,
  seg,
  type UserInfo,
} from "../schema.ts";

/** Whom a message of MaiBot's is for: a group, or one user. */
export interface SayTarget {
  /** Platform whose adapter gets it. */
  platform: string;
  /** The group; its name falls back to the id. */
  group?: GroupInput;
  /** Id of the user of a private chat. */
  user?: string;
}

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

/** Where MaiBot looks for the account and the scope of a route. Source: MaiBot 1.2.1, RouteKeyFactory. */
const ACCOUNT_KEYS = ["platform_io_account_id", "account_id", "self_id", "bot_account"];
const SCOPE_KEYS = ["platform_io_scope", "route_scope", "adapter_scope", "connection_id"];

function firstId(config: unknown, keys: readonly string[]): string | undefined {
  if (typeof config !== "object" || config === null) return undefined;
  const values = keys.map((key) => (config as Record<string, unknown>)[key]);
  const found = values.find((value) => (typeof value === "string" && value.trim() !== "") || Number(value) > 0);
  return found === undefined ? undefined : String(found).trim();
}

interface Destination {
  readonly platform: string;
  readonly group?: { readonly group_id: string; readonly group_name: string } | undefined;
  readonly user?: string | undefined;
  /** The account an adapter has named: MaiBot answers by that one. */
  readonly account?: string | undefined;
  readonly scope?: string | undefined;
}

function replyDestination({ message_info }: MessageBase): Destination {
  const { platform, group_info: group, user_info: user, additional_config: config } = message_info;
  const route = { account: firstId(config, ACCOUNT_KEYS), scope: firstId(config, SCOPE_KEYS) };
  const group_id = group?.group_id ?? "";
  if (group_id === "") return { platform, user: String(user?.user_id ?? ""), ...route };
  return { platform, group: { group_id: String(group_id), group_name: group?.group_name ?? "" }, ...route };
}

function isFilled(text: unknown): text is string {
  return typeof text === "string" && text !== "";
}

function namedDestination({ platform, group, user }: SayTarget): Destination {
  if (!isFilled(platform)) throw new TypeError("Cannot say as 'to.platform' must be a non-empty string");
  if ((group === undefined) === (user === undefined)) {
    throw new TypeError("Cannot say as 'to' must name a group or a user, and not both");
  }
  if (group === undefined) {
    if (isFilled(user)) return { platform, user };
    throw new TypeError("Cannot say as 'to.user' must be a non-empty string");
  }
  const { group_id, group_name }: GroupInfo = typeof group === "string" ? { group_id: group } : group;
  if (!isFilled(group_id)) throw new TypeError("Cannot say as 'to.group' must have a non-empty id");
  return { platform, group: { group_id, group_name: group_name || group_id } };
}

function segments(content: SayContent): Seg[] {
  if (typeof content === "string") return [seg.text(content)];
  const list = Array.isArray(content) ? content : [content];
  return list.flatMap((piece: Seg) => piece.type === "seglist" && Array.isArray(piece.data) ? piece.data : [piece]);
}

/**
 * Makes a message as MaiBot 1.2.1 sends it, with the nulls it writes: the bot is author and sender, the recipient
 * stands in `group_info`, `receiver_info` and `additional_config`. Source: protocol notes 3.1, recorded from MaiBot.
 *
 * @param content What it says.
 * @param to Whom it is for, or the message it answers.
 * @param bot Who says it.
 * @returns The message.
 * @throws {TypeError} If there is nobody to address.
 */
export function maibotMessage(content: SayContent, to: MessageBase | SayTarget, bot: BotAccount): MessageBase {
  const { platform, group, user, account = bot.account, scope } = "message_info" in to && isMessageBase(to)
    ? replyDestination(to)
    : namedDestination(to as SayTarget); // what it lacks is looked for in there
  const group_info = group === undefined ? null : { platform, ...group };
  const self: UserInfo = { platform, user_id: account, user_nickname: bot.nickname, user_cardname: null };
  const message_info: BaseMessageInfo = {
    platform,
    message_id: nextId(),
    time: Date.now() / 1000,
    ...(group_info === null ? {} : { group_info }),
    user_info: self,
    additional_config: {
      platform_io_account_id: account,
      ...(scope === undefined ? {} : { platform_io_scope: scope }),
      ...(group === undefined ? { platform_io_target_user_id: user } : { platform_io_target_group_id: group.group_id }),
    },
    sender_info: { group_info, user_info: self },
    receiver_info: {
      group_info,
      user_info: group === undefined
        ? { platform, user_id: user ?? null, user_nickname: null, user_cardname: null }
        : null,
    },
  };
  return { message_info, message_segment: { type: "seglist", data: segments(content) } };
}
