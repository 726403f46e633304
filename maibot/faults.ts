import {
  dateError,
  getError,
  isAbsent,
  isFloat,
  isObject,
  isTruthy,
  own,
  subscriptError,
  toId,
  toText,
  typeName,
} from "./python.ts";
import type { Fields } from "./python.ts";
import { contentFaults, type Report, shapeFaults } from "./segment_faults.ts";

/** The one custom message that MaiBot handles. */
export const ECHO_NAME = "message_id_echo";

const INFO = "$.message_info";
/** Times outside are hardly meant: 2000-01-01 and 2100-01-01 in Unix seconds. */
const LIKELY_START = 946_684_800;
const LIKELY_END = 4_102_444_800;

// ------------------------------------------------------------------------------------------ custom messages

/**
 * Whether the frame goes to a handler of custom messages and never to MaiBot's door. The flag need only be truthy, and
 * is not needed at all for a name that has a handler.
 */
function isCustomFrame(frame: Fields): boolean {
  return isTruthy(own(frame, "is_custom_message")) || own(frame, "message_type_name") === ECHO_NAME;
}

function customFaults(frame: Fields, report: Report): void {
  const name = own(frame, "message_type_name");
  if (typeof name !== "string" || name === "") return report("custom_nameless", "$.message_type_name", toText(name));
  if (name !== ECHO_NAME) return report("custom_unknown", "$.message_type_name", name);
  const content = own(frame, "content");
  if (!isObject(content)) return report("echo_incomplete", "$.content");
  if (own(content, "type") !== "echo") return report("echo_incomplete", "$.content.type");
  for (const key of ["echo", "actual_id"]) {
    if (toId(own(content, key)) === "") report("echo_incomplete", `$.content.${key}`);
  }
}

// ------------------------------------------------------------------------------------------ at the door

/** Looks at an id that is `str()`-ed at the door. */
function idFaults(id: unknown, party: "user" | "group", report: Report): void {
  const path = `${INFO}.${party}_info.${party}_id`;
  if (id === undefined) report(`${party}_id_missing`, path, `'${party}_id'`);
  else if (id === null) report(`${party}_id_null`, path);
  else if (typeof id === "object" || typeof id === "boolean") report("id_kind", path);
}

/** The two ids are read before anything else, from whatever stands there. */
function doorFaults(info: Fields, report: Report): void {
  for (const party of ["group", "user"] as const) {
    const value = own(info, `${party}_info`);
    if (isAbsent(value)) continue;
    if (isObject(value)) idFaults(own(value, `${party}_id`), party, report);
    else report(`${party}_info_kind`, `${INFO}.${party}_info`, subscriptError(value));
  }
}

/** Both ends are read and then ignored; reading them wants objects. */
function partyFaults(info: Fields, report: Report): void {
  for (const name of ["sender_info", "receiver_info"]) {
    const party = own(info, name);
    if (!isObject(party)) continue;
    for (const member of ["group_info", "user_info"]) {
      const value = own(party, member);
      if (!isAbsent(value) && !isObject(value)) report("party_kind", `${INFO}.${name}.${member}`, getError(value));
    }
  }
}

// ------------------------------------------------------------------------------------------ the conversion

function messageIdFaults(id: unknown, report: Report): void {
  const path = `${INFO}.message_id`;
  if (id === "") report("message_id_empty", path, "");
  else if (isAbsent(id)) report("message_id_missing", path);
  else if (typeof id === "object" || typeof id === "boolean") report("id_kind", path);
}

function timeFaults(time: unknown, report: Report): void {
  const path = `${INFO}.time`;
  if (!isTruthy(time) && !Number.isNaN(time)) return report("time_missing", path, "");
  if (typeof time !== "number" && typeof time !== "boolean") {
    return report("time_kind", path, `'${typeName(time)}' object cannot be interpreted as an integer`);
  }
  const error = dateError(Number(time));
  if (error !== null) return report("time_range", path, error);
  if (Number(time) < LIKELY_START || Number(time) >= LIKELY_END) report("time_unlikely", path);
}

function nameFaults(info: Fields, report: Report): void {
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

function sessionFaults(info: Fields, report: Report): void {
  const [user, group] = [own(info, "user_info"), own(info, "group_info")];
  const isNobody = isObject(user) && own(user, "user_id") === "";
  const isNowhere = isObject(group) && own(group, "group_id") === "";
  const isPrivate = isAbsent(group) || isNowhere;
  if (isNowhere) report("group_id_empty", `${INFO}.group_info.group_id`);
  const path = `${INFO}.user_info.user_id`;
  if (isNobody && isPrivate) report("user_id_empty", path, "UserID 或 GroupID 必须提供其一");
  else if (isNobody) report("user_id_blank", path);
  if (own(info, "platform") === "") report("platform_empty", `${INFO}.platform`, "消息缺少平台信息");
}

// ------------------------------------------------------------------------------------------ what comes after

function configFaults(info: Fields, report: Report): void {
  const config = own(info, "additional_config");
  const path = `${INFO}.additional_config`;
  if (!isTruthy(config)) return;
  if (!isObject(config)) return report("config_kind", path);
  const mentioned = own(config, "is_mentioned");
  const isRead = isTruthy(own(config, "at_bot")) || isTruthy(mentioned);
  if (isRead && !isAbsent(mentioned) && mentioned !== "" && !isFloat(mentioned)) {
    // Behind the door: the message is stored, and the question whether to answer it fails.
    report("is_mentioned", `${path}.is_mentioned`);
  }
  if (isTruthy(own(config, "is_local_operator"))) report("local_operator", `${path}.is_local_operator`);
}

/** Looks at an ordinary message in the order in which MaiBot does. */
function ordinaryFaults(frame: Fields, report: Report): void {
  const info = own(frame, "message_info");
  const segment = own(frame, "message_segment");
  if (!isObject(info)) {
    const isOneBot = info === undefined && own(frame, "post_type") !== undefined;
    report(isOneBot ? "onebot_frame" : "message_info", INFO, info === undefined ? "'message_info'" : getError(info));
    if (isOneBot) return;
  } else {
    doorFaults(info, report);
    partyFaults(info, report);
  }
  if (segment !== undefined) shapeFaults(segment, "$.message_segment", report);
  if (isObject(info)) {
    if (typeof own(info, "platform") !== "string") report("platform_kind", `${INFO}.platform`, "");
    messageIdFaults(own(info, "message_id"), report);
    timeFaults(own(info, "time"), report);
  }
  if (segment === undefined) report("segment_kind", "$.message_segment", `暂时不支持的消息片段类型: ${toText(null)}`);
  else contentFaults(segment, "$.message_segment", report);
  if (!isObject(info)) return;
  nameFaults(info, report);
  sessionFaults(info, report);
  configFaults(info, report);
}

/**
 * Finds every rule of MaiBot's front door that a frame breaks, in the order in which MaiBot comes upon them: the first
 * that drops is the one in its log.
 *
 * Source: protocol.md 3, run with MaiBot 1.2.1's own code; what stands behind the door (session, mention) was read.
 */
export function findFaults(frame: unknown, report: Report): void {
  if (!isObject(frame)) return report("not_object", "$", subscriptError(frame));
  return isCustomFrame(frame) ? customFaults(frame, report) : ordinaryFaults(frame, report);
}
