/**
 * The hint of each rule, in English and Chinese. A hint says what to write instead.
 * @module
 */

import type { MaibotRule } from "./rules.ts";

/** A hint in both languages. */
export interface Hint {
  readonly en: string;
  readonly zh: string;
}

/** The hint of each rule. The English and the Chinese text of a hint say the same. */
export const HINTS: Readonly<Record<MaibotRule, Hint>> = {
  not_object: {
    en: "Send one JSON object per text frame, as createMessage makes it",
    zh: "每个文本帧只能是一个 JSON 对象，用 createMessage 生成即可",
  },
  onebot_frame: {
    en: "This is a OneBot event: connect NapCat to an adapter, and the adapter to MaiBot",
    zh: "这是 OneBot 事件：NapCat 应连接适配器，再由适配器连接 MaiBot",
  },
  custom_nameless: {
    en: "Write the name of a custom message in message_type_name; leave is_custom_message out of an ordinary message",
    zh: "自定义消息要在 message_type_name 里写名称；普通消息不要带 is_custom_message",
  },
  custom_unhashable: {
    en: "message_type_name must be a string: with an array or an object MaiBot fails before it reads the message",
    zh: "message_type_name 必须是字符串：写成数组或对象，MaiBot 还没读消息就出错了",
  },
  custom_unknown: {
    en: "MaiBot handles only the custom message message_id_echo; all others are lost",
    zh: "MaiBot 只处理 message_id_echo，其他名称的自定义消息都会丢失",
  },
  echo_incomplete: {
    en:
      'content must be { type: "echo", echo: <message_id of MaiBot\'s message>, actual_id: <id on the platform> }; use echoMessageId',
    zh:
      'content 必须是 { type: "echo", echo: <MaiBot 消息的 message_id>, actual_id: <平台消息 ID> }，用 echoMessageId 即可',
  },

  message_info: {
    en: "message_info must be an object; a JSON heartbeat or login frame is dropped for the same reason",
    zh: "message_info 必须是对象；JSON 心跳帧、登录帧也会因此被丢弃",
  },
  platform_kind: {
    en: "platform must be a string, the same as in the handshake",
    zh: "platform 必须是字符串，并与连接时的平台名一致",
  },
  platform_empty: {
    en: "platform must not be empty; write the same name as in the handshake",
    zh: "platform 不能为空，应与连接时的平台名一致",
  },
  account_kind: {
    en: "account_id must be a string, the bot's own id on that platform; or leave it out",
    zh: "account_id 必须是字符串，即机器人自己在该平台的账号；也可以不写",
  },
  scope_kind: {
    en: "scope must be a string; or leave it out",
    zh: "scope 必须是字符串；也可以不写",
  },
  message_id_empty: {
    en: "message_id must not be empty: write the platform's message id, or let createMessage create one",
    zh: "message_id 不能为空：填写平台的消息 ID，或由 createMessage 生成",
  },
  message_id_missing: {
    en: 'Write message_id: without it every message has the id "None", and quotes and echoes find the wrong message',
    zh: '请填写 message_id：缺少时所有消息的 ID 都是 "None"，引用和回送会找错消息',
  },
  id_kind: {
    en: "The id should be a string: MaiBot stores Python's notation of this value",
    zh: "ID 应为字符串：MaiBot 存下的会是这个值的 Python 写法",
  },
  time_missing: {
    en: "time must be Unix seconds, and not 0: Date.now() / 1000",
    zh: "time 必须是 Unix 秒数，且不能为 0：Date.now() / 1000",
  },
  time_kind: {
    en: "time must be a number, not a string: Date.now() / 1000",
    zh: "time 必须是数字，不能是字符串：Date.now() / 1000",
  },
  time_range: {
    en: "time must be in seconds, not milliseconds: Date.now() / 1000",
    zh: "time 的单位是秒，不是毫秒：Date.now() / 1000",
  },
  time_unlikely: {
    en: "time should be seconds since 1970, not since the program started: Date.now() / 1000",
    zh: "time 应为自 1970 年起的秒数，而不是程序启动后的秒数：Date.now() / 1000",
  },

  user_info_missing: {
    en: "user_info (the author) is required, with user_id and user_nickname; sender_info does not replace it",
    zh: "必须有 user_info（发送者），含 user_id 与 user_nickname；sender_info 不能代替",
  },
  user_info_kind: {
    en: "user_info must be an object with user_id and user_nickname",
    zh: "user_info 必须是对象，含 user_id 与 user_nickname",
  },
  user_id_missing: {
    en: "user_info must have user_id, the author's id on the platform",
    zh: "user_info 必须有 user_id，即发送者在平台上的 ID",
  },
  user_id_null: {
    en: 'user_id should not be null: all such authors become the same user, "None"',
    zh: 'user_id 不应为 null：这样的发送者都会变成同一个用户 "None"',
  },
  user_id_empty: {
    en: "user_id must not be empty: it is all that identifies a private chat",
    zh: "user_id 不能为空：私聊会话只靠它区分",
  },
  user_id_blank: {
    en: "user_id should not be empty: MaiBot takes all such authors for the same user",
    zh: "user_id 不应为空：MaiBot 会把这样的发送者都当成同一个用户",
  },
  nickname: {
    en: "user_nickname must be a string; write user_id if there is no nickname",
    zh: "user_nickname 必须是字符串；没有昵称时填 user_id",
  },
  group_info_kind: {
    en: "group_info must be an object with group_id and group_name; leave it out in a private chat",
    zh: "group_info 必须是对象，含 group_id 与 group_name；私聊时不要带",
  },
  group_id_missing: {
    en: "group_info must have group_id; leave group_info out in a private chat",
    zh: "group_info 必须有 group_id；私聊时不要带 group_info",
  },
  group_id_null: {
    en: 'group_id should not be null: all such groups become the same group, "None"',
    zh: 'group_id 不应为 null：这样的群都会变成同一个群 "None"',
  },
  group_id_empty: {
    en: "group_id should not be empty: MaiBot takes the message for a private chat with its author",
    zh: "group_id 不应为空：MaiBot 会当成与发送者的私聊",
  },
  group_name: {
    en: "group_name must be a string; write group_id if there is no group name",
    zh: "group_name 必须是字符串；没有群名时填 group_id",
  },
  group_name_empty: {
    en: "group_name should not be empty: without it MaiBot's answers do not name the group",
    zh: "group_name 不应为空：否则 MaiBot 的回复里没有群信息",
  },
  party_kind: {
    en: "This member must be an object; or leave it out, because MaiBot does not use sender_info and receiver_info",
    zh: "这里必须是对象；也可以不写，MaiBot 不使用 sender_info 与 receiver_info",
  },

  platform_foreign: {
    en:
      'MaiBot\'s configuration has no account for this platform. Add one: [bot] qq_account for QQ, for other platforms [bot] platforms = ["platform:account"]',
    zh: 'MaiBot 的配置里没有该平台的账号，请加上：QQ 写 [bot] qq_account，其他平台写 [bot] platforms = ["平台:账号"]',
  },
  account_missing: {
    en:
      "The message names no account: MaiBot stores it and never answers it. Set the option account of MessageClient (or of createMessage) to the bot's own id on that platform, as in [bot] of MaiBot's configuration",
    zh:
      "消息没写账号：MaiBot 会存下它，但永远不会回复。请给 MessageClient（或 createMessage）加上选项 account，值是机器人自己在该平台的账号，与 MaiBot 配置的 [bot] 一致",
  },
  account_foreign: {
    en:
      "MaiBot's configuration has another account for this platform, and MaiBot answers only as that one. Write the same account in both places: [bot] qq_account for QQ, for other platforms [bot] platforms",
    zh:
      "MaiBot 配置里该平台是另一个账号，MaiBot 只会以那个账号回复。两边要写成一样：QQ 看 [bot] qq_account，其他平台看 [bot] platforms",
  },
  target_blank: {
    en: "The id of the user (in a group: of the group) is blank: MaiBot opens no chat for it",
    zh: "用户 ID（群聊时为群 ID）全是空白：MaiBot 不会为它开启会话",
  },
  own_message: {
    en:
      "The author is the bot itself: MaiBot 1.3.15 answers its own messages without end. Do not forward what the bot has sent. To answer a message of MaiBot, take the recipient from replyTarget(message), because message_info.user_info of the message is the bot",
    zh:
      "发送者是机器人自己：MaiBot 1.3.15 会没完没了地回复自己。不要转发机器人发出的消息；要回复 MaiBot 的消息，用 replyTarget(message) 取得对象，因为它的 message_info.user_info 是机器人自己",
  },

  segment_kind: {
    en: "A segment must be an object { type, data }, as seg.text and the other builders make it",
    zh: "消息段必须是 { type, data } 对象，用 seg.text 等生成即可",
  },
  segment_type: {
    en:
      "MaiBot supports text, image, emoji, voice, file, at, reply and dict, and drops the whole message for any other " +
      "segment: write it as text, or leave it out",
    zh:
      "MaiBot 只支持 text、image、emoji、voice、file、at、reply、dict，有一个消息段不支持就丢弃整条消息：改写成文字，或去掉该消息段",
  },
  list_kind: {
    en: "The data of a seglist must be an array of segments",
    zh: "seglist 的 data 必须是消息段数组",
  },
  list_nested: {
    en: "A seglist must not hold another: merge them into one list, as seg.list does",
    zh: "seglist 不能嵌套：合并成一层，用 seg.list 即可",
  },
  list_empty: {
    en: "Write at least one segment: there is nothing that MaiBot can answer",
    zh: "至少要有一个消息段：否则 MaiBot 没有可回复的内容",
  },
  text_kind: {
    en: "The data of a text must be a string",
    zh: "text 的 data 必须是字符串",
  },
  reply_kind: {
    en: "The data of a reply must be a string, the id of the quoted message",
    zh: "reply 的 data 必须是字符串，即被引用消息的 ID",
  },
  reply_empty: {
    en: "Write the id of the quoted message, or leave the segment out",
    zh: "填写被引用消息的 ID，或去掉该消息段",
  },
  at_kind: {
    en: "The data of an at must be a string (the account id) or an object",
    zh: "at 的 data 必须是字符串（账号 ID）或对象",
  },
  at_nobody: {
    en: "Write the account id: without it nobody is mentioned",
    zh: "填写被 @ 的账号 ID：否则谁也没有被 @",
  },
  file_kind: {
    en: "The data of a file must be an object such as { name, size, url }, not a path",
    zh: "file 的 data 必须是对象，如 { name, size, url }，不能是路径",
  },
  dict_kind: {
    en: "The data of a dict must be an object",
    zh: "dict 的 data 必须是对象",
  },
  base64_kind: {
    en: "The data must be a base64 string; seg.image(bytes) and the other builders make it",
    zh: "data 必须是 base64 字符串，用 seg.image(bytes) 等生成即可",
  },
  base64_ascii: {
    en: "The data must be base64; write a Unicode emoji in a text segment",
    zh: "data 必须是 base64；Unicode 表情请放进 text 消息段",
  },
  base64_broken: {
    en:
      "The data must be base64 with padding, without a data: prefix, and not a URL, a path or a name; seg.image(bytes) makes it",
    zh: "data 必须是带填充的 base64，不带 data: 前缀，也不能是网址、路径或名称，用 seg.image(bytes) 生成即可",
  },
  base64_garbled: {
    en:
      "The data must be base64 of the standard alphabet, without base64://, and not a URL: MaiBot ignores other characters, " +
      "stops at the padding, and stores broken data. A broken picture can also delay every later answer in the chat, by up " +
      "to 32 s (visual.wait_image_recognize_max_time)",
    zh:
      "data 必须是标准字母表的 base64，不带 base64://，也不能是网址：MaiBot 会跳过其他字符、遇到填充就停止，存下来的是损坏的数据。" +
      "损坏的图片还可能让该会话之后的每次回复最多晚 32 秒（visual.wait_image_recognize_max_time）",
  },
  base64_empty: {
    en: "The data is empty: write the bytes as base64",
    zh: "data 是空的：请填写 base64",
  },
  image_large: {
    en:
      "The picture is larger than visual.max_image_size_mb of MaiBot's configuration: MaiBot compresses or discards it",
    zh: "图片超过 MaiBot 配置的 visual.max_image_size_mb，会被压缩或丢弃",
  },

  config_kind: {
    en: "additional_config should be an object; or leave it out",
    zh: "additional_config 应为对象；也可以不写",
  },
  is_mentioned: {
    en:
      "is_mentioned should be true or a number: otherwise MaiBot stores the message, fails, and does not answer; use mention(message)",
    zh: "is_mentioned 应为 true 或数字：否则 MaiBot 存下消息后会出错，不会回复；用 mention(message) 即可",
  },
  local_operator: {
    en: "Do not pass on is_local_operator from outside: MaiBot trusts it and grants operator rights; " +
      "stripTrusted(message) removes it",
    zh: "不要放行外来的 is_local_operator：MaiBot 会信任它并授予操作员权限；用 stripTrusted(message) 去掉",
  },

  surrogate: {
    en:
      "Half a surrogate pair cannot be stored: repair a string with toWellFormed(); this library repairs every message that it sends",
    zh: "单独的半个代理项无法存储：字符串可用 toWellFormed() 修正；用本库发送时会自动修正",
  },
  integer_range: {
    en: "Integers in a dict must be from -2^63 to 2^64 - 1: write others as strings",
    zh: "dict 里的整数必须在 -2^63 到 2^64 - 1 之间，超出的请写成字符串",
  },
  dict_deep: {
    en: "The data of a dict is nested too deeply: MaiBot stores at most 1022 levels",
    zh: "dict 的 data 嵌套太深：MaiBot 最多存储 1022 层",
  },
};
