/**
 * Reads and writes the bot's account and the scope of a message.
 * @module
 */

import { isBlank } from "../util/blank.ts";
import { type Fields, isAbsent, isObject } from "../util/values.ts";

/**
 * Keys under which older adapters write the account. MaiBot looks for them in the message, then in `message_info`, then
 * in `additional_config`. In each of these objects it uses the first key of this list whose value is not blank.
 *
 * Source: MaiBot, RouteKeyFactory.
 */
export const ACCOUNT_KEYS: readonly string[] = ["platform_io_account_id", "account_id", "self_id", "bot_account"];
/** Keys under which older adapters write the scope. They are used in the same way as {@linkcode ACCOUNT_KEYS}. */
export const SCOPE_KEYS: readonly string[] = ["platform_io_scope", "route_scope", "adapter_scope", "connection_id"];

/** The bot's account that a message was written to or is sent by, and the scope of that account's connection. */
export interface Route {
  /** Id of the bot's account on the platform. */
  readonly account?: string | undefined;
  /** A name that distinguishes several connections of one account. */
  readonly scope?: string | undefined;
}

/** Tells whether a value can name an account or a scope. */
export function isRouteName(value: unknown): value is string {
  return typeof value === "string" && !isBlank(value);
}

function own(fields: Fields, key: string): unknown {
  return Object.hasOwn(fields, key) ? fields[key] : undefined;
}

/** Returns true if a member is present and not blank. */
function isNamed(value: unknown): boolean {
  return !isAbsent(value) && !(typeof value === "string" && isBlank(value));
}

function firstNamed(places: readonly unknown[], keys: readonly string[]): unknown {
  for (const place of places) {
    if (!isObject(place)) continue;
    const key = keys.find((name) => Object.hasOwn(place, name) && isNamed(place[name]));
    if (key !== undefined) return place[key];
  }
  return undefined;
}

/**
 * Reads the account or the scope of a message: from the top-level member `account_id` or `scope`, otherwise from the
 * keys that older adapters write.
 */
function named(message: Fields, info: Fields, member: "account_id" | "scope", keys: readonly string[]): unknown {
  if (Object.hasOwn(message, member) && isNamed(message[member])) return message[member];
  return firstNamed([message, info, own(info, "additional_config")], keys);
}

/**
 * Returns an ordinary message and its `message_info`. Returns null for a custom message, and for a value that is not a
 * message: the encoder refuses such a value later.
 */
function readOrdinary(message: object): { fields: Fields; info: Fields } | null {
  const fields = isObject(message) ? message : {};
  const info = own(fields, "message_info");
  return isObject(info) && own(fields, "is_custom_message") !== true ? { fields, info } : null;
}

/** Returns the account and the scope of a message as strings. */
export function routeOf(message: object): Route {
  const read = readOrdinary(message);
  if (read === null) return {};
  const text = (value: unknown): string | undefined => {
    return typeof value === "string" ? value : typeof value === "number" ? String(value) : undefined;
  };
  return {
    account: text(named(read.fields, read.info, "account_id", ACCOUNT_KEYS)),
    scope: text(named(read.fields, read.info, "scope", SCOPE_KEYS)),
  };
}

/**
 * Adds the account and the scope to a message that does not name them. For MaiBot 1.3, they are written as the
 * top-level members `account_id` and `scope`; for MaiBot 1.2, they are also written as `platform_io_account_id` and
 * `platform_io_scope` of `additional_config`. An account or scope that the message already names is kept.
 *
 * @returns The same message if there is nothing to add, otherwise a copy.
 */
export function withRoute<Message extends object>(message: Message, { account, scope }: Route): Message {
  const read = account === undefined && scope === undefined ? null : readOrdinary(message);
  if (read === null) return message;
  const { fields, info } = read;
  const members: { account_id?: string; scope?: string } = {};
  const config: { platform_io_account_id?: string; platform_io_scope?: string } = {};
  if (account !== undefined && named(fields, info, "account_id", ACCOUNT_KEYS) === undefined) {
    members.account_id = account;
    config.platform_io_account_id = account;
  }
  if (scope !== undefined && named(fields, info, "scope", SCOPE_KEYS) === undefined) {
    members.scope = scope;
    config.platform_io_scope = scope;
  }
  if (Object.keys(members).length === 0) return message;
  const known = own(info, "additional_config") ?? {};
  const message_info = isObject(known) ? { ...info, additional_config: { ...known, ...config } } : info;
  // `members` is spread twice. The first spread puts the members before the segments, so that the reader of a streamed
  // message gets them early. The second one replaces members of the message that are blank.
  return { ...members, ...message, message_info, ...members };
}
