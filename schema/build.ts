/**
 * Builds segments and messages in the form that MaiBot accepts.
 * @module
 */

import type {
  BaseMessageInfo,
  CustomMessage,
  FileData,
  FormatInfo,
  GroupInfo,
  MessageBase,
  ReceiverInfo,
  Seg,
  SegOf,
  SenderInfo,
  TemplateInfo,
  UserInfo,
} from "./types.ts";
import { isMessageBase, isSeg } from "./guards.ts";
import { LAST_SECOND } from "./limits.ts";
import { isRouteName, routeOf, withRoute } from "./account.ts";
import { envelopeIssue, ownMembers } from "./rules.ts";
import { mayHoldBytes } from "./segments.ts";
import { encodeBase64 } from "../util/base64.ts";
import { describeType, isAbsent, isByteSource, isFilled, isObject } from "../util/values.ts";

// ---------------------------------------------------------------------------------------------- arguments

function refuse(what: string, argument: string, need: string, value: unknown): never {
  throw new TypeError(`Cannot create ${what}: '${argument}' must be ${need}; received ${describeType(value)}`);
}

/**
 * Returns bytes or base64 as base64 without a `data:` prefix. Throws a `TypeError` if the data is not bytes and not
 * valid base64.
 */
function base64(what: string, argument: string, data: Uint8Array | string): string {
  if (data instanceof Uint8Array) return encodeBase64(data);
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
  return isFilled(value) ? value : refuse(what, argument, "a non-empty string", value);
}

/** Copies the own members of an object to an object without a prototype, so that destructuring reads only these. */
function ownCopy<T extends object>(object: T): T {
  return Object.assign(Object.create(null), object);
}

// ---------------------------------------------------------------------------------------------- segments

/** Returns true if a value is a segment, also if it holds bytes that the encoder will write as base64. */
function isContent(value: unknown): value is Seg {
  if (isSeg(value)) return true;
  if (!isObject(value)) return false;
  const { type, data } = ownMembers(value);
  if (type === "seglist") return Array.isArray(data) && data.every(isContent);
  return typeof type === "string" && mayHoldBytes(type) && isByteSource(data);
}

/** Returns segments as one flat list: a list inside is replaced by its items. */
function flattened(segs: readonly Seg[]): Seg[] {
  // isContent has checked that the data of a seglist is an array of segments.
  return segs.flatMap((item) => item.type === "seglist" ? flattened(item.data as Seg[]) : [item]);
}

/** Argument of {@linkcode seg.file}: like {@linkcode FileData}, but `base64` may also be bytes. */
export interface FileInput extends Omit<FileData, "base64"> {
  /** The content: bytes, or base64 with or without a `data:` prefix. */
  base64?: Uint8Array | string;
}

/** The builders of segments. All are synchronous. For a wrong argument, they throw a `TypeError` that names it. */
export interface SegBuilders {
  /** Builds a text segment. */
  text(text: string): SegOf<"text">;
  /** Builds an image segment from bytes or base64; a `data:` prefix is removed. */
  image(data: Uint8Array | string): SegOf<"image">;
  /**
   * Builds a sticker from the bytes or base64 of an image. To send a Unicode emoji, use `text`: MaiBot drops a Unicode
   * emoji in an `emoji` segment.
   */
  emoji(data: Uint8Array | string): SegOf<"emoji">;
  /** Builds a voice segment from the bytes or base64 of audio (wav). */
  voice(data: Uint8Array | string): SegOf<"voice">;
  /** Builds a mention of an account. */
  at(userId: string): SegOf<"at">;
  /** Builds a quote of another message. Put this segment first in the list. */
  reply(messageId: string): SegOf<"reply">;
  /** Builds a file segment. */
  file(file: FileInput): SegOf<"file">;
  /** Builds a segment that carries any object. */
  dict(data: Record<string, unknown>): SegOf<"dict">;
  /** Joins segments into one list; nested lists are flattened, because MaiBot drops nested lists. */
  list(...segs: Seg[]): SegOf<"seglist">;
  /**
   * Builds a segment of any type. The data is not checked, so MaiBot may refuse the segment. The data of
   * {@linkcode SegBuilders.dict} is not checked either: for example, MaiBot refuses an integer beyond 64 bits.
   *
   * The data may be bytes, which are sent as base64: a `Uint8Array`, or for `sendStream` and `encodeStream` also a
   * `Blob` or a `ReadableStream`.
   */
  of(type: string, data?: unknown): Seg;
}

/**
 * Builds segments that MaiBot accepts. Only `of` and `dict` can build segments that it does not accept.
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
    const { base64: content, ...rest } = ownCopy(file);
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
      // A loop adds the segments one by one: `push` with 100,000 arguments would overflow the stack.
      for (const inner of flattened([item])) data.push(inner);
    });
    return { type: "seglist", data };
  },
  of(type, data) {
    if (typeof type !== "string") refuse("a segment", "type", "a string", type);
    return data === undefined ? { type } : { type, data };
  },
};

// ---------------------------------------------------------------------------------------------- messages

/** A user: the id as a string, or an object with `user_id` and other members. */
export type UserInput = string | UserInfo;

/** A group: the id as a string, or an object with `group_id` and other members. */
export type GroupInput = string | GroupInfo;

