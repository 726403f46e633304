/**
 * What to write instead, for each rule, in both languages.
 * @module
 */

import type { MaibotRule } from "./rules.ts";

/** One hint in each language. */
export interface RuleTexts {
  readonly en: string;
  readonly zh: string;
}

/** The hints: what to write instead. */
export const TEXTS: Readonly<Record<MaibotRule, RuleTexts>> = {
  not_object: {
    en: "Send one JSON object per text frame, as createMessage makes it",
    zh: "每个文本帧只发一个 JSON 对象，用 createMessage 生成即可",
  },
  onebot_frame: {
    en: "This is a OneBot event: point NapCat at an adapter, and the adapter at MaiBot",
    zh: "这是 OneBot 事件：NapCat 应连接适配器，再由适配器连接 MaiBot",
  },
  custom_nameless: {
    en: "Name a custom message in message_type_name, or leave is_custom_message out",
    zh: "自定义消息要在 message_type_name 里写名称；普通消息不要带 is_custom_message",
  },
  custom_unhashable: {
    en: "message_type_name must be a string. A list or an object there makes MaiBot fail before it reads the message",
    zh: "message_type_name 必须是字符串：写成数组或对象，MaiBot 还没读消息就出错了",
  },
  custom_unknown: {
    en: "MaiBot handles the custom message message_id_echo only; any other is lost",
    zh: "MaiBot 只认识 message_id_echo，其他名称的自定义消息都会丢失",
  },
  echo_incomplete: {
    en:
      'Write content as { type: "echo", echo: <MaiBot\'s message_id>, actual_id: <id on the platform> }: echoMessageId does',
    zh: 'content 应为 { type: "echo", echo: <MaiBot 的 message_id>, actual_id: <平台消息 ID> }，用 echoMessageId 即可',
  },
  message_info: {
    en: "Write message_info as an object; a JSON ping or login frame is no message either",
    zh: "message_info 必须是对象；JSON 心跳、登录帧也会被当成坏消息",
  },
  platform_kind: {
    en: "Write platform as a string, the one the connection was made with",
    zh: "platform 必须是字符串，并与连接时的平台名一致",
  },
  platform_empty: {
    en: "Write the platform's name, the one the connection was made with",
    zh: "platform 不能为空，应与连接时的平台名一致",
  },
  account_kind: {
    en: "Write account_id as a string, the bot's own id on that platform, or leave it out",
    zh: "account_id 必须是字符串（机器人自己在该平台的账号），或不写",
  },
  scope_kind: {
    en: "Write scope as a string, or leave it out",
    zh: "scope 必须是字符串，或不写",
  },
  message_id_empty: {
    en: "Write the platform's message id, or leave the choice of one to createMessage",
    zh: "填写平台的消息 ID，或交给 createMessage 生成",
  },
  message_id_missing: {
    en: 'Write message_id: without it every message gets the id "None", and replies and echoes find the wrong message',
    zh: '请填写 message_id：缺少时所有消息的 ID 都是 "None"，回复与回送都会错乱',
  },
  id_kind: {
    en: "Write the id as a string: this one becomes Python's notation of it",
    zh: "ID 应为字符串：这里的值会变成 Python 的字面写法",
  },
  time_missing: {
    en: "Write time as Unix seconds: Date.now() / 1000",
    zh: "time 必须是非零的 Unix 秒数：Date.now() / 1000",
  },
  time_kind: {
    en: "Write time as a number of Unix seconds, not as a string: Date.now() / 1000",
    zh: "time 必须是数字（Unix 秒），不能是字符串：Date.now() / 1000",
  },
  time_range: {
    en: "Write time in seconds, not milliseconds: Date.now() / 1000",
    zh: "time 的单位是秒，不是毫秒：Date.now() / 1000",
  },
  time_unlikely: {
    en: "Write time as seconds since 1970, not since the start of a program: Date.now() / 1000",
    zh: "time 应为自 1970 年起的秒数，而不是程序运行的秒数：Date.now() / 1000",
  },
  user_info_missing: {
    en: "Write user_info, the author, with user_id and user_nickname; sender_info does not stand in for it",
    zh: "必须有 user_info（发送者），含 user_id 与 user_nickname；sender_info 不能代替",
  },
  user_info_kind: {
    en: "Write user_info as an object with user_id and user_nickname",
    zh: "user_info 必须是对象，含 user_id 与 user_nickname",
  },
  user_id_missing: {
    en: "Write user_id, the author's id on the platform",
    zh: "user_info 必须有 user_id（发送者在平台上的 ID）",
  },
  user_id_null: {
    en: 'Write user_id: null makes "None" of every such author, one and the same',
    zh: 'user_id 不要为 null：这样的发送者都会变成同一个 "None"',
  },
  user_id_empty: {
    en: "Write user_id: a private chat is known by it alone",
    zh: "user_id 不能为空：私聊会话只靠它区分",
  },
  user_id_blank: {
    en: "Write user_id: MaiBot takes all authors without one for the same",
    zh: "user_id 不应为空：MaiBot 会把这样的发送者都当成同一个人",
  },
  nickname: {
    en: "Write user_nickname as a string; user_id will do where there is no name",
    zh: "user_nickname 必须是字符串；没有昵称时可用 user_id 代替",
  },
  group_info_kind: {
    en: "Write group_info as an object with group_id and group_name, or leave it out in a private chat",
    zh: "group_info 必须是对象，含 group_id 与 group_name；私聊时不要带",
  },
  group_id_missing: {
    en: "Write group_id, or leave group_info out in a private chat",
    zh: "group_info 必须有 group_id；私聊时不要带 group_info",
  },
  group_id_null: {
    en: 'Write group_id: null makes "None" of every such group, one and the same',
    zh: 'group_id 不要为 null：这样的群都会变成同一个 "None"',
  },
  group_id_empty: {
    en: "Write group_id: with an empty one MaiBot takes the message for a private chat with its author",
    zh: "group_id 不应为空：否则 MaiBot 会当成与发送者的私聊",
  },
  group_name: {
    en: "Write group_name as a string that is not empty; group_id will do where there is no name",
    zh: "group_name 必须是非空字符串；没有群名时可用 group_id 代替",
  },
  group_name_empty: {
    en: "Write a group_name: without one MaiBot's replies do not name the group",
    zh: "group_name 不应为空：否则 MaiBot 的回复里没有群信息",
  },
  party_kind: {
    en: "Write it as an object, or leave it out: MaiBot ignores the rest of sender_info and receiver_info",
    zh: "此处必须是对象，或不写：MaiBot 不使用 sender_info 与 receiver_info 的内容",
  },
  platform_foreign: {
    en:
      'MaiBot has no account on this platform. Add one to its configuration: [bot] qq_account for QQ, else [bot] platforms = ["platform:account"]',
    zh: 'MaiBot 的配置里没有该平台的账号：QQ 写 [bot] qq_account，其他平台写 [bot] platforms = ["平台:账号"]',
  },
  account_missing: {
    en:
      "No account: MaiBot stores this message and never answers it. Set the option account of MessageClient (or of createMessage) to the bot's own id on that platform, as in [bot] of MaiBot's configuration",
    zh:
      "没写账号：MaiBot 会存下这条消息，但永远不会回复。请给 MessageClient（或 createMessage）加上选项 account，值是机器人自己在该平台的账号，与 MaiBot 配置的 [bot] 一致",
  },
  account_foreign: {
    en:
      "MaiBot's configuration has another account for this platform, and answers as that one only. Use the same in both: [bot] qq_account for QQ, else [bot] platforms",
    zh:
      "MaiBot 配置里该平台是另一个账号，只会以那个账号回复。两边要写成一样：QQ 看 [bot] qq_account，其他平台看 [bot] platforms",
  },
  target_blank: {
    en: "The id of the user (in a group, of the group) is blank: MaiBot opens no chat for it",
    zh: "用户 ID（群聊时为群 ID）全是空白：MaiBot 不会为它开启会话",
  },
  own_message: {
    en:
      "The author is the bot itself, and MaiBot 1.3.15 answers such a message again and again. Do not forward what the bot has sent. To answer a message of MaiBot's, take the recipient from replyTarget(message): its message_info.user_info is the bot",
    zh:
      "这条消息是机器人自己写的，MaiBot 1.3.15 会没完没了地回复。不要转发机器人自己发出的消息；回复 MaiBot 的消息时，用 replyTarget(message) 取得对象，message_info.user_info 是机器人自己",
  },
  segment_kind: {
    en: "Write a segment as { type, data }, as seg.text makes it",
    zh: "消息段必须是 { type, data } 对象，用 seg.text 等生成即可",
  },
  segment_type: {
    en:
      "MaiBot takes text, image, emoji, voice, file, at, reply and dict, and drops the whole message for any other: " +
      "say it in a text, or leave the segment out",
    zh:
      "MaiBot 只接受 text、image、emoji、voice、file、at、reply、dict，有一段不支持就整条丢弃：改写成文字，或去掉该段",
  },
  list_kind: {
    en: "Write the data of a seglist as an array of segments",
    zh: "seglist 的 data 必须是消息段数组",
  },
  list_nested: {
    en: "Flatten the lists into one, as seg.list does",
    zh: "seglist 不能嵌套：合并成一层，用 seg.list 即可",
  },
  list_empty: {
    en: "Write at least one segment: MaiBot has nothing to answer here",
    zh: "至少要有一个消息段：否则 MaiBot 没有可回复的内容",
  },
  text_kind: { en: "Write the text as a string", zh: "text 的 data 必须是字符串" },
  reply_kind: {
    en: "Write the id of the quoted message as a string",
    zh: "reply 的 data 必须是被引用消息的 ID 字符串",
  },
  reply_empty: {
    en: "Write the id of the quoted message, or leave the segment out",
    zh: "填写被引用消息的 ID，或去掉该段",
  },
  at_kind: {
    en: "Write the account id as a string",
    zh: "at 的 data 必须是字符串（账号 ID）或对象",
  },
  at_nobody: {
    en: "Write the account id; without it nobody is mentioned",
    zh: "填写被 @ 的账号 ID：这里谁也没有 @ 到",
  },
  file_kind: {
    en: "Write the file as an object such as { name, size, url }, not as a path",
    zh: "file 的 data 必须是对象，如 { name, size, url }，不能是路径",
  },
  dict_kind: { en: "Write the data of a dict as an object", zh: "dict 的 data 必须是对象" },
  base64_kind: {
    en: "Write the bytes as base64: seg.image(bytes) does",
    zh: "data 必须是 base64 字符串，用 seg.image(bytes) 生成即可",
  },
  base64_ascii: {
    en: "Write the bytes of a picture as base64; a Unicode emoji belongs in a text",
    zh: "data 必须是图片的 base64；Unicode 表情请放进 text",
  },
  base64_broken: {
    en:
      "Write padded base64 of the bytes, without a data: prefix, and not a URL, a path or a name: seg.image(bytes) does",
    zh: "data 必须是带填充的 base64，不带 data: 前缀，也不能是网址、路径或名称，用 seg.image(bytes) 生成即可",
  },
  base64_garbled: {
    en:
      "Write plain base64 of the standard alphabet, without base64:// and not a URL: MaiBot skips what it does not know, " +
      "stops at the padding, and keeps garbage",
    zh:
      "data 必须是标准字母表的 base64，不带 base64://，也不能是网址：MaiBot 会跳过不认识的字符、止于填充，得到的是乱码",
  },
  base64_empty: {
    en: "Write the bytes as base64: there is no data here",
    zh: "data 里没有任何内容：请填写 base64",
  },
  image_large: {
    en:
      "The picture is larger than visual.max_image_size_mb of MaiBot's configuration: MaiBot compresses or discards it",
    zh: "图片超过 MaiBot 配置的 visual.max_image_size_mb，会被压缩或丢弃",
  },
  config_kind: {
    en: "Write additional_config as an object, or leave it out",
    zh: "additional_config 应为对象，或不写",
  },
  is_mentioned: {
    en:
      "Write is_mentioned as true, or as a number: MaiBot keeps the message and fails to answer; mention(message) does",
    zh: "is_mentioned 应为 true 或数字，否则消息入库却得不到回复；用 mention(message) 即可",
  },
  local_operator: {
    en: "Never let is_local_operator in from outside: MaiBot trusts it and grants operator rights; " +
      "stripTrusted(message) takes it out",
    zh: "不要放行外来的 is_local_operator：MaiBot 会信任它并授予操作员权限；用 stripTrusted(message) 去掉",
  },
  surrogate: {
    en:
      "Half of a surrogate pair cannot be stored. text.toWellFormed() repairs a string; this library's encoder does it for every message",
    zh: "单独的半个代理项无法存储：字符串可用 toWellFormed() 修正；用本库发送时会自动修正",
  },
  integer_range: {
    en: "Integers in a dict must be from -2^63 to 2^64 - 1: write a larger one as a string",
    zh: "dict 里的整数必须在 -2^63 到 2^64 - 1 之间，更大的请写成字符串",
  },
  dict_deep: {
    en: "The data of a dict is nested too deeply: MaiBot stores at most 1022 levels",
    zh: "dict 的 data 嵌套太深：MaiBot 最多存储 1022 层",
  },
};
