/**
 * Faults of `message_info`, of the platform, account and scope, and of `additional_config`.
 * @module
 */

import { INFO, type Report } from "./fault.ts";
import { dateError } from "./python/date.ts";
import { missingGetError, subscriptError } from "./python/errors.ts";
import { numberOf } from "./python/number.ts";
import { type Fields, isAbsent, isFloat, isObject, isTruthy, own, strip, toText, typeName } from "./python/values.ts";
import type { MaibotVersion } from "./rules.ts";

/** Likely times, in Unix seconds: from 2000-01-01 until before 2100-01-01. Any other time is probably a mistake. */
const LIKELY_START = 946_684_800;
const LIKELY_END = 4_102_444_800;

// ------------------------------------------------------------------------------------------ members read first

/** Checks an id of a user or a group. MaiBot converts it with Python's `str()`. */
function idFaults(id: unknown, owner: "user" | "group", report: Report): void {
  const path = `${INFO}.${owner}_info.${owner}_id`;
  if (id === undefined) report(`${owner}_id_missing`, path, `'${owner}_id'`);
  else if (id === null) report(`${owner}_id_null`, path);
  else if (typeof id === "object" || typeof id === "boolean") report("id_kind", path);
}

/**
 * Checks `group_id` and `user_id`, which MaiBot reads before everything else. Source: bot.py, ChatBot.message_process.
 */
export function requiredIdFaults(info: Fields, report: Report): void {
  for (const owner of ["group", "user"] as const) {
    const value = own(info, `${owner}_info`);
    if (isAbsent(value)) continue;
    if (isObject(value)) idFaults(own(value, `${owner}_id`), owner, report);
    else report(`${owner}_info_kind`, `${INFO}.${owner}_info`, subscriptError(value));
  }
}

/** Checks `sender_info` and `receiver_info`. maim_message decodes both, but MaiBot does not use them. */
export function senderReceiverFaults(info: Fields, report: Report): void {
  for (const key of ["sender_info", "receiver_info"]) {
    const value = own(info, key);
    if (!isObject(value)) continue;
    for (const member of ["group_info", "user_info"]) {
      const inner = own(value, member);
      if (isAbsent(inner) || isObject(inner)) continue;
      report("party_kind", `${INFO}.${key}.${member}`, missingGetError(inner));
    }
  }
}

/**
 * Checks platform, account and scope in the way in which MaiBot 1.3.15 reads them.
 * Source: MaiBot 1.3.15, route_key_factory.py, from_message_dict.
 */
export function routeFaults(frame: Fields, info: Fields, report: Report): void {
  const platform = own(info, "platform");
  if (!isTruthy(platform) || strip(toText(platform)) === "") {
    const rule = typeof platform === "string" ? "platform_empty" : "platform_kind";
    report(rule, `${INFO}.platform`, "消息字典缺少有效的 platform 字段，无法构造 RouteKey");
  }
  if (own(frame, "account_id") === undefined) return;
  for (const [member, rule] of [["account_id", "account_kind"], ["scope", "scope_kind"]] as const) {
    const value = own(frame, member);
    if (isAbsent(value) || typeof value === "string") continue;
    report(rule, `$.${member}`, `消息 ${member} 必须是字符串或 None`);
  }
}

// ------------------------------------------------------------------------------------------ conversion

function platformFaults(platform: unknown, version: MaibotVersion, report: Report): void {
  // MaiBot 1.3.15 fails earlier for an empty platform, when it builds the route. routeFaults has reported that fault.
  if (typeof platform === "string" || (version !== "1.2.1" && !isTruthy(platform))) return;
  report("platform_kind", `${INFO}.platform`, "");
}

function messageIdFaults(id: unknown, report: Report): void {
  const path = `${INFO}.message_id`;
  if (id === "") report("message_id_empty", path, "");
  else if (isAbsent(id)) report("message_id_missing", path);
  else if (typeof id === "object" || typeof id === "boolean") report("id_kind", path);
}

function timeFaults(time: unknown, report: Report): void {
  const path = `${INFO}.time`;
  if (!isTruthy(time)) return report("time_missing", path, "");
  const seconds = numberOf(time);
  if (seconds === null) {
    return report("time_kind", path, `'${typeName(time)}' object cannot be interpreted as an integer`);
  }
  const error = dateError(seconds);
  if (error !== null) return report("time_range", path, error);
  if (seconds < LIKELY_START || seconds >= LIKELY_END) report("time_unlikely", path);
}

/** Checks the members that MaiBot converts before the segments. */
export function conversionFaults(info: Fields, version: MaibotVersion, report: Report): void {
  platformFaults(own(info, "platform"), version, report);
  messageIdFaults(own(info, "message_id"), report);
  timeFaults(own(info, "time"), report);
}

/** Checks `user_info` and the names. MaiBot converts them after the segments. */
export function nameFaults(info: Fields, report: Report): void {
  const user = own(info, "user_info");
  if (isAbsent(user)) report("user_info_missing", `${INFO}.user_info`, "");
  else if (isObject(user) && typeof own(user, "user_nickname") !== "string") {
    report("nickname", `${INFO}.user_info.user_nickname`, "");
  }
  const group = own(info, "group_info");
  if (!isObject(group)) return;
  const name = own(group, "group_name");
  if (typeof name !== "string") report("group_name", `${INFO}.group_info.group_name`, "");
  else if (name === "") report("group_name_empty", `${INFO}.group_info.group_name`);
}

/** Finds empty ids. For an empty id, MaiBot opens another chat than the intended one, or no chat. */
export function emptyIdFaults(info: Fields, report: Report): void {
  const [user, group] = [own(info, "user_info"), own(info, "group_info")];
  const isUserEmpty = isObject(user) && own(user, "user_id") === "";
  const isGroupEmpty = isObject(group) && own(group, "group_id") === "";
  const isPrivate = isAbsent(group) || isGroupEmpty;
  if (isGroupEmpty) report("group_id_empty", `${INFO}.group_info.group_id`);
  const path = `${INFO}.user_info.user_id`;
  if (isUserEmpty && isPrivate) report("user_id_empty", path, "UserID 或 GroupID 必须提供其一");
  else if (isUserEmpty) report("user_id_blank", path);
}

// ------------------------------------------------------------------------------------------ additional_config

/** Checks `additional_config`. */
export function configFaults(info: Fields, report: Report): void {
  const config = own(info, "additional_config");
  const path = `${INFO}.additional_config`;
  if (!isTruthy(config)) return;
  if (!isObject(config)) return report("config_kind", path);
  const mentioned = own(config, "is_mentioned");
  const isRead = isTruthy(own(config, "at_bot")) || isTruthy(mentioned);
  if (isRead && !isAbsent(mentioned) && mentioned !== "" && !isFloat(mentioned)) {
    // MaiBot has already stored the message. It fails later, when it decides whether to answer.
    report("is_mentioned", `${path}.is_mentioned`);
  }
  if (isTruthy(own(config, "is_local_operator"))) report("local_operator", `${path}.is_local_operator`);
}