/** Options of {@linkcode createMessage}. Options with a name in `snake_case` are copied into the message unchanged. */
export interface CreateMessageOptions {
  /** Platform that the message comes from. It must be the platform of the connection. */
  platform: string;
  /** The author: an id, or an object with `user_id`. If the nickname is missing, the id is used as the nickname. */
  user: UserInput;
  /** The group; leave it out in a private chat. If the name is missing, the id is used as the name. */
  group?: GroupInput;
  /**
   * The bot's own id on the platform, as in `[bot]` of MaiBot's configuration. MaiBot 1.3.10 and later does not answer
   * a message without an account. The account is written as `account_id`, and for MaiBot 1.2 also as
   * `additional_config.platform_io_account_id`.
   */
  account?: string;
  /**
   * A name that distinguishes several connections of one account. Leave it out if the account has one connection: for
   * MaiBot, another scope is another chat with its own history. The scope is written as `scope`, and for MaiBot 1.2
   * also as `additional_config.platform_io_scope`.
   */
  scope?: string;
  /**
   * Id of the message.
   *
   * @default {a new id; new ids are unique and in ascending order}
   */
  message_id?: string;
  /**
   * Time when the message was written: a `Date`, or Unix time in seconds.
   *
   * @default {now}
   */
  time?: number | Date;
  /** Segment types that the message contains, and types that its sender accepts. */
  format_info?: FormatInfo;
  /** The prompt template. */
  template_info?: TemplateInfo;
  /** Free data, such as `{ at_bot: true }`. */
  additional_config?: Record<string, unknown>;
  /** The sender. */
  sender_info?: SenderInfo;
  /** The receiver. */
  receiver_info?: ReceiverInfo;
  /** The content as plain text. */
  raw_message?: string;
}

const PROCESS_TAG = Math.floor(Math.random() * 0x1000000).toString(16).padStart(6, "0");
let lastId = { ms: 0, count: 0 };

/**
 * Makes a message id. Later ids sort after earlier ones, even within one millisecond or after the clock was set back.
 */
function nextMessageId(): string {
  const now = Date.now();
  const { ms, count } = lastId;
  lastId = now > ms ? { ms: now, count: 0 } : count < 9999 ? { ms, count: count + 1 } : { ms: ms + 1, count: 0 };
  // The id has fewer than 16 digits in a row. With more, the decoder of this library would take longer: it searches a
  // message with 16 digits in a row for integers beyond 2^53.
  return `${lastId.ms}_${String(lastId.count).padStart(4, "0")}_${PROCESS_TAG}`;
}

function unixSeconds(time: number | Date): number {
  const seconds = time instanceof Date ? time.getTime() / 1000 : time;
  if (typeof seconds === "number" && seconds > 0 && seconds <= LAST_SECOND) return seconds;
  const hint = typeof seconds === "number" && seconds > LAST_SECOND ? "; divide milliseconds by 1000" : "";
  const received = time instanceof Date || typeof time === "number" ? time : describeType(time);
  throw new TypeError(`Cannot create a message: 'time' must be a Date or Unix seconds; received ${received}${hint}`);
}

/** Copies an object without its null and undefined members, because maim_message before 0.6 crashes on null members. */
function present<T extends object>(object: T): T {
  return Object.fromEntries(Object.entries(object).filter(([, value]) => !isAbsent(value))) as T;
}

/**
 * Like {@linkcode present}, but also removes these members from the infos inside the object, at any depth. An info is
 * an object whose key ends with `_info`. Other objects, such as `additional_config`, are not changed.
 */
function presentInfos<T extends object>(object: T): T {
  const entries = Object.entries(present(object)).map(([key, value]) => {
    return [key, key.endsWith("_info") && isObject(value) ? presentInfos(value) : value];
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

/** Checks a message except its segments, which `seg.list` has already checked. */
function checked(message: MessageBase): MessageBase {
  const issue = envelopeIssue(message);
  if (issue === null) return message;
  throw new TypeError(`Cannot create a message: ${issue.path} must be ${issue.expected}; received ${issue.received}`);
}

/**
 * Creates a message that MaiBot accepts. Id, time, nickname and group name are filled in if they are missing. Members
 * that are null are left out.
 *
 * The segments become one flat `seglist`, even if there is only one segment or none.
 *
 * @param options The platform, the author, the group, and other members of the message.
 * @param segs The content, from {@linkcode seg}.
 * @returns A new message.
 * @throws {TypeError} If an argument is of the wrong type or empty; the error names it.
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
    ownCopy(options);
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
    ...presentInfos(rest),
  };
  const content: MessageBase = { message_info: info, message_segment: seg.list(...segs) };
  const message = withRoute(content, { account: account ?? undefined, scope: scope ?? undefined });
  return checked(isAbsent(raw_message) ? message : { ...message, raw_message });
}

/**
 * Creates the answer to a message. The answer has the same platform, group, user, account and scope as the message. The
 * account that the message was written to therefore sends the answer.
 *
 * Use it in a server that answers an adapter. Do not use it to answer a message from MaiBot: the `user_info` of such a
 * message is the bot itself, so MaiBot would talk to itself.
 *
 * The user is written both to `user_info`, which adapters from before MaiBot 1.0 read, and to `receiver_info`, which
 * newer adapters read. The answer does not quote the message. To quote it, pass `seg.reply(id)` as the first segment.
 *
 * @param to The message to answer.
 * @param segs The content, from {@linkcode seg}.
 * @returns A new message.
 * @throws {TypeError} If an argument is of the wrong type; the error names it.
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
  const group = isFilled(group_info?.group_id) ? { group_info: fullGroup(group_info, platform) } : {};
  const user = isFilled(user_info?.user_id) ? { user_info: fullUser(user_info, platform) } : {};
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
 * Creates a custom message like the one that `sendCustom` sends.
 *
 * @param name The `message_type_name` that selects the handler on the other side.
 * @param content Any JSON.
 * @param platform In a client: its own platform. In a server: the platform that the message is sent to.
 * @returns A new custom message. Its `timestamp` is Unix time in seconds.
 * @throws {TypeError} If the name or the platform is empty, or the content is missing.
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
