import { ACCOUNT_KEYS, SCOPE_KEYS } from "../schema/route.ts";
import { type Fields, isObject, own, strip, toText } from "./python/values.ts";
import { routeId } from "./legacy_route.ts";
import type { MaibotVersion } from "./rules.ts";

/** Finds the account that MaiBot speaks as on a platform; `null` if its configuration names none. */
export type AccountOn = (platform: string) => string | null;

/** What a message is asked for: the rules of which version, and the accounts that MaiBot's configuration names. */
export interface Asked {
  readonly version: MaibotVersion;
  /** Finds the account that the configuration names for a platform; `null` when the configuration is not known. */
  readonly accountOn: AccountOn | null;
}

/** Account and scope of a message. */
export interface RouteIds {
  readonly account: string | null;
  readonly scope: string | null;
}

/** The chat of MaiBot's that a message belongs to. */
export interface Session extends RouteIds {
  /** As the message has it. */
  readonly platform: string;
  readonly chat: "group" | "private";
  /** Id of the group or the user. */
  readonly target: string;
}

/** Platforms of MaiBot's own. Source: MaiBot 1.3.15, core/local_operator.py and platform_io/adapter_policy.py. */
const INTERNAL: ReadonlySet<string> = new Set(["webui", "bot_console", "maisaka_cli"]);

/** The name under which MaiBot keeps a platform. Source: MaiBot, platform_io/types.py, RouteKey. */
export function platformKey(platform: string): string {
  return strip(platform).toLowerCase();
}

/**
 * Reads the accounts that somebody says MaiBot's configuration has.
 *
 * @throws {TypeError} If an account is not a string, or blank; the text names its platform.
 */
export function readAccounts(accounts: Readonly<Record<string, string>>): AccountOn {
  for (const [platform, account] of Object.entries(accounts)) {
    if (typeof account === "string" && strip(account) !== "") continue;
    throw new TypeError(`'accounts.${platform}' must be a string that is not blank: received ${typeof account}`);
  }
  const byKey = new Map(Object.entries(accounts).map(([platform, account]) => [platformKey(platform), strip(account)]));
  return (platform) => byKey.get(platformKey(platform)) || null;
}

/** A member at the top: `null` where it says nothing, and where its type is a fault of its own. */
function formal(frame: Fields, key: string): string | null {
  const value = own(frame, key);
  return typeof value === "string" ? strip(value) || null : null;
}

/** Account and scope in the keys of older adapters. */
function legacy(places: readonly unknown[]): RouteIds {
  const find = (keys: readonly string[]): string | null => {
    for (const place of places) {
      const id = routeId(place, keys);
      if (id !== undefined) return id;
    }
    return null;
  };
  return { account: find(ACCOUNT_KEYS), scope: find(SCOPE_KEYS) };
}

/**
 * Account and scope of the stored message. Source: MaiBot 1.3.15, route_key_factory.py, from_message_dict; 1.2.1 reads
 * `additional_config` alone, and stores none.
 */
export function rowRoute(frame: Fields, info: Fields, version: MaibotVersion): RouteIds {
  const config = own(info, "additional_config");
  if (version === "1.2.1") return legacy([config]);
  if (own(frame, "account_id") === undefined) return legacy([frame, info, config]);
  return { account: formal(frame, "account_id"), scope: formal(frame, "scope") };
}

/** Account and scope of the chat: those of the row, or the older keys. Source: the same, from_session_message. */
function sessionRoute(frame: Fields, info: Fields, version: MaibotVersion): RouteIds {
  const row = rowRoute(frame, info, version);
  return row.account === null ? legacy([own(info, "additional_config")]) : row;
}

/** `str()` of an id, null included; empty if there is none. */
function idOf(party: unknown, key: string): string {
  const id = isObject(party) ? own(party, key) : undefined;
  return id === undefined ? "" : toText(id);
}

/** Finds the chat of an ordinary message; `null` if it has a fault by which it has none. */
export function sessionOf(frame: Fields, version: MaibotVersion): Session | null {
  const info = own(frame, "message_info");
  if (!isObject(info)) return null;
  const platform = own(info, "platform");
  const [group, user] = [idOf(own(info, "group_info"), "group_id"), idOf(own(info, "user_info"), "user_id")];
  const isNowhere = typeof platform !== "string" || platform === "" || (version !== "1.2.1" && strip(platform) === "");
  if (isNowhere || group + user === "") return null;
  const chat = group === "" ? { chat: "private", target: user } as const : { chat: "group", target: group } as const;
  return { platform, ...sessionRoute(frame, info, version), ...chat };
}

/** The text whose digest is the id of the chat. Source: MaiBot, utils_session.py, calculate_session_id. */
export function sessionText({ platform, account, scope, chat, target }: Session): string {
  const route = [...(account === null ? [] : [`account:${account}`]), ...(scope === null ? [] : [`scope:${scope}`])];
  return [platform, ...route, target, ...(chat === "private" ? ["private"] : [])].join("_");
}

/** Tells whether a platform is one of MaiBot's own, which need no account. */
export function isInternal(platform: string): boolean {
  return INTERNAL.has(platform);
}
