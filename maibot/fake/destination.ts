import type { GroupInput } from "../../schema/build.ts";
import type { GroupInfo, MessageBase } from "../../schema/types.ts";
import { chatSessionOf } from "../chat_session.ts";
import { legacyRouteFields } from "../legacy_route.ts";
import { type Fields, strip } from "../python/values.ts";
import type { MaibotVersion } from "../rules.ts";

/** The group or user that a `FakeMaiBot` sends a message to. Exactly one of `group` and `user` must be given. */
export interface SayTarget {
  /** The platform of the adapter that gets the message. */
  platform: string;
  /** The group. If its name is missing, its id is used as the name. */
  group?: GroupInput;
  /** The id of the user, if the message is for a private chat. */
  user?: string;
}

/** The group or user that a message of the bot is for. */
export interface Destination {
  readonly platform: string;
  /** Account of the chat: the account in the message that is answered; `null` if this message names no account. */
  readonly account: string | null;
  readonly scope: string | null;
  /** The group; its name may be empty. */
  readonly group?: { readonly group_id: string; readonly group_name: string };
  /** Id of the user of a private chat. */
  readonly user?: string;
  /** The keys and values of account and scope in the `additional_config` of the message that is answered. */
  readonly routeFields: Fields;
}

/** Maximum number of group names that are kept. */
const MAX_NAMES = 10_000;

/** Keeps, for each group, the last name that was not blank. Source: MaiBot 1.3.15, chat_manager.py. */
export class GroupNames {
  readonly #names = new Map<string, string>();

  /** Stores the name of a group, unless it is blank. */
  store(destination: Destination): void {
    const name = strip(destination.group?.group_name ?? "");
    if (name === "") return;
    const key = groupKey(destination);
    this.#names.delete(key); // so that set() adds the key at the end: the first key must be the oldest
    this.#names.set(key, name);
    const [oldest] = this.#names.keys();
    if (this.#names.size > MAX_NAMES && oldest !== undefined) this.#names.delete(oldest);
  }

  /** Returns the destination with the stored name of its group. If no name is stored, returns the same destination. */
  addTo(destination: Destination): Destination {
    const { group } = destination;
    if (group === undefined) return destination;
    const name = this.#names.get(groupKey(destination));
    return name === undefined ? destination : { ...destination, group: { ...group, group_name: name } };
  }
}

/**
 * Returns the key under which the name of a group is stored. MaiBot keeps one chat for each group, account and scope.
 */
function groupKey({ platform, account, scope, group }: Destination): string {
  return JSON.stringify([platform, account, scope, group?.group_id]);
}

/** Returns the destination of the answer to a message: the group, if it has an id; otherwise the author. */
export function replyDestination(message: MessageBase, version: MaibotVersion): Destination {
  const session = chatSessionOf(message as unknown as Fields, version);
  if (session === null) {
    throw new TypeError("The message to answer names no platform, or no group and no user; write them in message_info");
  }
  const { platform, account, scope, type, id } = session;
  const { group_info, additional_config } = message.message_info;
  const chat: Destination = { platform, account, scope, routeFields: legacyRouteFields(additional_config) };
  if (type === "private") return { ...chat, user: id };
  return { ...chat, group: { group_id: id, group_name: group_info?.group_name ?? "" } };
}

function isFilled(text: unknown): text is string {
  return typeof text === "string" && text !== "";
}

/** Returns the destination that a caller of `FakeMaiBot.say` names. */
export function namedDestination({ platform, group, user }: SayTarget): Destination {
  if (!isFilled(platform)) throw new TypeError("'to.platform' must be a string that is not empty");
  if ((group === undefined) === (user === undefined)) {
    throw new TypeError("'to' must have either a group or a user, and not both");
  }
  const chat: Destination = { platform, account: null, scope: null, routeFields: {} };
  if (group === undefined) {
    if (isFilled(user)) return { ...chat, user };
    throw new TypeError("'to.user' must be a string that is not empty");
  }
  const { group_id, group_name }: GroupInfo = typeof group === "string" ? { group_id: group } : group;
  if (!isFilled(group_id)) throw new TypeError("'to.group' must have an id that is not empty");
  return { ...chat, group: { group_id, group_name: group_name || group_id } };
}
