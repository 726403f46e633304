/**
 * The rules of the protocol. A check returns the first member of a message that breaks a rule.
 * @module
 */

import { MAX_DEPTH } from "./limits.ts";
import { mayHoldBytes } from "./segments.ts";
import type {
  BaseMessageInfo,
  CustomMessage,
  FormatInfo,
  GroupInfo,
  MessageBase,
  Seg,
  TemplateInfo,
  UserInfo,
} from "./types.ts";
import * as values from "../util/values.ts";

type Infos = BaseMessageInfo & UserInfo & GroupInfo & FormatInfo & TemplateInfo;
/** An object that may have any member of a message. */
type Members = { readonly [Name in keyof (MessageBase & CustomMessage & Infos & Seg)]?: unknown };

// The imported functions are copied to constants of this module. V8 15 looks up an import at each use, and these
// lookups would take an eighth of the time of a check.
const { describeType, isAbsent, isByteSource, isFilled } = values;
const isObject: (value: unknown) => value is Members = values.isObject;

/** The first fault found in a value that should be a message. */
export interface MessageIssue {
  /** `too_deep` if segment lists are nested deeper than the limit, otherwise `invalid_shape`. */
  code: "invalid_shape" | "too_deep";
  /** JSON path of the faulty member, such as `$.message_segment.data[0].data`. */
  path: string;
  /** Description of a valid value. */
  expected: string;
  /** Type of the value that was found, never the value itself: `undefined`, `null`, `array`, `string`, ... */
  received: string;
}

/** Options of {@linkcode messageIssue}. */
export interface MessageIssueOptions {
  /**
   * How deep segment lists may be nested inside one another. A message whose content is one flat list has the depth 1.
   *
   * @default {32}
   */
  maxDepth?: number;
}

// ---------------------------------------------------------------------------------------------- modes

/** What is known about a value before it is checked. It decides which checks the value needs. */
interface Mode {
  /** True for a decoded message. Its ids must be strings. */
  readonly isDecoded: boolean;
  /** True for a message to be sent. It may hold bytes instead of base64. */
  readonly isOutgoing: boolean;
  /** Set to true when bytes are found instead of base64. */
  holdsBytes: boolean;
  /**
   * True for a result of `JSON.parse`: its objects inherit only from `Object.prototype`. Prototypes are then not
   * checked.
   */
  readonly isParsed: boolean;
  /** True if `Object.prototype` has no member of a message, as usual. Objects may then inherit from it. */
  readonly isClean: boolean;
}

const ANY: Mode = { isDecoded: false, isOutgoing: false, holdsBytes: false, isParsed: false, isClean: true };
const ANY_POLLUTED: Mode = {
  isDecoded: false,
  isOutgoing: false,
  holdsBytes: false,
  isParsed: false,
  isClean: false,
};
const PARSED: Mode = { isDecoded: false, isOutgoing: false, holdsBytes: false, isParsed: true, isClean: true };
const DECODED: Mode = { isDecoded: true, isOutgoing: false, holdsBytes: false, isParsed: false, isClean: true };
const DECODED_POLLUTED: Mode = {
  isDecoded: true,
  isOutgoing: false,
  holdsBytes: false,
  isParsed: false,
  isClean: false,
};

/** An object that inherits only from `Object.prototype`, as parsed objects do. */
const PLAIN: object = {};

/**
 * Returns true if `Object.prototype` has a member of a message. All names are written out, because JavaScript engines
 * can compile this form to a constant.
 */
function isPolluted(): boolean {
  return "message_info" in PLAIN || "message_segment" in PLAIN || "raw_message" in PLAIN || "platform" in PLAIN ||
    "message_id" in PLAIN || "time" in PLAIN || "user_info" in PLAIN || "group_info" in PLAIN ||
    "format_info" in PLAIN || "template_info" in PLAIN || "sender_info" in PLAIN || "receiver_info" in PLAIN ||
    "user_id" in PLAIN || "user_nickname" in PLAIN || "user_cardname" in PLAIN || "group_id" in PLAIN ||
    "group_name" in PLAIN || "content_format" in PLAIN || "accept_format" in PLAIN || "template_name" in PLAIN ||
    "type" in PLAIN || "data" in PLAIN || "is_custom_message" in PLAIN || "message_type_name" in PLAIN ||
    "content" in PLAIN;
}

