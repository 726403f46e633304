/**
 * The types of messages. They have the same keys as the JSON that maim_message sends.
 * @module
 */

/** The user who wrote a message, or who receives it. Source: maim_message 0.6.8, message_base.py, UserInfo. */
export interface UserInfo {
  /** Platform of the account. */
  platform?: string | null;
  /** Account id, unique on its platform. In JSON it may be a number; decoding makes it a string. */
  user_id?: string | null;
  /** Display name. MaiBot 1.2.1 drops a message without it. */
  user_nickname?: string | null;
  /** Name of the user in the group. */
  user_cardname?: string | null;
}

/** The group in which a message was written. Source: maim_message 0.6.8, message_base.py, GroupInfo. */
export interface GroupInfo {
  /** Platform of the group. */
  platform?: string | null;
  /** Group id, unique on its platform. In JSON it may be a number; decoding makes it a string. */
  group_id?: string | null;
  /** Display name. MaiBot 1.2.1 drops a group message without it. */
  group_name?: string | null;
}

/** Segment types that a message contains, and types that its sender accepts. */
export interface FormatInfo {
  /** Types that this message contains. */
  content_format?: string[] | null;
  /** Types that the sender can show. */
  accept_format?: string[] | null;
}

/** The prompt template of a message. */
export interface TemplateInfo {
  /** Template texts by name. In JSON it may be anything. */
  template_items?: unknown;
  /** A name, or an object of names, which is what maim_message itself writes. */
  template_name?: string | Record<string, unknown> | null;
  /** True to use the default template; in JSON it may be anything. */
  template_default?: unknown;
}

/** The sender or the receiver of a message. Added in maim_message 0.5.0. */
export interface PartyInfo {
  /** The group. */
  group_info?: GroupInfo | null;
  /** The account. */
  user_info?: UserInfo | null;
}

/** The sender of a message. Added in maim_message 0.5.0. */
export type SenderInfo = PartyInfo;

/** The receiver of a message. Added in maim_message 0.5.0. */
export type ReceiverInfo = PartyInfo;

/** Platform, id, time, group and users of a message. Source: maim_message 0.6.8, message_base.py, BaseMessageInfo. */
export interface BaseMessageInfo {
  /**
   * Platform that the message comes from or goes to. A server uses it to find the connection. Upper and lower case are
   * different.
   */
  platform: string;
  /** Message id, unique on its platform. In JSON it may be a number; decoding makes it a string. */
  message_id?: string | null;
  /** Unix time in seconds; fractions are allowed. */
  time?: number | null;
  /** The group. It is absent in a private chat. */
  group_info?: GroupInfo | null;
  /** The author. In a message from MaiBot, the author is the bot itself. */
  user_info?: UserInfo | null;
  /** Segment types that the message contains, and types that its sender accepts. */
  format_info?: FormatInfo | null;
  /** The prompt template. */
  template_info?: TemplateInfo | null;
  /** Free data, usually an object; in JSON it may be anything. */
  additional_config?: unknown;
  /** The sender. */
  sender_info?: SenderInfo | null;
  /** The receiver. */
  receiver_info?: ReceiverInfo | null;
}

/** Data of a `file` segment. Source: MaiBot 1.2.1 and the NapCat adapter. */
export interface FileData {
  /** File name. */
  name?: string;
  /** Size in bytes. */
  size?: number;
  /** URL from which the file can be fetched. */
  url?: string;
  /** Id of the file on the platform. */
  file_id?: string;
  /** Media type. */
  mime_type?: string;
  /** The content as base64 without a prefix. */
  base64?: string;
}

/**
 * Data of each known segment type, as the deployed peers send it. A type that is added here also needs a row in
 * `segments.ts`.
 */
export interface SegDataMap {
  /** Plain text. */
  text: string;
  /** Base64 of an image, without a prefix. */
  image: string;
  /** Base64 of a sticker. The documentation of maim_message also allows a Unicode emoji, but MaiBot drops it. */
  emoji: string;
  /** Base64 of audio (wav). */
  voice: string;
  /** Base64 of a video. */
  video: string;
  /** Account id, or an object that holds one. */
  at: string | Record<string, unknown>;
  /** Id of the message that is quoted. */
  reply: string;
  /** A file; older adapters send only a path. */
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
  /** The command: `{ name, args }`. */
  command: Record<string, unknown>;
  /** The notice: `{ sub_type, ... }`. */
  notify: Record<string, unknown>;
}

/** The known segment types: those whose data has a documented shape. */
export type SegType = keyof SegDataMap;

/** One item of the content of a message. Unknown types are allowed: their data may be any JSON and stays unchanged. */
export interface Seg {
  /** One of {@linkcode SegType}, or any other name. */
  type: SegType | (string & Record<never, never>);
  /** The data; its shape depends on the type. Narrow it with {@linkcode isSeg}. */
  data?: unknown;
}

/** A segment of one known type. */
export interface SegOf<T extends SegType> extends Seg {
  /** Name of the type. */
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
   * Id of the bot's own account on the platform: the account that the message was written to, or that sends it. It
   * should be a string; in JSON it may be anything. MaiBot 1.3.10 and later does not answer a message without it.
   *
   * Source: MaiBot 1.3.15, route_key_factory.py.
   */
  account_id?: unknown;
  /**
   * A name that distinguishes several connections of one account. It should be a string; in JSON it may be anything.
   *
   * Source: MaiBot 1.3.15, route_key_factory.py.
   */
  scope?: unknown;
}

/**
 * A message of a type that you define. Its name selects the handler on the other side.
 *
 * Source: maim_message 0.6.8, api.py, send_custom_message.
 */
export interface CustomMessage {
  /** From a client: its own platform. From a server: the platform that the message is sent to. */
  platform?: string | null;
  /** The name that selects the handler. */
  message_type_name: string;
  /** Any JSON. */
  content: unknown;
  /** Time in seconds. A Python peer sends the monotonic clock of its event loop, which is not a date. */
  timestamp?: unknown;
  /** Always true. */
  is_custom_message: true;
}

/** The message that one text frame carries. */
export type WireMessage = MessageBase | CustomMessage;
