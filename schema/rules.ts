import { isRouteName, routeOf, withRoute } from "./route.ts";

// ---------------------------------------------------------------------------------------------- types

/** Who wrote or receives a message. Source: maim_message 0.6.8, message_base.py, UserInfo. */
export interface UserInfo {
  /** Platform the account belongs to. */
  platform?: string | null;
  /** Account id, unique on its platform. A number on the wire is a string after decoding. */
  user_id?: string | null;
  /** Display name. MaiBot 1.2.1 drops a message without it. */
  user_nickname?: string | null;
  /** Name inside the group. */
  user_cardname?: string | null;
}

/** The group a message was written in. Source: maim_message 0.6.8, message_base.py, GroupInfo. */
export interface GroupInfo {
  /** Platform the group belongs to. */
  platform?: string | null;
  /** Group id, unique on its platform. A number on the wire is a string after decoding. */
  group_id?: string | null;
  /** Display name. MaiBot 1.2.1 drops a group message without it. */
  group_name?: string | null;
}

/** Segment types a message contains and its sender accepts. */
export interface FormatInfo {
  /** Types inside this message. */
  content_format?: string[] | null;
  /** Types the sender can show. */
  accept_format?: string[] | null;
}

/** Prompt template that goes with a message. */
export interface TemplateInfo {
  /** Template texts by name; any JSON on the wire. */
  template_items?: unknown;
  /** A name, or an object of names as the reference types it. */
  template_name?: string | Record<string, unknown> | null;
  /** Whether the default template is used; any JSON on the wire. */
  template_default?: unknown;
}

/** One end of a message, since maim_message 0.5.0. */
export interface PartyInfo {
  /** The group on this end. */
  group_info?: GroupInfo | null;
  /** The account on this end. */
  user_info?: UserInfo | null;
}

/** The sending end, since maim_message 0.5.0. */
export type SenderInfo = PartyInfo;

/** The receiving end, since maim_message 0.5.0. */
export type ReceiverInfo = PartyInfo;

/** Everything about a message but its content. Source: maim_message 0.6.8, message_base.py, BaseMessageInfo. */
export interface BaseMessageInfo {
  /** Platform the message comes from or goes to; the routing key, compared exactly. */
  platform: string;
  /** Unique on its platform. A number on the wire is a string after decoding. */
  message_id?: string | null;
  /** Unix time in seconds, fractions allowed. */
  time?: number | null;
  /** The group, absent in a private chat. */
  group_info?: GroupInfo | null;
  /** The author. In what MaiBot sends, the bot itself. */
  user_info?: UserInfo | null;
  /** Segment types used and accepted. */
  format_info?: FormatInfo | null;
  /** Prompt template. */
  template_info?: TemplateInfo | null;
  /** Free data, an object by custom, any JSON on the wire. */
  additional_config?: unknown;
  /** The sending end. */
  sender_info?: SenderInfo | null;
  /** The receiving end. */
  receiver_info?: ReceiverInfo | null;
}

/** Data of a `file` segment. Source: protocol inventory of MaiBot 1.2.1 and the NapCat adapter. */
export interface FileData {
  /** File name. */
  name?: string;
  /** Size in bytes. */
  size?: number;
  /** Where it can be fetched. */
  url?: string;
  /** Id on the platform. */
  file_id?: string;
  /** Media type. */
  mime_type?: string;
  /** The content, base64 without a prefix. */
  base64?: string;
}

/** Data of each known segment type, as the deployed peers send it. */
export interface SegDataMap {
  /** Plain text. */
  text: string;
  /** Base64 of an image, no prefix. */
  image: string;
  /** Base64 of a sticker; the seed also allows a Unicode emoji, which MaiBot drops. */
  emoji: string;
  /** Base64 of audio (wav). */
  voice: string;
  /** Base64 of a video. */
  video: string;
  /** Account id, or an object that holds one. */
  at: string | Record<string, unknown>;
  /** Id of the message replied to. */
  reply: string;
  /** A file; older adapters send a bare path. */
  file: FileData | string;
  /** Any object. MaiBot wraps command, music and video in one. */
  dict: Record<string, unknown>;
  /** QQ face id. */
  face: string | number;
  /** The messages of a merged forward. */
  forward: unknown[];
  /** Segments in order. */
  seglist: Seg[];
  /** URL of an image. */
  imageurl: string;
  /** URL of a video. */
  videourl: string;
  /** URL of audio. */
  voiceurl: string;
  /** Song id, or `{ type, id }`. */
  music: string | Record<string, unknown>;
  /** `{ name, args }`. */
  command: Record<string, unknown>;
  /** `{ sub_type, ... }`. */
  notify: Record<string, unknown>;
}

/** The segment types with a known shape of data. */
export type SegType = keyof SegDataMap;