// These functions choose the mode before a check starts. The check itself does not call them, because V8 15 inlines
// only a limited amount of code into one function, and `isPolluted` is long.
const anyMode = (): Mode => isPolluted() ? ANY_POLLUTED : ANY;
const parsedMode = (): Mode => isPolluted() ? ANY_POLLUTED : PARSED;
const decodedMode = (): Mode => isPolluted() ? DECODED_POLLUTED : DECODED;

/**
 * Returns an object with only the own members of an object: the object itself if it can inherit no member of a
 * message, otherwise a copy without a prototype.
 *
 * Before each call, the caller reads one member by its name, as in `void value.platform`. V8 15 then knows the shape of
 * the object, and reading its prototype costs nothing. Without this read, the check of a message takes twice the time.
 */
function ownView(object: Members, mode: Mode): Members {
  if (mode.isParsed) return object;
  const prototype = Object.getPrototypeOf(object);
  if (mode.isClean ? prototype === Object.prototype || prototype === null : prototype === null) return object;
  return Object.create(null, Object.getOwnPropertyDescriptors(object));
}

// ---------------------------------------------------------------------------------------------- faults

/** Makes an issue with the code `invalid_shape`. */
function shapeIssue(path: string, expected: string, value: unknown): MessageIssue {
  return { code: "invalid_shape", path, expected, received: describeType(value) };
}

function tooDeep(path: string, received: string): MessageIssue {
  return { code: "too_deep", path, expected: "fewer nested segment lists", received };
}

/** Puts a prefix before the path of an issue. */
function below(issue: MessageIssue | null, prefix: string): MessageIssue | null {
  return issue === null ? null : { ...issue, path: prefix + issue.path };
}

// ---------------------------------------------------------------------------------------------- infos

const isText = (value: unknown): boolean => typeof value === "string" || isAbsent(value);
const isTime = (value: unknown): boolean => Number.isFinite(value) || isAbsent(value);
/** Returns true if a value is an id: a string, a number or absent. A decoded id is never a number. */
const isId = (value: unknown, { isDecoded }: Mode): boolean =>
  isText(value) || (!isDecoded && typeof value === "number" && !Number.isNaN(value));

function textFault(value: unknown, path: string): MessageIssue | null {
  return isText(value) ? null : shapeIssue(path, "a string, null or absent", value);
}

function idFault(value: unknown, path: string, mode: Mode): MessageIssue | null {
  if (isId(value, mode)) return null;
  return shapeIssue(path, mode.isDecoded ? "a string, null or absent" : "a string, number, null or absent", value);
}

// Callers of the functions below call them only for a value that is not absent. Checking this in the caller is faster
// than a call.

function userFault(value: unknown, path: string, mode: Mode): MessageIssue | null {
  if (!isObject(value)) return shapeIssue(path, "an object, null or absent", value);
  void value.platform;
  const user = ownView(value, mode);
  return below(
    textFault(user.platform, ".platform") ?? idFault(user.user_id, ".user_id", mode) ??
      textFault(user.user_nickname, ".user_nickname") ?? textFault(user.user_cardname, ".user_cardname"),
    path,
  );
}

function groupFault(value: unknown, path: string, mode: Mode): MessageIssue | null {
  if (!isObject(value)) return shapeIssue(path, "an object, null or absent", value);
  void value.platform;
  const group = ownView(value, mode);
  return below(
    textFault(group.platform, ".platform") ?? idFault(group.group_id, ".group_id", mode) ??
      textFault(group.group_name, ".group_name"),
    path,
  );
}

function areTexts(items: readonly unknown[]): boolean {
  for (let index = 0; index < items.length; index++) {
    if (typeof items[index] !== "string") return false;
  }
  return true;
}

