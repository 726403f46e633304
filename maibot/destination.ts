import type { GroupInfo, GroupInput, MessageBase } from "../schema.ts";
import { type Fields, isObject, own, toText } from "./python.ts";
import { ACCOUNT_KEYS, routeFields, routeId, SCOPE_KEYS } from "./route.ts";

/** Whom a message of MaiBot's is for: a group, or one user. */
export interface SayTarget {
  /** Platform whose adapter gets it. */
  platform: string;
  /** The group; its name falls back to the id. */
  group?: GroupInput;
  /** Id of the user of a private chat. */
  user?: string;
}

/** Where a message of MaiBot's goes. */
export interface Destination {
  readonly platform: string;
  /** Without a name MaiBot knows the group, and does not say so in `group_info`. */
  readonly group?: { readonly group_id: string; readonly group_name: string };
  /** The user of a private chat. */
  readonly user?: string;
  /** Account and scope, as the message that is answered names them. */
  readonly route: Fields;
}

/** Names that are kept at most. */
const MAX_NAMES = 10_000;

/**
 * The names of groups as MaiBot stores them with a session: the newest that is not empty.
 * Source: MaiBot 1.2.1, chat_manager.py.
 */
export class GroupNames {
  readonly #names = new Map<string, string>();

  /** Takes note of the name that a message gives its group. */
  learn(message: MessageBase): void {
    const { group, ...rest } = replyDestination(message);
    const name = group?.group_name.trim() ?? "";
    if (group === undefined || name === "") return;
    const key = keyOf(rest, group.group_id);
    this.#names.delete(key); // so that it is the newest
    this.#names.set(key, name);
    const [oldest] = this.#names.keys();
    if (this.#names.size > MAX_NAMES && oldest !== undefined) this.#names.delete(oldest);
  }

  /** Gives a destination the name that is stored for its group, if there is one. */
  complete(destination: Destination): Destination {
    const { group } = destination;
    if (group === undefined) return destination;
    const name = this.#names.get(keyOf(destination, group.group_id));
    return name === undefined ? destination : { ...destination, group: { ...group, group_name: name } };
  }
}

/** MaiBot has a session for each group, account and scope. */
function keyOf({ platform, route }: Destination, groupId: string): string {
  return JSON.stringify([platform, groupId, routeId(route, ACCOUNT_KEYS), routeId(route, SCOPE_KEYS)]);
}

/** `str()` of an id: null is one as well, "None"; one that is not there is empty. */
function idOf(party: unknown, key: string): string {
  const id = isObject(party) ? own(party, key) : undefined;
  return id === undefined ? "" : toText(id);
}

function isFilled(text: unknown): text is string {
  return typeof text === "string" && text !== "";
}

/** Finds out where the answer to a message goes: to the group if that has an id, else to the author. */
export function replyDestination({ message_info }: MessageBase): Destination {
  const { platform, group_info, user_info, additional_config } = message_info;
  const [group_id, user] = [idOf(group_info, "group_id"), idOf(user_info, "user_id")];
  if (!isFilled(platform) || group_id + user === "") {
    throw new TypeError("Cannot answer a message as it must name a platform, and a group or a user");
  }
  const route = routeFields(additional_config);
  if (group_id === "") return { platform, user, route };
  return { platform, group: { group_id, group_name: group_info?.group_name ?? "" }, route };
}

/** Reads whom somebody wants to talk to. */
export function namedDestination({ platform, group, user }: SayTarget): Destination {
  if (!isFilled(platform)) throw new TypeError("Cannot say as 'to.platform' must be a non-empty string");
  if ((group === undefined) === (user === undefined)) {
    throw new TypeError("Cannot say as 'to' must name a group or a user, and not both");
  }
  if (group === undefined) {
    if (isFilled(user)) return { platform, user, route: {} };
    throw new TypeError("Cannot say as 'to.user' must be a non-empty string");
  }
  const { group_id, group_name }: GroupInfo = typeof group === "string" ? { group_id: group } : group;
  if (!isFilled(group_id)) throw new TypeError("Cannot say as 'to.group' must have a non-empty id");
  return { platform, group: { group_id, group_name: group_name || group_id }, route: {} };
}
