/**
 * The rules of MaiBot 1.2.1's front door: what each does to a message, and where it is written.
 * @module
 */

/**
 * What MaiBot does to a message that breaks a rule: `drop` loses all of it without a word to the sender, `damage` takes
 * it as something else than was meant, `warn` takes it as it is although that is hardly wanted.
 */
export type MaibotLevel = "drop" | "damage" | "warn";

/** Where a rule is written. */
type Source =
  | "maim_message 0.6.8, api.py, BaseMessageHandler.process_message"
  | "maim_message 0.6.8, message_base.py, from_dict"
  | "MaiBot 1.2.1, bot.py, ChatBot.message_process"
  | "MaiBot 1.2.1, bot.py, ChatBot.echo_message_process"
  | "MaiBot 1.2.1, MaiMessage.from_maim_message"
  | "MaiBot 1.2.1, utils_message.py, MessageUtils"
  | "MaiBot 1.2.1, utils_session.py, SessionUtils.calculate_session_id"
  | "MaiBot 1.2.1, chat_manager.py, register_message"
  | "MaiBot 1.2.1, chat/utils/utils.py, is_mentioned_bot_in_message"
  | "MaiBot 1.2.1, local_operator.py"
  | "MaiBot 1.2.1, outbound messages";

/** What a rule does, and where it is written. */
export interface RuleFacts {
  readonly level: MaibotLevel;
  readonly source: Source;
}

/** Names of the rules: stable, to be compared with and looked up. */
export type MaibotRule =
  // the frame
  | "not_object"
  | "onebot_frame"
  | "custom_nameless"
  | "custom_unknown"
  | "echo_incomplete"
  // message_info
  | "message_info"
  | "platform_kind"
  | "platform_empty"
  | "message_id_empty"
  | "message_id_missing"
  | "id_kind"
  | "time_missing"
  | "time_kind"
  | "time_range"
  | "time_unlikely"
  // who and where
  | "user_info_missing"
  | "user_info_kind"
  | "user_id_missing"
  | "user_id_null"
  | "user_id_empty"
  | "user_id_blank"
  | "nickname"
  | "group_info_kind"
  | "group_id_missing"
  | "group_id_null"
  | "group_id_empty"
  | "group_name"
  | "group_name_empty"
  | "party_kind"
  // the content
  | "segment_kind"
  | "segment_type"
  | "list_kind"
  | "list_nested"
  | "list_empty"
  | "text_kind"
  | "reply_kind"
  | "reply_empty"
  | "at_kind"
  | "at_nobody"
  | "file_kind"
  | "dict_kind"
  | "base64_kind"
  | "base64_ascii"
  | "base64_broken"
  | "base64_garbled"
  | "base64_empty"
  // additional_config
  | "config_kind"
  | "is_mentioned"
  | "local_operator";

const dispatch = "maim_message 0.6.8, api.py, BaseMessageHandler.process_message";
const fromDict = "maim_message 0.6.8, message_base.py, from_dict";
const door = "MaiBot 1.2.1, bot.py, ChatBot.message_process";
const echo = "MaiBot 1.2.1, bot.py, ChatBot.echo_message_process";
const convert = "MaiBot 1.2.1, MaiMessage.from_maim_message";
const content = "MaiBot 1.2.1, utils_message.py, MessageUtils";
const session = "MaiBot 1.2.1, utils_session.py, SessionUtils.calculate_session_id";

/** What each rule does, and where it is written. */
export const RULES: Readonly<Record<MaibotRule, RuleFacts>> = {
  not_object: { level: "drop", source: door },
  onebot_frame: { level: "drop", source: door },
  custom_nameless: { level: "drop", source: dispatch },
  custom_unknown: { level: "warn", source: dispatch },
  echo_incomplete: { level: "drop", source: echo },

  message_info: { level: "drop", source: door },
  platform_kind: { level: "drop", source: convert },
  platform_empty: { level: "drop", source: "MaiBot 1.2.1, chat_manager.py, register_message" },
  message_id_empty: { level: "drop", source: convert },
  message_id_missing: { level: "damage", source: convert },
  id_kind: { level: "damage", source: door },
  time_missing: { level: "drop", source: convert },
  time_kind: { level: "drop", source: convert },
  time_range: { level: "drop", source: convert },
  time_unlikely: { level: "damage", source: convert },

  user_info_missing: { level: "drop", source: convert },
  user_info_kind: { level: "drop", source: door },
  user_id_missing: { level: "drop", source: door },
  user_id_null: { level: "damage", source: door },
  user_id_empty: { level: "drop", source: session },
  user_id_blank: { level: "damage", source: session },
  nickname: { level: "drop", source: convert },
  group_info_kind: { level: "drop", source: door },
  group_id_missing: { level: "drop", source: door },
  group_id_null: { level: "damage", source: door },
  group_id_empty: { level: "damage", source: session },
  group_name: { level: "drop", source: convert },
  group_name_empty: { level: "damage", source: "MaiBot 1.2.1, outbound messages" },
  party_kind: { level: "drop", source: fromDict },

  segment_kind: { level: "drop", source: fromDict },
  segment_type: { level: "drop", source: content },
  list_kind: { level: "drop", source: fromDict },
  list_nested: { level: "drop", source: content },
  list_empty: { level: "warn", source: content },
  text_kind: { level: "drop", source: content },
  reply_kind: { level: "drop", source: content },
  reply_empty: { level: "damage", source: content },
  at_kind: { level: "drop", source: content },
  at_nobody: { level: "damage", source: content },
  file_kind: { level: "drop", source: content },
  dict_kind: { level: "drop", source: content },
  base64_kind: { level: "drop", source: content },
  base64_ascii: { level: "drop", source: content },
  base64_broken: { level: "drop", source: content },
  base64_garbled: { level: "damage", source: content },
  base64_empty: { level: "damage", source: content },

  config_kind: { level: "damage", source: convert },
  is_mentioned: { level: "damage", source: "MaiBot 1.2.1, chat/utils/utils.py, is_mentioned_bot_in_message" },
  local_operator: { level: "warn", source: "MaiBot 1.2.1, local_operator.py" },
};