/** One piece of content. The union is open: an unknown type carries any JSON and passes unchanged. */
export interface Seg {
  /** One of {@linkcode SegType}, or any other name. */
  type: SegType | (string & Record<never, never>);
  /** Shape by type; narrow with {@linkcode isSeg}. */
  data?: unknown;
}

/** A segment of one known type. */
export interface SegOf<T extends SegType> extends Seg {
  /** The type's name. */
  type: T;
  /** Data of that type. */
  data: SegDataMap[T];
}

/** An ordinary message. Source: maim_message 0.6.8, message_base.py, MessageBase. */
export interface MessageBase {
  /** Who, where, when. */
  message_info: BaseMessageInfo;
  /** The content, a `seglist` by custom. */
  message_segment: Seg;
  /** The content flattened to text. */
  raw_message?: string | null;
  /**
   * The bot's own account on the platform, a string: the message was written to it, or is sent by it. Any JSON on the
   * wire. MaiBot 1.3.10 and later answers no message that lacks it. Source: MaiBot 1.3.15, route_key_factory.py.
   */
  account_id?: unknown;
  /** Tells apart several connections of one account, a string. Any JSON on the wire. Source: as `account_id`. */
  scope?: unknown;
}

/** A message of a type of your own, routed by name. Source: maim_message 0.6.8, api.py, send_custom_message. */
export interface CustomMessage {
  /** Client to server: the client's own platform. Server to client: the target. */
  platform?: string | null;
  /** Name that picks the handler. */
  message_type_name: string;
  /** Any JSON. */
  content: unknown;
  /** Python peers send the event loop's monotonic clock in seconds: never a date. */
  timestamp?: unknown;
  /** Always true. */
  is_custom_message: true;
}

/** Whatever one text frame carries. */
export type WireMessage = MessageBase | CustomMessage;

// ---------------------------------------------------------------------------------------------- walk

/** The first fault found in a value that should be a message. */
export interface MessageIssue {
  /** `too_deep` when segment lists nest beyond the limit, else `invalid_shape`. */
  code: "invalid_shape" | "too_deep";
  /** JSON path of the member at fault, as `$.message_segment.data[0].data`. */
  path: string;
  /** What belongs there. */
  expected: string;
  /** Kind of what stands there, never its value: `undefined`, `null`, `array`, `string`, ... */
  received: string;
}

/** Options of {@linkcode messageIssue}. */
export interface MessageIssueOptions {
  /**
   * How many segment lists may stand inside one another.
   *
   * @default {32}
   */
  maxDepth?: number;
  /**
   * Whether the value comes straight from `JSON.parse`: it inherits nothing of its own then, and the walk is shorter.
   *
   * @default {false}
   */
  isParsed?: boolean;
}

type Fields = Record<string, unknown>;

