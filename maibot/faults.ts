import {
  dateError,
  getError,
  hashError,
  isAbsent,
  isFloat,
  isObject,
  isTruthy,
  own,
  strip,
  subscriptError,
  toId,
  toText,
  typeName,
} from "./python/values.ts";
import type { Fields } from "./python/values.ts";
import { numberOf } from "./python/number.ts";
import { type MaibotRule, type MaibotVersion, RULES } from "./rules.ts";
import { contentFaults, type Report, shapeFaults } from "./segment_faults.ts";
import { type Asked, isInternal, type Session, sessionOf } from "./chat_session.ts";
import { chatFaults, storeFaults } from "./store_faults.ts";

/** Takes a fault, with MaiBot's error text and how its log line begins. */
export type FaultReport = (fault: Fault) => void;

/** One fault of a frame. */
export interface Fault {
  readonly rule: MaibotRule;
  readonly path: string;
  /** Text of the error that MaiBot logs; `undefined` where it logs none. */
  readonly said: string | undefined;
  /** Where MaiBot is when it finds out: its log line begins with it. */
  readonly stage: "dispatch" | "preprocess" | "store";
}

/** The one custom message that MaiBot handles. */
export const ECHO_NAME = "message_id_echo";

const INFO = "$.message_info";
/** Times outside are hardly meant: 2000-01-01 and 2100-01-01 in Unix seconds. */
const LIKELY_START = 946_684_800;
const LIKELY_END = 4_102_444_800;

// ------------------------------------------------------------------------------------------ custom messages

/**
 * Whether the frame never gets to MaiBot's own code. The flag need only be truthy, and is not needed at all for a name
 * that has a handler, or one that can not be looked up.
 */
function isCustomFrame(frame: Fields): boolean {
  const name = own(frame, "message_type_name");
  const isUnhashable = isTruthy(name) && hashError(name) !== null;
  return isTruthy(own(frame, "is_custom_message")) || name === ECHO_NAME || isUnhashable;
}

function customFaults(frame: Fields, report: Report): void {
  const name = own(frame, "message_type_name");
  const error = isTruthy(name) ? hashError(name) : null;
  if (error !== null) return report("custom_unhashable", "$.message_type_name", `TypeError: ${error}`);
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
  if (!isTruthy(time)) return report("time_missing", path, "");
  const seconds = numberOf(time);
  if (seconds === null) {
    return report("time_kind", path, `'${typeName(time)}' object cannot be interpreted as an integer`);
  }
  const error = dateError(seconds);
  if (error !== null) return report("time_range", path, error);
  if (seconds < LIKELY_START || seconds >= LIKELY_END) report("time_unlikely", path);
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
}

// ------------------------------------------------------------------------------------------ the route

/** Platform, account and scope as MaiBot 1.3 reads the route. Source: MaiBot 1.3.15, route_key_factory.py, from_message_dict. */
function routeFaults(frame: Fields, info: Fields, report: Report): void {
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

/** The platform as the message is converted; what the route has found is not told again. */
function platformFaults(info: Fields, version: MaibotVersion, report: Report): void {
  const platform = own(info, "platform");
  if (typeof platform === "string" || (version !== "1.2.1" && !isTruthy(platform))) return;
  report("platform_kind", `${INFO}.platform`, "");
}

/** Where the account would have to stand, or stands. */
function accountPath(frame: Fields, info: Fields, session: Session): string {
  if (session.account === null || own(frame, "account_id") !== undefined) return "$.account_id";
  return isObject(own(info, "additional_config")) ? `${INFO}.additional_config` : "$.account_id";
}

/** Messages that MaiBot 1.3 answers by itself, without quoting: no account is needed. Source: bot.py, receive_message. */
const COMMANDS: ReadonlySet<string> = new Set(["/clear", "/offline", "/online"]);

/** Finds the command of MaiBot's own that a whole message is; `null` if it is none. */
export function commandIn(segment: unknown): string | null {
  if (!isObject(segment)) return null;
  const [type, data] = [own(segment, "type"), own(segment, "data")];
  const items = type === "seglist" && Array.isArray(data) ? data : [segment];
  const texts = items.map((item) => isObject(item) && own(item, "type") === "text" ? own(item, "data") : undefined);
  const text = texts.every((item) => typeof item === "string") ? strip(texts.join(" ")) : "";
  return COMMANDS.has(text) ? text : null;
}

/** Why MaiBot stores a message and never answers it. */
function answerFaults(frame: Fields, info: Fields, session: Session, asked: Asked, report: Report): void {
  const path = accountPath(frame, info, session);
  const isOwn = isInternal(session.platform);
  const configured = asked.accountOn?.(session.platform) ?? null;
  if (asked.accountOn !== null && configured === null && !isOwn) report("platform_foreign", `${INFO}.platform`);
  if (session.account === null) {
    if (commandIn(own(frame, "message_segment")) === null) report("account_missing", path);
  } else if (configured !== null && session.account !== configured) {
    report("account_foreign", path);
  }
  if (strip(session.target) === "" && !isOwn) {
    report("target_blank", session.chat === "group" ? `${INFO}.group_info.group_id` : `${INFO}.user_info.user_id`);
  }
  const user = own(info, "user_info");
  const author = isObject(user) ? toId(own(user, "user_id")) : "";
  if (author !== "" && author === (configured ?? session.account)) report("own_message", `${INFO}.user_info.user_id`);
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

/** A reporter of the stage in which something is found. */
function at(stage: Fault["stage"], report: FaultReport): Report {
  return (rule, path, said) => report({ rule, path, said, stage });
}

/** Looks at an ordinary message in the order in which MaiBot does. */
function ordinaryFaults(frame: Fields, asked: Asked, report: Report, tell: FaultReport): void {
  const { version } = asked;
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
    if (version !== "1.2.1") routeFaults(frame, info, report);
    platformFaults(info, version, report);
    messageIdFaults(own(info, "message_id"), report);
    timeFaults(own(info, "time"), report);
  }
  if (segment === undefined) report("segment_kind", "$.message_segment", `暂时不支持的消息片段类型: ${toText(null)}`);
  else contentFaults(segment, "$.message_segment", version, report);
  if (!isObject(info)) return;
  nameFaults(info, report);
  sessionFaults(info, report);
  if (version === "1.2.1" && own(info, "platform") === "") {
    report("platform_empty", `${INFO}.platform`, "消息缺少平台信息");
  }
  const session = sessionOf(frame, version);
  if (session !== null) {
    chatFaults(frame, info, session, report);
    answerFaults(frame, info, session, asked, report);
  }
  storeFaults(frame, info, version, at("store", tell));
  configFaults(info, report);
}

/**
 * Finds every rule that a frame breaks, in the order in which MaiBot comes upon them: the first that drops is the one in
 * its log.
 *
 * Source: protocol.md 3, maibot.md 2 and 3: run with the own code of MaiBot 1.2.1 and 1.3.15.
 */
export function findFaults(frame: unknown, asked: Asked, tell: FaultReport): void {
  const told = new Set<string>();
  // A rule that the version does not have is not broken. What is found at two stages is told once.
  const known: FaultReport = (fault) => {
    const { rule, path } = fault;
    if (RULES[rule].sources[asked.version] === undefined) return;
    if (rule === "surrogate") {
      if (told.has(path)) return;
      told.add(path);
    }
    tell(fault);
  };
  const report = at("preprocess", known);
  if (!isObject(frame)) report("not_object", "$", subscriptError(frame));
  else if (isCustomFrame(frame)) customFaults(frame, at("dispatch", known));
  else ordinaryFaults(frame, asked, report, known);
}
