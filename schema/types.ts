/**
 * The types of messages: the JSON that maim_message sends, key for key.
 * @module
 */

/** Who wrote or receives a message. Source: maim_message 0.6.8, message_base.py, UserInfo. */
export interface UserInfo {
  /** Platform the account belongs to. */
  platform?: string | null;
  /** Account id, unique on its platform. In JSON it may be a number; decoding makes it a string. */
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
  /** Group id, unique on its platform. In JSON it may be a number; decoding makes it a string. */
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

/** The prompt template of a message. */
export interface TemplateInfo {
  /** Template texts by name; in JSON it may be anything. */
  template_items?: unknown;
  /** A name, or an object of names as in the reference. */
  template_name?: string | Record<string, unknown> | null;
  /** True to use the default template; in JSON it may be anything. */
  template_default?: unknown;
}

/** The sender or the receiver of a message, since maim_message 0.5.0. */
export interface PartyInfo {
  /** The group. */
  group_info?: GroupInfo | null;
  /** The account. */
  user_info?: UserInfo | null;
}

/** The sender of a message, since maim_message 0.5.0. */
export type SenderInfo = PartyInfo;

/** The receiver of a message, since maim_message 0.5.0. */
export type ReceiverInfo = PartyInfo;

/** All of a message except its content. Source: maim_message 0.6.8, message_base.py, BaseMessageInfo. */
export interface BaseMessageInfo {
  /** Platform the message comes from or goes to; the routing key, compared exactly. */
  platform: string;
  /** Unique on its platform. In JSON it may be a number; decoding makes it a string. */
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
  /** Free data, usually an object; in JSON it may be anything. */
  additional_config?: unknown;
  /** The sender. */
  sender_info?: SenderInfo | null;
  /** The receiver. */
  receiver_info?: ReceiverInfo | null;
}

/** Data of a `file` segment. Source: protocol inventory of MaiBot 1.2.1 and the NapCat adapter. */
export interface FileData {
  /** File name. */
  name?: string;
  /** Size in bytes. */
  size?: number;
  /** URL to fetch it from. */
  url?: string;
  /** Id of the file on the platform. */
  file_id?: string;
  /** Media type. */
  mime_type?: string;
  /** The content, base64 without a prefix. */
  base64?: string;
}

/** Data of each known segment type, as the deployed peers send it. A new type also needs a row in `segments.ts`. */
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
  /** Any object. MaiBot wraps command, music and video in a `dict`. */
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

/** One item of a message's content. The union is open: an unknown type carries any JSON and passes unchanged. */
export interface Seg {
  /** One of {@linkcode SegType}, or any other name. */
  type: SegType | (string & Record<never, never>);
  /** The data; its shape depends on the type. Narrow it with {@linkcode isSeg}. */
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
  /** Sender, group, platform, id and time. */
  message_info: BaseMessageInfo;
  /** The content, usually a `seglist`. */
  message_segment: Seg;
  /** The content as plain text. */
  raw_message?: string | null;
  /**
   * The bot's own account on the platform, a string: the account that the message was written to or is sent by. In
   * JSON it may be anything. MaiBot 1.3.10 and later does not answer a message without it. Source: MaiBot 1.3.15,
   * route_key_factory.py.
   */
  account_id?: unknown;
  /**
   * A string that tells several connections of one account apart. In JSON it may be anything. Source: as `account_id`.
   */
  scope?: unknown;
}

/** A message of a type you define, routed by its name. Source: maim_message 0.6.8, api.py, send_custom_message. */
export interface CustomMessage {
  /** From a client: its own platform. From a server: the platform it is sent to. */
  platform?: string | null;
  /** The name that selects the handler. */
  message_type_name: string;
  /** Any JSON. */
  content: unknown;
  /** Seconds of the event loop's monotonic clock when a Python peer sends it, so not a date. */
  timestamp?: unknown;
  /** Always true. */
  is_custom_message: true;
}

/** The message that one text frame carries. */
export type WireMessage = MessageBase | CustomMessage;