function isObject(value: unknown): value is Fields {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

/** What an object of `{}` and of JSON inherits. */
const BLANK: object = {};

/** Whether somebody has put a member of ours on `Object.prototype`. Spelled out, engines fold it to a constant. */
function isPolluted(): boolean {
  return "message_info" in BLANK || "message_segment" in BLANK || "raw_message" in BLANK || "platform" in BLANK ||
    "message_id" in BLANK || "time" in BLANK || "user_info" in BLANK || "group_info" in BLANK ||
    "format_info" in BLANK || "template_info" in BLANK || "sender_info" in BLANK || "receiver_info" in BLANK ||
    "user_id" in BLANK || "user_nickname" in BLANK || "user_cardname" in BLANK || "group_id" in BLANK ||
    "group_name" in BLANK || "content_format" in BLANK || "accept_format" in BLANK || "template_name" in BLANK ||
    "type" in BLANK || "data" in BLANK || "is_custom_message" in BLANK || "message_type_name" in BLANK ||
    "content" in BLANK;
}

/** What the walk knows of a value beforehand. */
interface Source {
  /** Whether it should have been decoded: then no id is a number. */
  readonly isDecoded: boolean;
  /** Whether it comes straight from `JSON.parse`, and nothing it could inherit is a member of ours. */
  readonly isParsed: boolean;
  /** Whether `Object.prototype` has no member of ours: objects that inherit from it alone are as good as parsed. */
  readonly isClean: boolean;
}
const PARSED: Source = { isDecoded: false, isParsed: true, isClean: true };
const DECODED: Source = { isDecoded: true, isParsed: false, isClean: true };
const DECODED_POLLUTED: Source = { isDecoded: true, isParsed: false, isClean: false };
const ANY: Source = { isDecoded: false, isParsed: false, isClean: true };
const ANY_POLLUTED: Source = { isDecoded: false, isParsed: false, isClean: false };

// Asked once a walk: a question of 25 members.
const decoded = (): Source => isPolluted() ? DECODED_POLLUTED : DECODED;
const any = (isParsed: boolean): Source => isPolluted() ? ANY_POLLUTED : isParsed ? PARSED : ANY;

/**
 * An object of which every member that is read is its own: itself where nothing is inherited, else a copy.
 *
 * `first` is any member, read by name just before: V8 15 then knows the shape, and the prototype costs nothing.
 */
function ownView(object: Fields, _first: unknown, source: Source): Fields {
  if (source.isParsed) return object;
  const prototype = Object.getPrototypeOf(object);
  if (source.isClean ? prototype === Object.prototype || prototype === null : prototype === null) return object;
  return Object.create(null, Object.getOwnPropertyDescriptors(object));
}

function kind(value: unknown): string {
  if (value === null) return "null";
  if (Array.isArray(value)) return "array";
  if (typeof value === "number" && !Number.isFinite(value)) return "non-finite number";
  return typeof value === "string" && value === "" ? "empty string" : typeof value;
}

function fault(path: string, expected: string, value: unknown): MessageIssue {
  return { code: "invalid_shape", path, expected, received: kind(value) };
}

function below(issue: MessageIssue | null, prefix: string): MessageIssue | null {
  return issue === null ? null : { ...issue, path: prefix + issue.path };
}

const isAbsent = (value: unknown): value is null | undefined => value === undefined || value === null;
const isName = (value: unknown): value is string => typeof value === "string" && value !== "";
const isText = (value: unknown): boolean => typeof value === "string" || isAbsent(value);
const isTime = (value: unknown): boolean => Number.isFinite(value) || isAbsent(value);
/** Ids come as strings, numbers or nothing; only decoded ones are never numbers. */
const isId = (value: unknown, { isDecoded }: Source): boolean =>
  isText(value) || (!isDecoded && typeof value === "number" && !Number.isNaN(value));

function textFault(value: unknown, path: string): MessageIssue | null {
  return isText(value) ? null : fault(path, "a string, null or nothing", value);
}

function idFault(value: unknown, path: string, source: Source): MessageIssue | null {
  if (isId(value, source)) return null;
  return fault(path, source.isDecoded ? "a string, null or nothing" : "a string, number, null or nothing", value);
}

/** Like those of a group, format, template and party, of a member that is there: a call costs more than the question. */
function userFault(value: unknown, path: string, source: Source): MessageIssue | null {
  if (!isObject(value)) return fault(path, "an object, null or nothing", value);
  const user = ownView(value, value.platform, source);
  return below(
    textFault(user.platform, ".platform") ?? idFault(user.user_id, ".user_id", source) ??
      textFault(user.user_nickname, ".user_nickname") ?? textFault(user.user_cardname, ".user_cardname"),
    path,
  );
}

function groupFault(value: unknown, path: string, source: Source): MessageIssue | null {
  if (!isObject(value)) return fault(path, "an object, null or nothing", value);
  const group = ownView(value, value.platform, source);
  return below(
    textFault(group.platform, ".platform") ?? idFault(group.group_id, ".group_id", source) ??
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
  return fault(path, "an array of strings, null or nothing", value);
}

function formatFault(value: unknown, path: string, source: Source): MessageIssue | null {
  if (!isObject(value)) return fault(path, "an object, null or nothing", value);
  const format = ownView(value, value.content_format, source);
  return below(
    namesFault(format.content_format, ".content_format") ?? namesFault(format.accept_format, ".accept_format"),
    path,
  );
}

function templateFault(value: unknown, path: string, source: Source): MessageIssue | null {
  if (!isObject(value)) return fault(path, "an object, null or nothing", value);
  const { template_name: name } = ownView(value, value.template_name, source);
  if (isText(name) || isObject(name)) return null;
  return fault(`${path}.template_name`, "a string, object, null or nothing", name);
}

function partyFault(value: unknown, path: string, source: Source): MessageIssue | null {
  if (!isObject(value)) return fault(path, "an object, null or nothing", value);
  const { group_info: group, user_info: user } = ownView(value, value.group_info, source);
  return below(
    (isAbsent(group) ? null : groupFault(group, ".group_info", source)) ??
      (isAbsent(user) ? null : userFault(user, ".user_info", source)),
    path,
  );
}

function infoFault(value: Fields, source: Source): MessageIssue | null {
  const info = ownView(value, value.platform, source);
  const { platform, time } = info;
  if (!isName(platform)) return fault(".platform", "a non-empty string", platform);
  const id = idFault(info.message_id, ".message_id", source);
  if (id !== null) return id;
  if (!isTime(time)) return fault(".time", "a finite number, null or nothing", time);
  const {
    group_info: group,
    user_info: user,
    format_info: format,
    template_info: template,
    sender_info: sender,
    receiver_info: receiver,
  } = info;
  return (isAbsent(group) ? null : groupFault(group, ".group_info", source)) ??
    (isAbsent(user) ? null : userFault(user, ".user_info", source)) ??
    (isAbsent(format) ? null : formatFault(format, ".format_info", source)) ??
    (isAbsent(template) ? null : templateFault(template, ".template_info", source)) ??
    (isAbsent(sender) ? null : partyFault(sender, ".sender_info", source)) ??
    (isAbsent(receiver) ? null : partyFault(receiver, ".receiver_info", source));
}

function segFault(value: unknown, room: number, source: Source): MessageIssue | null {
  if (!isObject(value)) return fault("", "a segment object", value);
  const { type, data } = ownView(value, value.type, source);
  if (type === "seglist") return listFault(data, room, source);
  if (typeof type !== "string") return fault(".type", "a string", type);
  // What most segments carry, and right for every other type.
  if (typeof data === "string") return null;
  switch (type) {
    case "text":
    case "image":
    case "emoji":
    case "voice":
    case "reply":
      return fault(".data", "a string", data);
    case "at":
      return isObject(data) ? null : fault(".data", "a string or object", data);
    default:
      return null;
  }
}

/**
 * Whether a value is a segment that carries text and inherits nothing: right without a further look.
 *
 * The rare item without data is turned away before its shape is seen, so that V8 15 goes on expecting the usual one.
 */
function isPlainText(item: unknown, { isParsed, isClean }: Source): boolean {
  if (typeof item !== "object" || item === null || !("data" in item)) return false;
  const { type, data } = item as Fields;
  return typeof data === "string" && typeof type === "string" && type !== "seglist" &&
    (isParsed || (isClean && Object.getPrototypeOf(item) === Object.prototype));
}

function listFault(data: unknown, room: number, source: Source): MessageIssue | null {
  if (!Array.isArray(data)) return fault(".data", "an array of segments", data);
  if (room < 1) return { code: "too_deep", path: ".data", expected: "fewer nested segment lists", received: "array" };
  for (let index = 0; index < data.length; index++) {
    const item: unknown = data[index];
    if (isPlainText(item, source)) continue;
    const issue = segFault(item, room - 1, source);
    if (issue !== null) return below(issue, `.data[${index}]`);
  }
  return null;
}

function baseFault(message: Fields, maxDepth: number, source: Source): MessageIssue | null {
  const { message_info, message_segment, raw_message } = message;
  if (!isObject(message_info)) return fault("$.message_info", "an object", message_info);
  return below(infoFault(message_info, source), "$.message_info") ??
    below(segFault(message_segment, maxDepth, source), "$.message_segment") ??
    textFault(raw_message, "$.raw_message");
}

function customFault({ message_type_name: name, content, platform }: Fields): MessageIssue | null {
  if (!isName(name)) return fault("$.message_type_name", "a non-empty string", name);
  if (content === undefined || typeof content === "function" || typeof content === "symbol") {
    return fault("$.content", "any JSON value", content);
  }
  return textFault(platform, "$.platform");
}

type Wanted = "base" | "custom" | "any";

/** The one walk behind every face. */
function walk(value: unknown, wanted: Wanted, maxDepth: number, source: Source): MessageIssue | null {
  try {
    if (!isObject(value)) return fault("$", "an object", value);
    const message = ownView(value, value.message_info, source);
    const isCustom = message.is_custom_message === true;
    if (wanted !== "any" && isCustom !== (wanted === "custom")) {
      return fault("$.is_custom_message", wanted === "custom" ? "true" : "anything but true", value);
    }
    return isCustom ? customFault(message) : baseFault(message, maxDepth, source);
  } catch (error) {
    // A getter or proxy that throws is a fault like any other: guards must not throw.
    if (!(error instanceof RangeError)) return fault("$", "plain data", undefined);
    return { code: "too_deep", path: "$", expected: "fewer nested segment lists", received: "object" };
  }
}

/**
 * Finds the first rule of the wire that a value breaks.
 *
 * The rules are as tolerant as the deployed peers: ids may be numbers, every optional member may be `null`, unknown
 * members and segment types pass. Only own properties count. Never throws.
 *
 * @param value Any value, usually from `JSON.parse`.
 * @param options The nesting limit.
 * @returns The first issue in wire order, or `null` when the value is an ordinary or custom message.
 *
 * @example Where is the fault?
 * ```ts
 * import { messageIssue } from "@maim/message/schema";
 *
 * const issue = messageIssue({ message_info: { platform: "qq" }, message_segment: { type: "text", data: 1 } });
 * console.log(issue?.path, issue?.expected); // $.message_segment.data a string
 * ```
 */
export function messageIssue(
  value: unknown,
  { maxDepth = 32, isParsed = false }: MessageIssueOptions = {},
): MessageIssue | null {
  return walk(value, "any", maxDepth, any(isParsed));
}

/**
 * Tells whether a value is an ordinary message whose ids are strings, as {@linkcode decodeMessage} returns it.
 *
 * Never throws; a custom message is not one.
 *
 * @param value Any value.
 * @returns Whether it is a {@linkcode MessageBase}.
 *
 * @example Guard
 * ```ts
 * import { isMessageBase } from "@maim/message/schema";
 *
 * const value: unknown = { message_info: { platform: "qq" }, message_segment: { type: "text", data: "hi" } };
 * console.log(isMessageBase(value)); // true
 * ```
 */
export function isMessageBase(value: unknown): value is MessageBase {
  return walk(value, "base", 32, decoded()) === null;
}

/**
 * Tells whether a value is a custom message.
 *
 * @param value Any value.
 * @returns Whether it is a {@linkcode CustomMessage}.
 *
 * @example Guard
 * ```ts
 * import { createCustom, isCustomMessage } from "@maim/message/schema";
 *
 * console.log(isCustomMessage(createCustom("poke", { times: 2 }, "qq"))); // true
 * ```
 */
export function isCustomMessage(value: unknown): value is CustomMessage {
  return walk(value, "custom", 32, decoded()) === null;
}

const isString = (data: unknown): boolean => typeof data === "string";
const isStringOrObject = (data: unknown): boolean => isString(data) || isObject(data);

/** Kind of data per known type: what {@linkcode isSeg} proves before it narrows. */
const KNOWN_DATA: { readonly [T in SegType]: (data: unknown) => boolean } = {
  text: isString,
  image: isString,
  emoji: isString,
  voice: isString,
  video: isString,
  at: isStringOrObject,
  reply: isString,
  file: isStringOrObject,
  dict: isObject,
  face: (data) => isString(data) || typeof data === "number",
  forward: Array.isArray,
  seglist: Array.isArray,
  imageurl: isString,
  videourl: isString,
  voiceurl: isString,
  music: isStringOrObject,
  command: isObject,
  notify: isObject,
};

/**
 * Tells whether a value is a segment. With a type as second argument it narrows the data too.
 *
 * @param value Any value.
 * @returns Whether it is a segment.
 *
 * @example Narrowing
 * ```ts
 * import { isSeg } from "@maim/message/schema";
 *
 * const piece: unknown = { type: "text", data: "hi" };
 * if (isSeg(piece, "text")) console.log(piece.data.toUpperCase()); // HI
 * ```
 */
export function isSeg(value: unknown): value is Seg;
/**
 * Tells whether a value is a segment of one type with data of the documented kind.
 *
 * @typeParam T The known type asked for.
 * @param value Any value.
 * @param type The type to narrow to.
 * @returns Whether it is such a segment.
 */
export function isSeg<T extends SegType>(value: unknown, type: T): value is SegOf<T>;
export function isSeg(value: unknown, type?: SegType): boolean {
  try {
    const source = any(false);
    if (segFault(value, 32, source) !== null) return false;
    if (type === undefined) return true;
    const { type: actual, data } = ownView(value as Fields, null, source); // segFault has proved it
    return actual === type && Object.hasOwn(KNOWN_DATA, type) && KNOWN_DATA[type](data);
  } catch {
    return false;
  }
}

// ---------------------------------------------------------------------------------------------- builders

function refuse(what: string, argument: string, need: string, value: unknown): never {
  throw new TypeError(`Cannot create ${what} as '${argument}' must be ${need}: received ${kind(value)}`);
}

function base64(what: string, argument: string, data: Uint8Array | string): string {
  if (data instanceof Uint8Array) return data.toBase64();
  if (typeof data !== "string") refuse(what, argument, "a Uint8Array or base64", data);
  const body = data.startsWith("data:") ? data.slice(data.indexOf(",") + 1) : data;
  const end = body.endsWith("==") ? -2 : body.endsWith("=") ? -1 : body.length;
  if (body.length % 4 !== 0 || /[^A-Za-z0-9+/]/.test(body.slice(0, end))) {
    refuse(what, argument, "padded base64 of the standard alphabet, or bytes", data);
  }
  return body;
}

function plainObject(what: string, argument: string, value: unknown): void {
  if (!isObject(value)) refuse(what, argument, "an object", value);
}

function filled(what: string, argument: string, value: unknown): string {
  return isName(value) ? value : refuse(what, argument, "a non-empty string", value);
}

/** Copies an object without a prototype, so that destructuring sees only what is its own. */
function ownMembers<T extends object>(object: T): T {
  return Object.assign(Object.create(null), object);
}

function isBytes(value: unknown): boolean {
  return value instanceof Uint8Array || value instanceof Blob || value instanceof ReadableStream;
}

/** Whether a value is a segment, or will be one once its bytes are base64. */
function isContent(value: unknown): value is Seg {
  if (isSeg(value)) return true;
  if (!isObject(value)) return false;
  const { type, data } = ownView(value, null, any(false));
  if (type === "seglist") return Array.isArray(data) && data.every(isContent);
  return typeof type === "string" && type !== "text" && type !== "at" && type !== "reply" && isBytes(data);
}

/** Takes the segments out of lists in lists. */
function flattened(segs: readonly Seg[]): Seg[] {
  return segs.flatMap((item) => item.type === "seglist" ? flattened(item.data as Seg[]) : [item]); // isContent
}

/** What {@linkcode seg.file} takes: {@linkcode FileData} whose content may also be bytes. */
export interface FileInput extends Omit<FileData, "base64"> {
  /** The content: bytes, or base64 with or without a `data:` prefix. */
  base64?: Uint8Array | string;
}

/** The builders of segments; all are synchronous and throw `TypeError` naming the argument. */
export interface SegBuilders {
  /** Builds a text segment. */
  text(text: string): SegOf<"text">;
  /** Builds an image segment from bytes or base64; a `data:` prefix is cut off. */
  image(data: Uint8Array | string): SegOf<"image">;
  /** Builds a sticker from the bytes or base64 of an image. A Unicode emoji is text: MaiBot drops it here. */
  emoji(data: Uint8Array | string): SegOf<"emoji">;
  /** Builds a voice segment from the bytes or base64 of audio (wav). */
  voice(data: Uint8Array | string): SegOf<"voice">;
  /** Builds a mention of an account. */
  at(userId: string): SegOf<"at">;
  /** Builds a quote of a message; put it first. */
  reply(messageId: string): SegOf<"reply">;
  /** Builds a file segment. */
  file(file: FileInput): SegOf<"file">;
  /** Builds a segment that carries any object. */
  dict(data: Record<string, unknown>): SegOf<"dict">;
  /** Joins segments into one list; nested lists are flattened, because MaiBot drops them. */
  list(...segs: Seg[]): SegOf<"seglist">;
  /**
   * Builds a segment of any type: with it one can make what MaiBot refuses, as with an integer beyond 64 bits in
   * {@linkcode SegBuilders.dict}. Its data may be bytes that become
   * base64 as they are sent: a `Uint8Array`, and for `sendStream` and `encodeStream` a `Blob` or `ReadableStream`.
   */
  of(type: string, data?: unknown): Seg;
}

/**
 * Builds segments that MaiBot accepts.
 *
 * @example A text with a picture
 * ```ts
 * import { seg } from "@maim/message/schema";
 *
 * const list = seg.list(seg.text("请查看："), seg.image(new Uint8Array([1, 2, 3])));
 * console.log(list.data[1]); // { type: "image", data: "AQID" }
 * ```
 */
export const seg: SegBuilders = {
  text(text) {
    if (typeof text !== "string") refuse("a text segment", "text", "a string", text);
    return { type: "text", data: text };
  },
  image: (data) => ({ type: "image", data: base64("an image segment", "data", data) }),
  emoji: (data) => ({ type: "emoji", data: base64("an emoji segment", "data", data) }),
  voice: (data) => ({ type: "voice", data: base64("a voice segment", "data", data) }),
  at: (userId) => ({ type: "at", data: filled("an at segment", "userId", userId) }),
  reply: (messageId) => ({ type: "reply", data: filled("a reply segment", "messageId", messageId) }),
  file(file) {
    plainObject("a file segment", "file", file);
    const { base64: content, ...rest } = ownMembers(file);
    if (content === undefined) return { type: "file", data: rest };
    return { type: "file", data: { ...rest, base64: base64("a file segment", "file.base64", content) } };
  },
  dict(data) {
    plainObject("a dict segment", "data", data);
    return { type: "dict", data };
  },
  list(...segs) {
    const data: Seg[] = [];
    segs.forEach((item, index) => {
      if (!isContent(item)) refuse("a segment list", `segs[${index}]`, "a segment", item);
      // Not spread: 100,000 arguments are more than a stack holds.
      for (const inner of flattened([item])) data.push(inner);
    });
    return { type: "seglist", data };
  },
  of(type, data) {
    if (typeof type !== "string") refuse("a segment", "type", "a string", type);
    return data === undefined ? { type } : { type, data };
  },
};

/** Names a user by id alone, or in full. */
export type UserInput = string | UserInfo;

/** Names a group by id alone, or in full. */
export type GroupInput = string | GroupInfo;

/** Options of {@linkcode createMessage}. Those in `snake_case` are members of the message as they stand. */
export interface CreateMessageOptions {
  /** Platform the message comes from; must equal the connection's. */
  platform: string;
  /** The author: an id, or an object with `user_id`; the nickname falls back to the id. */
  user: UserInput;
  /** The group, left out in a private chat; its name falls back to the id. */
  group?: GroupInput;
  /**
   * The bot's own id on that platform, as in `[bot]` of MaiBot's configuration. MaiBot 1.3.10 and later answers no message
   * without it. Written as `account_id`, and for MaiBot 1.2 as `additional_config.platform_io_account_id`.
   */
  account?: string;
  /**
   * Tells apart several connections of one account. Written as `scope`, and for MaiBot 1.2 as
   * `additional_config.platform_io_scope`.
   */
  scope?: string;
  /**
   * Id of the message.
   *
   * @default {a new one, unique and in ascending order}
   */
  message_id?: string;
  /**
   * When it was written: a `Date`, or Unix time in seconds.
   *
   * @default {now}
   */
  time?: number | Date;
  /** Segment types used and accepted. */
  format_info?: FormatInfo;
  /** Prompt template. */
  template_info?: TemplateInfo;
  /** Free data, as `{ at_bot: true }`. */
  additional_config?: Record<string, unknown>;
  /** The sending end. */
  sender_info?: SenderInfo;
  /** The receiving end. */
  receiver_info?: ReceiverInfo;
  /** The content flattened to text. */
  raw_message?: string;
}

const PROCESS_TAG = Math.floor(Math.random() * 0x1000000).toString(16).padStart(6, "0");
let lastId = { ms: 0, count: 0 };

/** Ids sort in the order they were made, within a millisecond and when the clock steps back. */
function nextMessageId(): string {
  const now = Date.now();
  const { ms, count } = lastId;
  lastId = now > ms ? { ms: now, count: 0 } : count < 9999 ? { ms, count: count + 1 } : { ms: ms + 1, count: 0 };
  // No run of 16 digits: those make a reader look for numbers that lost some.
  return `${lastId.ms}_${String(lastId.count).padStart(4, "0")}_${PROCESS_TAG}`;
}

/** Python's datetime ends with the year 9999; MaiBot drops what lies beyond. */
const LAST_SECOND = 253_402_300_799;

function unixSeconds(time: number | Date): number {
  const seconds = time instanceof Date ? time.getTime() / 1000 : time;
  if (typeof seconds === "number" && seconds > 0 && seconds <= LAST_SECOND) return seconds;
  const hint = typeof seconds === "number" && seconds > LAST_SECOND ? "; divide milliseconds by 1000" : "";
  const received = time instanceof Date || typeof time === "number" ? time : kind(time);
  throw new TypeError(`Cannot create a message as 'time' must be a Date or Unix seconds: received ${received}${hint}`);
}

/** Copies an object without its null and undefined members: deployed peers before 0.6 crash on null. */
function present<T extends object>(object: T): T {
  return Object.fromEntries(Object.entries(object).filter(([, value]) => !isAbsent(value))) as T;
}

/** The same for the infos among the options and for what is in them; free data stays as it is. */
function infos<T extends object>(object: T): T {
  const entries = Object.entries(present(object)).map(([key, value]) => {
    return [key, key.endsWith("_info") && isObject(value) ? infos(value) : value];
  });
  return Object.fromEntries(entries) as T;
}

function fullUser(user: UserInput, platform: string): UserInfo {
  const info: UserInfo = typeof user === "string" ? { user_id: user } : user;
  plainObject("a message", "user", info);
  const user_id = filled("a message", "user.user_id", info.user_id);
  return { platform, user_id, user_nickname: user_id, ...present(info) };
}

function fullGroup(group: GroupInput, platform: string): GroupInfo {
  const info: GroupInfo = typeof group === "string" ? { group_id: group } : group;
  plainObject("a message", "group", info);
  const group_id = filled("a message", "group.group_id", info.group_id);
  const full = { platform, group_id, group_name: group_id, ...present(info) };
  return { ...full, group_name: full.group_name || group_id };
}

/** Looks at all but the segments, which `seg.list` has seen: their bytes are base64 only once they are sent. */
function checked(message: MessageBase): MessageBase {
  const issue = messageIssue({ ...message, message_segment: { type: "seglist", data: [] } });
  if (issue === null) return message;
  throw new TypeError(
    `Cannot create a message as ${issue.path} must be ${issue.expected}: received ${issue.received}`,
  );
}

/**
 * Creates a message that MaiBot accepts: id, time, nickname and group name are filled in, nothing is null.
 *
 * Several segments, or none, become one flat `seglist`.
 *
 * @param options Who, where and when.
 * @param segs The content, from {@linkcode seg}.
 * @returns A new message.
 * @throws {TypeError} If an argument is of the wrong kind or empty; the text names it.
 *
 * @example A group message
 * ```ts
 * import { createMessage, seg } from "@maim/message/schema";
 *
 * const message = createMessage(
 *   { platform: "qq", user: { user_id: "10001", user_nickname: "张三" }, group: "987" },
 *   seg.at("10002"),
 *   seg.text(" 你好"),
 * );
 * console.log(message.message_info.group_info?.group_name); // 987
 * ```
 */
export function createMessage(options: CreateMessageOptions, ...segs: Seg[]): MessageBase {
  plainObject("a message", "options", options);
  const { platform, user, group, account, scope, message_id = nextMessageId(), time = Date.now() / 1000, ...more } =
    ownMembers(options);
  const { raw_message, ...rest } = more;
  if (!isRouteName(platform)) refuse("a message", "platform", "a string that is not blank", platform);
  for (const [name, value] of [["account", account], ["scope", scope]] as const) {
    if (!isAbsent(value) && !isRouteName(value)) refuse("a message", name, "a string that is not blank", value);
  }
  const info: BaseMessageInfo = {
    platform,
    message_id: filled("a message", "message_id", message_id),
    time: unixSeconds(time),
    ...(isAbsent(group) ? {} : { group_info: fullGroup(group, platform) }),
    user_info: fullUser(user, platform),
    ...infos(rest),
  };
  const content: MessageBase = { message_info: info, message_segment: seg.list(...segs) };
  const message = withRoute(content, { account: account ?? undefined, scope: scope ?? undefined });
  return checked(isAbsent(raw_message) ? message : { ...message, raw_message });
}

/**
 * Creates a message that goes back where another came from: same platform, group and user, and the account and scope
 * that the other message names, so that it speaks as the account that was spoken to.
 *
 * An answer of a server to an adapter. A message of MaiBot's is not answered by it: its `user_info` is the bot itself,
 * so that MaiBot would be talking to itself.
 *
 * The user is named in `user_info`, where adapters older than MaiBot 1.0 look, and in `receiver_info`, where newer ones
 * do. It quotes nothing by itself: pass `seg.reply(id)` first for that.
 *
 * @param to The message to answer.
 * @param segs The content, from {@linkcode seg}.
 * @returns A new message.
 * @throws {TypeError} If an argument is of the wrong kind; the text names it.
 *
 * @example An echo
 * ```ts
 * import { createMessage, createReply, plainText, seg } from "@maim/message/schema";
 *
 * const question = createMessage({ platform: "qq", user: "10001" }, seg.text("ping"));
 * console.log(plainText(createReply(question, seg.text("pong")))); // pong
 * ```
 */
export function createReply(to: MessageBase, ...segs: Seg[]): MessageBase {
  if (!isMessageBase(to)) refuse("a reply", "to", "a message", to);
  const { platform, group_info, user_info } = to.message_info;
  const group = isName(group_info?.group_id) ? { group_info: fullGroup(group_info, platform) } : {};
  const user = isName(user_info?.user_id) ? { user_info: fullUser(user_info, platform) } : {};
  const message_info: BaseMessageInfo = {
    platform,
    message_id: nextMessageId(),
    time: Date.now() / 1000,
    ...group,
    ...user,
    receiver_info: { ...group, ...user },
  };
  return withRoute({ message_info, message_segment: seg.list(...segs) }, routeOf(to));
}

/**
 * Creates a custom message, the envelope that `sendCustom` puts on the wire.
 *
 * @param name The `message_type_name` that picks the handler on the other side.
 * @param content Any JSON.
 * @param platform From a client its own platform, from a server the target.
 * @returns A new custom message; `timestamp` is Unix seconds.
 * @throws {TypeError} If a name is empty or the content is missing.
 *
 * @example Envelope
 * ```ts
 * import { createCustom } from "@maim/message/schema";
 *
 * console.log(createCustom("poke", { user_id: "10001" }, "qq").message_type_name); // poke
 * ```
 */
export function createCustom(name: string, content: unknown, platform: string): CustomMessage {
  filled("a custom message", "platform", platform);
  filled("a custom message", "name", name);
  if (content === undefined) refuse("a custom message", "content", "any JSON value", content);
  return { platform, message_type_name: name, content, timestamp: Date.now() / 1000, is_custom_message: true };
}

const LABELS: ReadonlyMap<string, string> = new Map([
  ["image", "图片"],
  ["imageurl", "图片"],
  ["emoji", "表情"],
  ["face", "表情"],
  ["voice", "语音"],
  ["voiceurl", "语音"],
  ["video", "视频"],
  ["videourl", "视频"],
  ["reply", "回复"],
  ["file", "文件"],
  ["forward", "转发消息"],
  ["music", "音乐"],
  ["command", "命令"],
  ["notify", "通知"],
]);

function segText(piece: Seg): string {
  if (isSeg(piece, "text")) return piece.data;
  if (isSeg(piece, "seglist")) return piece.data.map(segText).join("");
  if (piece.type === "at" && typeof piece.data === "string") return `@${piece.data}`;
  return piece.type === "at" ? "@" : `[${LABELS.get(piece.type) ?? piece.type}]`;
}

/**
 * Flattens a message to one line for logs and `raw_message`: text as it is, the rest as `[图片]`.
 *
 * @param message A message or a segment.
 * @returns The text; no base64, whatever the message holds.
 *
 * @example As in the seed
 * ```ts
 * import { createMessage, plainText, seg } from "@maim/message/schema";
 *
 * const message = createMessage(
 *   { platform: "qq", user: "10001" },
 *   seg.text("请查看这张图片："),
 *   seg.image("AQID"),
 *   seg.text(" 这是效果图。"),
 * );
 * console.log(plainText(message)); // 请查看这张图片：[图片] 这是效果图。
 * ```
 */
export function plainText(message: MessageBase | Seg): string {
  return segText("message_segment" in message ? message.message_segment : message);
}
