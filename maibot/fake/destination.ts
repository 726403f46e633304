import type { GroupInput } from "../../schema/build.ts";
import type { GroupInfo, MessageBase } from "../../schema/types.ts";
import { type Fields, strip } from "../python/values.ts";
import { routeFields } from "../legacy_route.ts";
import type { MaibotVersion } from "../rules.ts";
import { sessionOf } from "../chat_session.ts";

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
  /** Account of the chat, which the message that is answered names; `null` if none does. */
  readonly account: string | null;
  readonly scope: string | null;
  /** Without a name MaiBot knows the group all the same. */
  readonly group?: { readonly group_id: string; readonly group_name: string };
  /** The user of a private chat. */
  readonly user?: string;
  /** Account and scope among the free data of the message that is answered, as they came. */
  readonly route: Fields;
}

/** Names that are kept at most. */
const MAX_NAMES = 10_000;

/**
 * The names of groups as MaiBot stores them with a session: the newest that is not empty.
 * Source: MaiBot 1.3.15, chat_manager.py.
 */
export class GroupNames {
  readonly #names = new Map<string, string>();

  /** Takes note of the name of a group. */
  learn(destination: Destination): void {
    const name = strip(destination.group?.group_name ?? "");
    if (name === "") return;
    const key = keyOf(destination);
    this.#names.delete(key); // so that it is the newest
    this.#names.set(key, name);
    const [oldest] = this.#names.keys();
    if (this.#names.size > MAX_NAMES && oldest !== undefined) this.#names.delete(oldest);
  }

  /** Gives a destination the name that is stored for its group, if there is one. */
  complete(destination: Destination): Destination {
    const { group } = destination;
    if (group === undefined) return destination;
    const name = this.#names.get(keyOf(destination));
    return name === undefined ? destination : { ...destination, group: { ...group, group_name: name } };
  }
}

/** MaiBot has a session for each group, account and scope. */
function keyOf({ platform, account, scope, group }: Destination): string {
  return JSON.stringify([platform, account, scope, group?.group_id]);
}

/** Finds out where the answer to a message goes: to the group if that has an id, else to the author. */
export function replyDestination(message: MessageBase, version: MaibotVersion): Destination {
  const session = sessionOf(message as unknown as Fields, version);
  if (session === null) {
    throw new TypeError("Cannot answer a message as it must name a platform, and a group or a user");
  }
  const { platform, account, scope, chat, target } = session;
  const { group_info, additional_config } = message.message_info;
  const there = { platform, account, scope, route: routeFields(additional_config) };
  if (chat === "private") return { ...there, user: target };
  return { ...there, group: { group_id: target, group_name: group_info?.group_name ?? "" } };
}

function isFilled(text: unknown): text is string {
  return typeof text === "string" && text !== "";
}

/** Reads whom somebody wants to talk to. */
export function namedDestination({ platform, group, user }: SayTarget): Destination {
  if (!isFilled(platform)) throw new TypeError("Cannot say as 'to.platform' must be a non-empty string");
  if ((group === undefined) === (user === undefined)) {
    throw new TypeError("Cannot say as 'to' must name a group or a user, and not both");
  }
  const there = { platform, account: null, scope: null, route: {} };
  if (group === undefined) {
    if (isFilled(user)) return { ...there, user };
    throw new TypeError("Cannot say as 'to.user' must be a non-empty string");
  }
  const { group_id, group_name }: GroupInfo = typeof group === "string" ? { group_id: group } : group;
  if (!isFilled(group_id)) throw new TypeError("Cannot say as 'to.group' must have a non-empty id");
  return { ...there, group: { group_id, group_name: group_name || group_id } };
}
