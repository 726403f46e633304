import { encodeError, type Fields, isAbsent, isObject, isTruthy, own, strip, toId, toText } from "./python/values.ts";
import { isInteger } from "./python/number.ts";
import type { Report } from "./segment_faults.ts";
import { rowRoute, type Session, sessionText } from "./chat_session.ts";
import type { MaibotVersion } from "./rules.ts";

const INFO = "$.message_info";
/** Values inside one another that MaiBot's packer takes: the list of segments and a segment are two of them. */
const MAX_DEPTH = 1025;
const OUTER_DEPTH = 2;

/** Names of a file's members. Source: MaiBot, message_component_data_model.py, FileComponent.from_payload. */
const FILE_KEYS = [
  ["name", "file", "file_name", "filename"],
  ["size", "file_size"],
  ["url", "file_url"],
  ["file_id", "id"],
  ["mime_type", "mimeType"],
  ["base64"],
] as const;
/** The same of an `at`. Source: MaiBot, utils_message.py, _parse_at_segment_data. */
const AT_KEYS = [
  ["target_user_id", "qq", "user_id", "id"],
  ["target_user_nickname", "nickname", "name"],
  ["target_user_cardname", "card"],
] as const;

/** Reports a text that can not be stored. */
function textFault(text: unknown, path: string, report: Report): void {
  const error = typeof text === "string" ? encodeError(text) : null;
  if (error !== null) report("surrogate", path, error);
}

// ------------------------------------------------------------------------------------------ before the chat opens

/** A name, as it is kept with the chat: without white space around. */
function nameFault(info: Fields, party: "user" | "group", name: string, report: Report): void {
  const fields = own(info, `${party}_info`);
  const text = isObject(fields) ? own(fields, name) : undefined;
  if (typeof text === "string") textFault(strip(text), `${INFO}.${party}_info.${name}`, report);
}

/** Where the first half of a pair stands that keeps the chat from having an id. */
function sessionPath(session: Session, frame: Fields): string {
  if (!session.platform.isWellFormed()) return `${INFO}.platform`;
  for (const [key, id] of [["account_id", session.account], ["scope", session.scope]] as const) {
    if (id === null || id.isWellFormed()) continue;
    return typeof own(frame, key) === "string" ? `$.${key}` : `${INFO}.additional_config`;
  }
  return session.chat === "group" ? `${INFO}.group_info.group_id` : `${INFO}.user_info.user_id`;
}

/** What fails when MaiBot looks for the chat and keeps it. Source: MaiBot, chat_manager.py, get_or_create_session. */
export function chatFaults(frame: Fields, info: Fields, session: Session, report: Report): void {
  const error = encodeError(sessionText(session));
  if (error !== null) report("surrogate", sessionPath(session, frame), error);
  if (session.chat === "group") return nameFault(info, "group", "group_name", report);
  nameFault(info, "user", "user_nickname", report);
  nameFault(info, "user", "user_cardname", report);
}

// ------------------------------------------------------------------------------------------ what is packed

/** The values inside `data` of a `dict`, in the order in which they are packed. */
function packedFaults(
  value: unknown,
  path: string,
  depth: number,
  report: Report,
  seen: Set<unknown> = new Set(),
): boolean {
  if (depth > MAX_DEPTH) {
    report("dict_deep", path, "recursion limit exceeded.");
    return false;
  }
  if (typeof value === "string") textFault(value, path, report);
  if (isInteger(value) && (value >= 2 ** 64 || value < -(2 ** 63))) {
    report("integer_range", path, "Integer value out of range");
  }
  if (typeof value === "object" && value !== null) {
    if (seen.has(value)) return true; // in JSON each stands in one place
    seen.add(value);
  }
  if (Array.isArray(value)) return value.every((item) => packedFaults(item, path, depth + 1, report, seen));
  if (!isObject(value) || value instanceof Uint8Array || value instanceof Blob) return true;
  return Object.entries(value).every(([key, item]) => {
    textFault(key, path, report);
    return packedFaults(item, path, depth + 1, report, seen);
  });
}

/** Texts that are the first of several members, by a test of what counts. */
function firstTexts(
  data: Fields,
  names: readonly (readonly string[])[],
  read: (value: unknown) => string,
): string[] {
  return names.map((keys) => keys.map((key) => read(own(data, key))).find((text) => text !== "") ?? "");
}

/** `str(value).strip()` of what is there. */
const textOf = (value: unknown): string => isAbsent(value) ? "" : strip(toText(value));

function fileFaults(data: Fields, path: string, report: Report): void {
  for (const text of firstTexts(data, FILE_KEYS, toId)) textFault(text, path, report);
}

function dictFaults(data: Fields, path: string, report: Report): void {
  const inner = own(data, "data") === undefined ? data : own(data, "data");
  const isFile = toId(own(data, "type")).toLowerCase() === "file";
  if (isFile && isObject(inner)) return fileFaults(inner, path, report);
  packedFaults(data, path, OUTER_DEPTH + 1, report);
}

function segmentFaults(segment: Fields, path: string, report: Report): void {
  const [type, data] = [own(segment, "type"), own(segment, "data")];
  if (type === "text" || type === "reply") textFault(data, path, report);
  if (type === "at") {
    const texts = isObject(data) ? firstTexts(data, AT_KEYS, textOf) : [data];
    for (const text of texts) textFault(text, path, report);
  }
  if (!isObject(data)) return;
  if (type === "file") fileFaults(data, path, report);
  if (type === "dict") dictFaults(data, path, report);
}

// ------------------------------------------------------------------------------------------ the row

/** The columns of a message in their order. Source: MaiBot, database_model.py, Messages. */
function columnFaults(frame: Fields, info: Fields, version: MaibotVersion, report: Report): void {
  const column = (owner: unknown, key: string, path: string): void => {
    if (isObject(owner)) textFault(own(owner, key), path, report);
  };
  const route = rowRoute(frame, info, version);
  column(info, "message_id", `${INFO}.message_id`);
  for (const [key, id] of [["account_id", route.account], ["scope", route.scope]] as const) {
    textFault(id, isTruthy(own(frame, key)) ? `$.${key}` : `${INFO}.additional_config`, report);
  }
  for (const key of ["user_id", "user_nickname", "user_cardname"]) {
    column(own(info, "user_info"), key, `${INFO}.user_info.${key}`);
  }
}

/** What fails when MaiBot stores a message. Source: MaiBot, utils_message.py, store_message_to_db. */
export function storeFaults(frame: Fields, info: Fields, version: MaibotVersion, report: Report): void {
  const top = own(frame, "message_segment");
  if (!isObject(top)) return;
  const [type, data] = [own(top, "type"), own(top, "data")];
  const items = type === "seglist" && Array.isArray(data) ? data : [top];
  for (const [index, item] of items.entries()) {
    const path = items === data ? `$.message_segment.data[${index}].data` : "$.message_segment.data";
    if (isObject(item)) segmentFaults(item, path, report);
  }
  columnFaults(frame, info, version, report);
}