function namesFault(value: unknown, path: string): MessageIssue | null {
  if (isAbsent(value) || (Array.isArray(value) && areTexts(value))) return null;
  return shapeIssue(path, "an array of strings, null or absent", value);
}

function formatFault(value: unknown, path: string, mode: Mode): MessageIssue | null {
  if (!isObject(value)) return shapeIssue(path, "an object, null or absent", value);
  void value.content_format;
  const format = ownView(value, mode);
  return below(
    namesFault(format.content_format, ".content_format") ?? namesFault(format.accept_format, ".accept_format"),
    path,
  );
}

function templateFault(value: unknown, path: string, mode: Mode): MessageIssue | null {
  if (!isObject(value)) return shapeIssue(path, "an object, null or absent", value);
  void value.template_name;
  const { template_name: name } = ownView(value, mode);
  if (isText(name) || isObject(name)) return null;
  return shapeIssue(`${path}.template_name`, "a string, object, null or absent", name);
}

function partyFault(value: unknown, path: string, mode: Mode): MessageIssue | null {
  if (!isObject(value)) return shapeIssue(path, "an object, null or absent", value);
  void value.group_info;
  const { group_info: group, user_info: user } = ownView(value, mode);
  return below(
    (isAbsent(group) ? null : groupFault(group, ".group_info", mode)) ??
      (isAbsent(user) ? null : userFault(user, ".user_info", mode)),
    path,
  );
}

function infoFault(value: Members, mode: Mode): MessageIssue | null {
  void value.platform;
  const info = ownView(value, mode);
  const { platform, time } = info;
  if (!isFilled(platform)) return shapeIssue(".platform", "a non-empty string", platform);
  const id = idFault(info.message_id, ".message_id", mode);
  if (id !== null) return id;
  if (!isTime(time)) return shapeIssue(".time", "a finite number, null or absent", time);
  const {
    group_info: group,
    user_info: user,
    format_info: format,
    template_info: template,
    sender_info: sender,
    receiver_info: receiver,
  } = info;
  return (isAbsent(group) ? null : groupFault(group, ".group_info", mode)) ??
    (isAbsent(user) ? null : userFault(user, ".user_info", mode)) ??
    (isAbsent(format) ? null : formatFault(format, ".format_info", mode)) ??
    (isAbsent(template) ? null : templateFault(template, ".template_info", mode)) ??
    (isAbsent(sender) ? null : partyFault(sender, ".sender_info", mode)) ??
    (isAbsent(receiver) ? null : partyFault(receiver, ".receiver_info", mode));
}

// ---------------------------------------------------------------------------------------------- segments

function segmentFault(value: unknown, maxDepth: number, mode: Mode): MessageIssue | null {
  if (!isObject(value)) return shapeIssue("", "a segment object", value);
  void value.type;
  const { type, data } = ownView(value, mode);
  if (type === "seglist") return listFault(data, maxDepth, mode);
  if (typeof type !== "string") return shapeIssue(".type", "a string", type);
  // Most segments have a string as data, which is valid for every type except `seglist`.
  if (typeof data === "string") return null;
  // These are the rules of the table in segments.ts again, because a switch is faster than the table. A test checks
  // that both agree.
  switch (type) {
    case "image":
    case "emoji":
    case "voice":
    case "text":
    case "reply":
      return stringFault(type, data, mode);
    case "at":
      return isObject(data) ? null : shapeIssue(".data", "a string or object", data);
    default:
      return null;
  }
}

/**
 * Checks data that should be a string but is not. In a message to be sent, bytes are allowed instead; anything else is
 * an issue.
 */
function stringFault(type: string, data: unknown, mode: Mode): MessageIssue | null {
  if (!mode.isOutgoing || !mayHoldBytes(type) || !isByteSource(data)) return shapeIssue(".data", "a string", data);
  mode.holdsBytes = true;
  return null;
}

