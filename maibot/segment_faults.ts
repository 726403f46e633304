import {
  type Fields,
  getError,
  hashError,
  isAbsent,
  isObject,
  isTruthy,
  own,
  readBase64,
  strip,
  toId,
  toText,
  typeName,
} from "./python/values.ts";
import type { MaibotRule, MaibotVersion } from "./rules.ts";
import { shorten } from "./shorten.ts";

/** Takes a fault: the rule, the path, and the text of the error that MaiBot logs, where there is one. */
export type Report = (rule: MaibotRule, path: string, said?: string) => void;

/** Bytes of the largest picture that is kept as it came: `visual.max_image_size_mb`, by default. */
const MAX_IMAGE_BYTES: Readonly<Record<MaibotVersion, number>> = { "1.3.15": 16 * 2 ** 20, "1.2.1": 30 * 2 ** 20 };

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

/** How many bytes there are; of a stream nobody knows. */
function sizeOf(data: unknown): number {
  return data instanceof Uint8Array ? data.length : data instanceof Blob ? data.size : Number.NaN;
}

/** Looks at the size of what will be, or was, base64. */
function sizeFaults(type: string, size: number, path: string, version: MaibotVersion, report: Report): void {
  if (size === 0) report("base64_empty", path);
  else if (type !== "voice" && size > MAX_IMAGE_BYTES[version]) report("image_large", path);
}

function base64Faults(type: string, data: unknown, path: string, version: MaibotVersion, report: Report): void {
  if (isBytes(data)) return sizeFaults(type, sizeOf(data), path, version, report);
  if (typeof data !== "string") return report("base64_kind", path, `${type}类型的seg数据应该是base64字符串`);
  const { error, isGarbled, size } = readBase64(data);
  if (error?.includes("ASCII")) report("base64_ascii", path, error);
  else if (error !== null) report("base64_broken", path, error);
  else if (isGarbled) report("base64_garbled", path);
  else sizeFaults(type, size, path, version, report);
}

function atFaults(data: unknown, path: string, report: Report): void {
  const isKnown = typeof data === "string" || (isObject(data) && !isBytes(data));
  if (!isKnown) return report("at_kind", path, "at类型的seg数据应该是字符串或字典");
  const id = isObject(data)
    ? AT_KEYS.map((key) => own(data, key)).find((value) => !isAbsent(value) && strip(toText(value)) !== "")
    : data;
  if (!isTruthy(id) && id !== 0 && id !== false) report("at_nobody", path);
}

function objectFault(rule: MaibotRule, type: string, data: unknown, path: string, report: Report): void {
  if (!isObject(data) || isBytes(data)) report(rule, path, `${type}类型的seg数据应该是字典`);
}

function dataFaults(type: unknown, data: unknown, path: string, version: MaibotVersion, report: Report): boolean {
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
      base64Faults(type, data, path, version, report);
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

/** Looks at the segments of one message. */
class ContentWalk {
  readonly #version: MaibotVersion;
  readonly #report: Report;
  readonly #seen = new Seen();

  constructor(version: MaibotVersion, report: Report) {
    this.#version = version;
    this.#report = report;
  }

  /** The items of a list; one that was looked into before has none. */
  list(data: unknown, path: string, depth: number = 0): void {
    if (!Array.isArray(data) || !this.#seen.isNew(data)) return;
    for (const [index, item] of data.entries()) this.item(item, `${path}[${index}]`, depth);
  }

  /** What becomes of one segment in a list, and of those in a list in it. */
  item(segment: unknown, path: string, depth: number): void {
    if (!isObject(segment) || depth > MAX_DEPTH) return;
    const [type, data] = [own(segment, "type"), own(segment, "data")];
    if (dataFaults(type, data, `${path}.data`, this.#version, this.#report)) return;
    this.#report(type === "seglist" ? "list_nested" : "segment_type", `${path}.type`, unsupported(type));
    if (type === "seglist") this.list(data, `${path}.data`, depth + 1);
  }

  /** A segment that stands alone: its type is looked up in a set. */
  alone(segment: Fields, path: string): void {
    const error = hashError(own(segment, "type"));
    if (error === null) this.item(segment, path, 0);
    else this.#report("segment_type", `${path}.type`, error);
  }
}

/** What MaiBot trips on when it turns the content into its own; the shape has been looked at before. */
export function contentFaults(segment: unknown, path: string, version: MaibotVersion, report: Report): void {
  if (!isObject(segment)) return;
  const walk = new ContentWalk(version, report);
  if (own(segment, "type") !== "seglist") return walk.alone(segment, path);
  const data = own(segment, "data");
  if (data === "" || (!isAbsent(data) && typeof data === "object" && !isTruthy(data))) {
    report("list_empty", `${path}.data`);
  }
  walk.list(data, `${path}.data`);
}
