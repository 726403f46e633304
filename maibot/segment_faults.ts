import type { Report } from "./fault.ts";
import { isBytes, mediaFaults, type SegmentData } from "./media_faults.ts";
import { hashError, missingGetError } from "./python/errors.ts";
import { isAbsent, isObject, isTruthy, own, strip, toId, toText, typeName } from "./python/values.ts";
import type { MaibotRule, MaibotVersion } from "./rules.ts";
import { shorten } from "./shorten.ts";

/** Maximum depth to which nested lists are checked. Each nested list is reported as a fault. */
const MAX_DEPTH = 32;

/**
 * Keys of an `at` object that may hold the account. The first key with a value that is not blank is used.
 * Source: MaiBot, utils_message.py, _parse_at_segment_data.
 */
export const AT_ACCOUNT_KEYS: readonly string[] = ["target_user_id", "qq", "user_id", "id"];

/** Returns the error for a segment type that MaiBot does not support. */
function unsupportedType(type: unknown): string {
  return `暂时不支持的消息片段类型: ${shorten(toText(type))}`;
}

/**
 * The lists that were checked. Each list is checked only once: a value that was not decoded from JSON may contain the
 * same list many times, and a list may even contain itself.
 */
class CheckedLists {
  readonly #lists = new Set<unknown>();

  /** Adds a list; returns false if it was added before. */
  add(list: readonly unknown[]): boolean {
    const isNew = !this.#lists.has(list);
    this.#lists.add(list);
    return isNew;
  }
}

/**
 * Finds the values for which `Seg.from_dict` fails. MaiBot calls this function for all segments before it reads the
 * rest of the message.
 */
class ShapeCheck {
  readonly #report: Report;
  readonly #checked = new CheckedLists();

  constructor(report: Report) {
    this.#report = report;
  }

  segment(segment: unknown, path: string, depth: number): void {
    if (!isObject(segment)) return this.#report("segment_kind", path, missingGetError(segment));
    if (own(segment, "type") === "seglist" && depth <= MAX_DEPTH) this.#list(own(segment, "data"), path, depth);
  }

  #list(data: unknown, path: string, depth: number): void {
    if (Array.isArray(data)) {
      if (!this.#checked.add(data)) return;
      for (const [index, item] of data.entries()) this.segment(item, `${path}.data[${index}]`, depth + 1);
    } else if (typeof data === "string" || isObject(data)) {
      // Python iterates over the characters of a string or the keys of a dict. If there are none, the list is empty.
      if (isTruthy(data)) this.#report("list_kind", `${path}.data`, missingGetError(""));
    } else {
      this.#report("list_kind", `${path}.data`, `'${typeName(data)}' object is not iterable`);
    }
  }
}

/** Finds segments that are not objects, and lists that are not arrays. */
export function shapeFaults(segment: unknown, path: string, report: Report): void {
  new ShapeCheck(report).segment(segment, path, 0);
}

function textFaults({ data, path, report }: SegmentData): void {
  if (typeof data !== "string") report("text_kind", path, "text类型的seg数据应该是字符串");
}

function replyFaults({ data, path, report }: SegmentData): void {
  if (typeof data !== "string") report("reply_kind", path, "reply类型的seg数据应该是字符串");
  else if (toId(data) === "") report("reply_empty", path);
}

/** Returns the account in an `at` object: the first value that is not blank, in the order of the keys. */
function atAccount(data: Readonly<Record<string, unknown>>): unknown {
  return AT_ACCOUNT_KEYS.map((key) => own(data, key))
    .find((value) => !isAbsent(value) && strip(toText(value)) !== "");
}

function atFaults({ data, path, report }: SegmentData): void {
  const isSupported = typeof data === "string" || (isObject(data) && !isBytes(data));
  if (!isSupported) return report("at_kind", path, "at类型的seg数据应该是字符串或字典");
  const account = isObject(data) ? atAccount(data) : data;
  if (!isTruthy(account) && account !== 0 && account !== false) report("at_nobody", path);
}

/** Returns a check for a segment type whose data must be an object. If the data is not an object, reports `rule`. */
function objectFaults(rule: MaibotRule): (segment: SegmentData) => void {
  return ({ type, data, path, report }) => {
    if (!isObject(data) || isBytes(data)) report(rule, path, `${type}类型的seg数据应该是字典`);
  };
}

/** The segment types that MaiBot supports, each with the check of its data. */
const DATA_CHECKS: ReadonlyMap<unknown, (segment: SegmentData) => void> = new Map([
  ["text", textFaults],
  ["reply", replyFaults],
  ["image", mediaFaults],
  ["emoji", mediaFaults],
  ["voice", mediaFaults],
  ["at", atFaults],
  ["file", objectFaults("file_kind")],
  ["dict", objectFaults("dict_kind")],
]);

/** Finds the segments of one message that MaiBot cannot convert, or converts to something that was not meant. */
class ContentCheck {
  readonly #version: MaibotVersion;
  readonly #report: Report;
  readonly #checked = new CheckedLists();

  constructor(version: MaibotVersion, report: Report) {
    this.#version = version;
    this.#report = report;
  }

  list(data: unknown, path: string, depth: number): void {
    if (!Array.isArray(data) || !this.#checked.add(data)) return;
    for (const [index, item] of data.entries()) this.segment(item, `${path}[${index}]`, depth);
  }

  /** Checks a segment. If it is a nested list, also checks its items. */
  segment(segment: unknown, path: string, depth: number): void {
    if (!isObject(segment) || depth > MAX_DEPTH) return;
    const [type, data] = [own(segment, "type"), own(segment, "data")];
    const check = DATA_CHECKS.get(type);
    if (check !== undefined) {
      return check({ type: String(type), data, path: `${path}.data`, version: this.#version, report: this.#report });
    }
    this.#report(type === "seglist" ? "list_nested" : "segment_type", `${path}.type`, unsupportedType(type));
    if (type === "seglist") this.list(data, `${path}.data`, depth + 1);
  }
}

/**
 * Finds segments that MaiBot does not support, and wrong data in the segments that it supports. Values that are not
 * segments are ignored, because {@linkcode shapeFaults} has reported them.
 */
export function contentFaults(content: unknown, path: string, version: MaibotVersion, report: Report): void {
  if (!isObject(content)) return;
  const check = new ContentCheck(version, report);
  const [type, data] = [own(content, "type"), own(content, "data")];
  if (type !== "seglist") {
    // MaiBot looks up the type of a single segment in a set. In Python, this fails for a list or a dict.
    const error = hashError(type);
    return error === null ? check.segment(content, path, 0) : report("segment_type", `${path}.type`, error);
  }
  if (data === "" || (!isAbsent(data) && typeof data === "object" && !isTruthy(data))) {
    report("list_empty", `${path}.data`);
  }
  check.list(data, `${path}.data`, 0);
}