/**
 * Returns true if a segment is not a list, has a string as data and inherits no member of a message. Such a segment is
 * valid and needs no other check.
 *
 * A segment without `data` is rare. The function excludes it first, so that V8 15 keeps its fast path for all other
 * segments.
 */
function isTextSegment(item: unknown, { isParsed, isClean }: Mode): boolean {
  if (typeof item !== "object" || item === null || !("data" in item)) return false;
  const { type, data } = item as Members;
  return typeof data === "string" && typeof type === "string" && type !== "seglist" &&
    (isParsed || (isClean && Object.getPrototypeOf(item) === Object.prototype));
}

function listFault(data: unknown, maxDepth: number, mode: Mode): MessageIssue | null {
  if (!Array.isArray(data)) return shapeIssue(".data", "an array of segments", data);
  if (maxDepth < 1) return tooDeep(".data", "array");
  for (let index = 0; index < data.length; index++) {
    const item: unknown = data[index];
    if (isTextSegment(item, mode)) continue;
    const issue = segmentFault(item, maxDepth - 1, mode);
    if (issue !== null) return below(issue, `.data[${index}]`);
  }
  return null;
}

// ---------------------------------------------------------------------------------------------- messages

function ordinaryFault(message: Members, maxDepth: number, mode: Mode): MessageIssue | null {
  const { message_info, message_segment, raw_message } = message;
  if (!isObject(message_info)) return shapeIssue("$.message_info", "an object", message_info);
  return below(infoFault(message_info, mode), "$.message_info") ??
    below(segmentFault(message_segment, maxDepth, mode), "$.message_segment") ??
    textFault(raw_message, "$.raw_message");
}

/** Like {@linkcode ordinaryFault}, but does not check the segment. */
function envelopeFault(message: Members, mode: Mode): MessageIssue | null {
  const { message_info, raw_message } = message;
  if (!isObject(message_info)) return shapeIssue("$.message_info", "an object", message_info);
  return below(infoFault(message_info, mode), "$.message_info") ?? textFault(raw_message, "$.raw_message");
}

function customFault({ message_type_name: name, content, platform }: Members): MessageIssue | null {
  if (!isFilled(name)) return shapeIssue("$.message_type_name", "a non-empty string", name);
  if (content === undefined || typeof content === "function" || typeof content === "symbol") {
    return shapeIssue("$.content", "any JSON value", content);
  }
  return textFault(platform, "$.platform");
}

/**
 * Makes the issue for an error that was thrown during a check. A guard must not throw, so the error becomes an issue. A
 * `RangeError` means a full stack: the value is nested too deep. Any other error comes from a getter or a proxy.
 */
function trapFault(error: unknown, path: string): MessageIssue {
  return error instanceof RangeError ? tooDeep(path, "object") : shapeIssue(path, "plain data", undefined);
}

type Shape = "ordinary" | "custom" | "any";

/** Checks a whole message. Never throws. */
function check(value: unknown, shape: Shape, maxDepth: number, mode: Mode): MessageIssue | null {
  try {
    if (!isObject(value)) return shapeIssue("$", "an object", value);
    void value.message_info;
    const message = ownView(value, mode);
    const isCustom = message.is_custom_message === true;
    if (shape === (isCustom ? "ordinary" : "custom")) {
      return shapeIssue("$.is_custom_message", isCustom ? "anything but true" : "true", value);
    }
    return isCustom ? customFault(message) : ordinaryFault(message, maxDepth, mode);
  } catch (error) {
    return trapFault(error, "$");
  }
}

// ---------------------------------------------------------------------------------------------- exports

/**
 * Finds the first rule of the protocol that a value breaks.
 *
 * The rules are as tolerant as the deployed peers: ids may be numbers, every optional member may be `null`, and unknown
 * members and segment types are accepted. Inherited properties are ignored. Never throws.
 *
 * @param value Any value, usually from `JSON.parse`.
 * @param options The nesting limit.
 * @returns The first issue that was found; `null` if the value is an ordinary or a custom message.
 *
 * @example Find the fault
 * ```ts
 * import { messageIssue } from "@maim/message/schema";
 *
 * const issue = messageIssue({ message_info: { platform: "qq" }, message_segment: { type: "text", data: 1 } });
 * console.log(issue?.path, issue?.expected); // $.message_segment.data a string
 * ```
 */
