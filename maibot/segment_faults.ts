import { getError, isAbsent, isObject, isTruthy, own, readBase64, toId, toText, typeName } from "./python.ts";
import type { MaibotRule } from "./rules.ts";
import { shorten } from "./shorten.ts";

/** Takes a fault: the rule, the path, and the text of the error that MaiBot logs, where there is one. */
export type Report = (rule: MaibotRule, path: string, said?: string) => void;

/** Lists in lists that are looked into; every level is a fault of its own. */
const MAX_DEPTH = 32;

/** Keys of an `at` object that may hold the account, the first that is not empty counts. */
const AT_KEYS = ["target_user_id", "qq", "user_id", "id"];

const unsupported = (type: unknown): string => `暂时不支持的消息片段类型: ${shorten(toText(type))}`;

/**
 * The lists that were looked into. In JSON each stands in one place; in a value made by code one may hold itself, or
 * stand in many, and is looked into once.
 */
class Seen {
  readonly #lists = new Set<unknown>();

  /** Whether a list has not been looked into before. */
  isNew(list: readonly unknown[]): boolean {
    const isNew = !this.#lists.has(list);
    this.#lists.add(list);
    return isNew;
  }
}

/** What `Seg.from_dict` trips on, before anything else of the message is looked at. */
export function shapeFaults(
  segment: unknown,
  path: string,
  report: Report,
  depth: number = 0,
  seen: Seen = new Seen(),
): void {
  if (!isObject(segment)) return report("segment_kind", path, getError(segment));
  if (own(segment, "type") !== "seglist" || depth > MAX_DEPTH) return;
  const data = own(segment, "data");
  if (Array.isArray(data)) {
    if (!seen.isNew(data)) return;
    for (const [index, item] of data.entries()) shapeFaults(item, `${path}.data[${index}]`, report, depth + 1, seen);
  } else if (typeof data === "string" || isObject(data)) {
    // Python iterates over characters or keys; of none there is an empty list.
    if (isTruthy(data)) report("list_kind", `${path}.data`, getError(""));
  } else {
    report("list_kind", `${path}.data`, `'${typeName(data)}' object is not iterable`);
  }
}

/** Whether data will be base64 once the message is sent. */
function isBytes(data: unknown): boolean {
  return data instanceof Uint8Array || data instanceof Blob || data instanceof ReadableStream;
}

function isNoBytes(data: unknown): boolean {
  return (data instanceof Uint8Array && data.length === 0) || (data instanceof Blob && data.size === 0);
}

function base64Faults(type: string, data: unknown, path: string, report: Report): void {
  if (isBytes(data)) return isNoBytes(data) ? report("base64_empty", path) : undefined;
  if (typeof data !== "string") return report("base64_kind", path, `${type}类型的seg数据应该是base64字符串`);
  const { error, isGarbled, isEmpty } = readBase64(data);
  if (error?.includes("ASCII")) report("base64_ascii", path, error);
  else if (error !== null) report("base64_broken", path, error);
  else if (isGarbled) report("base64_garbled", path);
  else if (isEmpty) report("base64_empty", path);
}

function atFaults(data: unknown, path: string, report: Report): void {
  const isKnown = typeof data === "string" || (isObject(data) && !isBytes(data));
  if (!isKnown) return report("at_kind", path, "at类型的seg数据应该是字符串或字典");
  const id = isObject(data)
    ? AT_KEYS.map((key) => own(data, key)).find((value) => !isAbsent(value) && toText(value).trim() !== "")
    : data;
  if (!isTruthy(id) && id !== 0 && id !== false) report("at_nobody", path);
}

function objectFault(rule: MaibotRule, type: string, data: unknown, path: string, report: Report): void {
  if (!isObject(data) || isBytes(data)) report(rule, path, `${type}类型的seg数据应该是字典`);
}

function dataFaults(type: unknown, data: unknown, path: string, report: Report): boolean {
  switch (type) {
    case "text":
      if (typeof data !== "string") report("text_kind", path, "text类型的seg数据应该是字符串");
      return true;
    case "reply":
      if (typeof data !== "string") report("reply_kind", path, "reply类型的seg数据应该是字符串");
      else if (toId(data) === "") report("reply_empty", path);
      return true;
    case "image":
    case "emoji":
    case "voice":
      base64Faults(type, data, path, report);
      return true;
    case "at":
      atFaults(data, path, report);
      return true;
    case "file":
    case "dict":
      objectFault(`${type}_kind`, type, data, path, report);
      return true;
    default:
      return false;
  }
}

/** What becomes of the data of one segment in a list, and of those in a list in it. */
function pieceFaults(segment: unknown, path: string, report: Report, seen: Seen, depth: number = 0): void {
  if (!isObject(segment) || depth > MAX_DEPTH) return;
  const [type, data] = [own(segment, "type"), own(segment, "data")];
  if (dataFaults(type, data, `${path}.data`, report)) return;
  report(type === "seglist" ? "list_nested" : "segment_type", `${path}.type`, unsupported(type));
  if (type !== "seglist" || !Array.isArray(data) || !seen.isNew(data)) return;
  for (const [index, item] of data.entries()) pieceFaults(item, `${path}.data[${index}]`, report, seen, depth + 1);
}

/** What MaiBot trips on when it turns the content into its own; the shape has been looked at before. */
export function contentFaults(segment: unknown, path: string, report: Report): void {
  if (!isObject(segment)) return;
  const seen = new Seen();
  if (own(segment, "type") !== "seglist") return pieceFaults(segment, path, report, seen);
  const data = own(segment, "data");
  if (data === "" || (!isAbsent(data) && typeof data === "object" && !isTruthy(data))) {
    report("list_empty", `${path}.data`);
  }
  if (!Array.isArray(data) || !seen.isNew(data)) return;
  for (const [index, item] of data.entries()) pieceFaults(item, `${path}.data[${index}]`, report, seen);
}
