import { type ChatSession, chatSessionText, storedRoute } from "./chat_session.ts";
import { INFO, type Report } from "./fault.ts";
import { encodeError } from "./python/errors.ts";
import { isInteger } from "./python/number.ts";
import { type Fields, isAbsent, isObject, isTruthy, own, strip, toId, toText } from "./python/values.ts";
import type { MaibotVersion } from "./rules.ts";
import { AT_ACCOUNT_KEYS } from "./segment_faults.ts";
import { segmentsIn } from "./segments.ts";

/** Maximum nesting depth of a value that MaiBot's packer (MessagePack) accepts. */
const MAX_DEPTH = 1025;
/** Number of levels around the data of a segment: the list of segments, and the segment itself. */
const OUTER_DEPTH = 2;

/**
 * The members of a file, each with the keys that it may have.
 * Source: MaiBot, message_component_data_model.py, FileComponent.from_payload.
 */
const FILE_KEYS: readonly (readonly string[])[] = [
  ["name", "file", "file_name", "filename"],
  ["size", "file_size"],
  ["url", "file_url"],
  ["file_id", "id"],
  ["mime_type", "mimeType"],
  ["base64"],
];
/**
 * The members of an `at`, each with the keys that it may have.
 * Source: MaiBot, utils_message.py, _parse_at_segment_data.
 */
const AT_KEYS: readonly (readonly string[])[] = [
  AT_ACCOUNT_KEYS,
  ["target_user_nickname", "nickname", "name"],
  ["target_user_cardname", "card"],
];

/** Reports a text that holds half a surrogate pair. MaiBot cannot store such a text. */
function surrogateFault(text: unknown, path: string, report: Report): void {
  const error = typeof text === "string" ? encodeError(text) : null;
  if (error !== null) report("surrogate", path, error);
}

// ------------------------------------------------------------------------------------------ the chat session

/**
 * Checks that MaiBot can store a name that it keeps with the chat. The name is stripped of white space first, as MaiBot
 * does.
 */
function nameFault(info: Fields, owner: "user_info" | "group_info", key: string, report: Report): void {
  const fields = own(info, owner);
  const name = isObject(fields) ? own(fields, key) : undefined;
  if (typeof name === "string") surrogateFault(strip(name), `${INFO}.${owner}.${key}`, report);
}

/** Returns the JSON path of the first member that makes the text of a chat session invalid. */
function invalidMember(session: ChatSession, frame: Fields): string {
  if (!session.platform.isWellFormed()) return `${INFO}.platform`;
  for (const [key, id] of [["account_id", session.account], ["scope", session.scope]] as const) {
    if (id === null || id.isWellFormed()) continue;
    return typeof own(frame, key) === "string" ? `$.${key}` : `${INFO}.additional_config`;
  }
  return session.type === "group" ? `${INFO}.group_info.group_id` : `${INFO}.user_info.user_id`;
}

/**
 * Finds the texts that make MaiBot fail when it looks up the chat session of a message and stores the session.
 * Source: MaiBot, chat_manager.py, get_or_create_session.
 */
export function chatSessionFaults(frame: Fields, info: Fields, session: ChatSession, report: Report): void {
  const error = encodeError(chatSessionText(session));
  if (error !== null) report("surrogate", invalidMember(session, frame), error);
  if (session.type === "group") return nameFault(info, "group_info", "group_name", report);
  nameFault(info, "user_info", "user_nickname", report);
  nameFault(info, "user_info", "user_cardname", report);
}

// ------------------------------------------------------------------------------------------ segments

/** Finds values in a `dict` segment that MaiBot's packer refuses, in the order in which it packs them. */
class PackCheck {
  readonly #path: string;
  readonly #report: Report;
  /**
   * The objects and arrays that were checked. Each is checked only once: a value that was not decoded from JSON may
   * contain the same object many times, and an object may even contain itself.
   */
  readonly #checked = new Set<object>();

  constructor(path: string, report: Report) {
    this.#path = path;
    this.#report = report;
  }

  /** Checks the data of a `dict` segment. */
  data(data: Fields): void {
    this.#pack(data, OUTER_DEPTH + 1);
  }