export function messageIssue(value: unknown, { maxDepth = MAX_DEPTH }: MessageIssueOptions = {}): MessageIssue | null {
  return check(value, "any", maxDepth, anyMode());
}

/** Like {@linkcode messageIssue}, but faster and only for a result of `JSON.parse`, whose prototypes need no check. */
export function parsedIssue(value: unknown, maxDepth: number): MessageIssue | null {
  return check(value, "any", maxDepth, parsedMode());
}

/** The result of {@linkcode checkOutgoing}. */
export interface OutgoingCheck {
  readonly issue: MessageIssue | null;
  /** True if the message holds bytes where the rules demand base64. */
  readonly holdsBytes: boolean;
}

const VALID_WITHOUT_BYTES: OutgoingCheck = { issue: null, holdsBytes: false };

/** Like {@linkcode messageIssue}, but for a message to be sent, which may hold bytes instead of base64. */
export function checkOutgoing(value: unknown): OutgoingCheck {
  // Nearly every message holds no bytes, so the first check does not allow them. Its mode is shared with other
  // functions, which makes the check faster in Bun 1.4.
  return check(value, "any", MAX_DEPTH, anyMode()) === null ? VALID_WITHOUT_BYTES : checkWithBytes(value);
}

function checkWithBytes(value: unknown): OutgoingCheck {
  const mode = { isDecoded: false, isOutgoing: true, holdsBytes: false, isParsed: false, isClean: !isPolluted() };
  const issue = check(value, "any", MAX_DEPTH, mode);
  return { issue, holdsBytes: mode.holdsBytes };
}

/**
 * Like {@linkcode messageIssue}, but for a decoded message: its ids must be strings, and it must be an ordinary or a
 * custom message, as `shape` says.
 */
export function decodedIssue(value: unknown, shape: "ordinary" | "custom"): MessageIssue | null {
  return check(value, shape, MAX_DEPTH, decodedMode());
}

/** Like {@linkcode messageIssue}, but does not check the segment of an ordinary message. */
export function envelopeIssue(value: unknown): MessageIssue | null {
  try {
    if (!isObject(value)) return shapeIssue("$", "an object", value);
    const mode = anyMode();
    const message = ownView(value, mode);
    return message.is_custom_message === true ? customFault(message) : envelopeFault(message, mode);
  } catch (error) {
    return trapFault(error, "$");
  }
}

/**
 * Finds the first rule that a segment breaks. Never throws.
 *
 * @param value Any value.
 * @param path JSON path of the segment, for the issue.
 * @param maxDepth How deep segment lists may be nested. If the segment itself is a list, it counts as the first level.
 */
export function segmentIssue(value: unknown, path: string, maxDepth: number = MAX_DEPTH): MessageIssue | null {
  try {
    return below(segmentFault(value, maxDepth, anyMode()), path);
  } catch (error) {
    return trapFault(error, path);
  }
}

/** Returns true if a value is a segment. An error that a getter or a proxy throws is not caught. */
export function isSegment(value: unknown): boolean {
  return segmentFault(value, MAX_DEPTH, anyMode()) === null;
}

/**
 * Returns an object with only the own members of a segment; null if the value is not a segment. An error that a getter
 * or a proxy throws is not caught.
 */
export function ownSegment(value: unknown): Members | null {
  const mode = anyMode();
  // A value without a fault is an object, so the cast is safe.
  return segmentFault(value, MAX_DEPTH, mode) === null ? ownView(value as Members, mode) : null;
}

/**
 * Returns an object with only the own members of an object: the object itself if it can inherit no member of a
 * message, otherwise a copy.
 */
export function ownMembers(object: Members): Members {
  return ownView(object, anyMode());
}
