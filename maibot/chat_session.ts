/**
 * MaiBot's chat sessions. A session is the chat that a message belongs to, with the account and the scope of the
 * message.
 * @module
 */

import { legacyAccount, legacyScope } from "./legacy_route.ts";
import { type Fields, isObject, own, strip, toText } from "./python/values.ts";
import type { MaibotVersion } from "./rules.ts";

/** Account and scope of a message. Each is `null` if the message does not name it. */
export interface RouteIds {
  readonly account: string | null;
  readonly scope: string | null;
}

/** The chat that a message belongs to. */
export interface ChatSession extends RouteIds {
  /** The platform, as it is written in the message. */
  readonly platform: string;
  readonly type: "group" | "private";
  /** Id of the group or the user. */
  readonly id: string;
}

/** MaiBot's own platforms. Source: MaiBot 1.3.15, core/local_operator.py and platform_io/adapter_policy.py. */
const INTERNAL_PLATFORMS: ReadonlySet<string> = new Set(["webui", "bot_console", "maisaka_cli"]);

/** Tells whether a platform is one of MaiBot's own platforms. Their messages need no account. */
export function isInternalPlatform(platform: string): boolean {
  return INTERNAL_PLATFORMS.has(platform);
}

/**
 * Returns a top-level member; `null` if it is blank or not a string. `routeFaults` reports a value that is not a
 * string.
 */
function topLevelId(frame: Fields, key: "account_id" | "scope"): string | null {
  const value = own(frame, key);
  return typeof value === "string" ? strip(value) || null : null;
}

/**
 * Reads account and scope from the legacy keys of several objects. The account is taken from the first object that
 * names an account, and the scope from the first object that names a scope.
 */
function legacyRoute(objects: readonly unknown[]): RouteIds {
  const first = (find: (fields: unknown) => string | null): string | null => {
    return objects.map(find).find((id) => id !== null) ?? null;
  };
  return { account: first(legacyAccount), scope: first(legacyScope) };
}

/**
 * Returns the account and the scope that MaiBot stores with a message. Source: MaiBot 1.3.15, route_key_factory.py,
 * from_message_dict. MaiBot 1.2.1 reads both only from `additional_config`, and does not store them.
 */
export function storedRoute(frame: Fields, info: Fields, version: MaibotVersion): RouteIds {
  const config = own(info, "additional_config");
  if (version === "1.2.1") return legacyRoute([config]);
  if (own(frame, "account_id") === undefined) return legacyRoute([frame, info, config]);
  return { account: topLevelId(frame, "account_id"), scope: topLevelId(frame, "scope") };
}

/**
 * Returns the account and the scope of the chat: those that MaiBot stores with the message. If no account is stored,
 * both come from `additional_config` instead. Source: MaiBot 1.3.15, route_key_factory.py, from_session_message.
 */
function chatRoute(frame: Fields, info: Fields, version: MaibotVersion): RouteIds {
  const stored = storedRoute(frame, info, version);
  return stored.account === null ? legacyRoute([own(info, "additional_config")]) : stored;
}

/**
 * Returns Python's `str()` of an id; an empty string if the id is missing. An id of null gives `None`, as in Python.
 */
function idText(userOrGroup: unknown, key: "user_id" | "group_id"): string {
  const id = isObject(userOrGroup) ? own(userOrGroup, key) : undefined;
  return id === undefined ? "" : toText(id);
}

/** Returns the chat of an ordinary message; `null` if MaiBot cannot find the chat because of a fault in the message. */
export function chatSessionOf(frame: Fields, version: MaibotVersion): ChatSession | null {
  const info = own(frame, "message_info");
  if (!isObject(info)) return null;
  const platform = own(info, "platform");
  if (typeof platform !== "string" || platform === "") return null;
  if (version !== "1.2.1" && strip(platform) === "") return null;
  const [group, user] = [idText(own(info, "group_info"), "group_id"), idText(own(info, "user_info"), "user_id")];
  if (group === "" && user === "") return null;
  const chat = group === "" ? { type: "private", id: user } as const : { type: "group", id: group } as const;
  return { platform, ...chatRoute(frame, info, version), ...chat };
}

/**
 * Returns the text that MaiBot hashes to get the id of a chat. Source: MaiBot, utils_session.py, calculate_session_id.
 */
export function chatSessionText({ platform, account, scope, type, id }: ChatSession): string {
  const route = [...(account === null ? [] : [`account:${account}`]), ...(scope === null ? [] : [`scope:${scope}`])];
  return [platform, ...route, id, ...(type === "private" ? ["private"] : [])].join("_");
}