  /** Checks a value. Returns false if it is nested too deeply, because the packer stops there. */
  #pack(value: unknown, depth: number): boolean {
    if (depth > MAX_DEPTH) {
      this.#report("dict_deep", this.#path, "recursion limit exceeded.");
      return false;
    }
    if (typeof value === "object" && value !== null) return this.#packInside(value, depth);
    surrogateFault(value, this.#path, this.#report);
    if (isInteger(value) && (value >= 2 ** 64 || value < -(2 ** 63))) {
      this.#report("integer_range", this.#path, "Integer value out of range");
    }
    return true;
  }

  #packInside(value: object, depth: number): boolean {
    if (this.#checked.has(value)) return true;
    this.#checked.add(value);
    if (Array.isArray(value)) return value.every((item) => this.#pack(item, depth + 1));
    if (!isObject(value) || value instanceof Uint8Array || value instanceof Blob) return true;
    return Object.entries(value).every(([key, item]) => {
      surrogateFault(key, this.#path, this.#report);
      return this.#pack(item, depth + 1);
    });
  }
}

/**
 * Returns the text of each member. A member may have several keys; the first text that is not empty is used. If there
 * is none, the text of the member is an empty string.
 */
function firstTexts(
  data: Fields,
  members: readonly (readonly string[])[],
  read: (value: unknown) => string,
): string[] {
  return members.map((keys) => keys.map((key) => read(own(data, key))).find((text) => text !== "") ?? "");
}

/** Returns Python's `str(value).strip()`; an empty string if the value is null or missing. */
function textOf(value: unknown): string {
  return isAbsent(value) ? "" : strip(toText(value));
}

function fileFaults(data: Fields, path: string, report: Report): void {
  for (const text of firstTexts(data, FILE_KEYS, toId)) surrogateFault(text, path, report);
}

function dictFaults(data: Fields, path: string, report: Report): void {
  const inner = own(data, "data") === undefined ? data : own(data, "data");
  const isFile = toId(own(data, "type")).toLowerCase() === "file";
  if (isFile && isObject(inner)) return fileFaults(inner, path, report);
  new PackCheck(path, report).data(data);
}

function segmentFaults(segment: Fields, path: string, report: Report): void {
  const [type, data] = [own(segment, "type"), own(segment, "data")];
  if (type === "text" || type === "reply") surrogateFault(data, path, report);
  if (type === "at") {
    const texts = isObject(data) ? firstTexts(data, AT_KEYS, textOf) : [data];
    for (const text of texts) surrogateFault(text, path, report);
  }
  if (!isObject(data)) return;
  if (type === "file") fileFaults(data, path, report);
  if (type === "dict") dictFaults(data, path, report);
}

// ------------------------------------------------------------------------------------------ the database row

/**
 * Checks the texts that become columns of the message in the database, in the order of the columns.
 * Source: MaiBot, database_model.py, Messages.
 */
function columnFaults(frame: Fields, info: Fields, version: MaibotVersion, report: Report): void {
  const column = (owner: unknown, key: string, path: string): void => {
    if (isObject(owner)) surrogateFault(own(owner, key), path, report);
  };
  const route = storedRoute(frame, info, version);
  column(info, "message_id", `${INFO}.message_id`);
  for (const [key, id] of [["account_id", route.account], ["scope", route.scope]] as const) {
    surrogateFault(id, isTruthy(own(frame, key)) ? `$.${key}` : `${INFO}.additional_config`, report);
  }
  for (const key of ["user_id", "user_nickname", "user_cardname"]) {
    column(own(info, "user_info"), key, `${INFO}.user_info.${key}`);
  }
}

/** Finds the values that MaiBot cannot store. Source: MaiBot, utils_message.py, store_message_to_db. */
export function storeFaults(frame: Fields, info: Fields, version: MaibotVersion, report: Report): void {
  const content = own(frame, "message_segment");
  if (!isObject(content)) return;
  for (const { segment, path } of segmentsIn(content)) {
    if (isObject(segment)) segmentFaults(segment, `${path}.data`, report);
  }
  columnFaults(frame, info, version, report);
}
