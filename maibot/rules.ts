/**
 * The rules by which MaiBot takes a message, by version: what each does to one that breaks it, and where it is written.
 * @module
 */

/** The versions of MaiBot whose rules are known. */
export const MAIBOT_VERSIONS = ["1.3.15", "1.2.1"] as const;

/** A version of MaiBot whose rules are known; others behave like the nearest of them. */
export type MaibotVersion = typeof MAIBOT_VERSIONS[number];

/**
 * What MaiBot does to a message that breaks a rule: `drop` loses all of it without a word to the sender, `unanswered`
 * stores it and can never answer, `damage` takes it as something else than was meant, `warn` takes it as it is although
 * that is hardly wanted.
 */
export type MaibotLevel = "drop" | "unanswered" | "damage" | "warn";

/** What a rule does, in which versions it holds, and where each of them has it. */
export interface RuleFacts {
  readonly level: MaibotLevel;
  /** Where the rule is written, by version; one that is not named does not have it. */
  readonly sources: Readonly<Partial<Record<MaibotVersion, string>>>;
}

/** Names of the rules: stable, to be compared with and looked up. */
export type MaibotRule =
  // the frame
  | "not_object"
  | "onebot_frame"
  | "custom_nameless"
  | "custom_unhashable"
  | "custom_unknown"
  | "echo_incomplete"
  // message_info
  | "message_info"
  | "platform_kind"
  | "platform_empty"
  | "account_kind"
  | "scope_kind"
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
  // the chat
  | "platform_foreign"
  | "account_missing"
  | "account_foreign"
  | "target_blank"
  | "own_message"
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
  | "image_large"
  // additional_config
  | "config_kind"
  | "is_mentioned"
  | "local_operator"
  // the database
  | "surrogate"
  | "integer_range"
  | "dict_deep";

const dispatch = "maim_message 0.6.8, api.py, BaseMessageHandler.process_message";
const fromDict = "maim_message 0.6.8, message_base.py, from_dict";
const door = "chat/message_receive/bot.py, ChatBot.message_process";
const echo = "chat/message_receive/bot.py, ChatBot.echo_message_process";
const convert = "common/data_models/mai_message_data_model.py, MaiMessage.from_maim_message";
const content = "common/utils/utils_message.py, MessageUtils";
const session = "common/utils/utils_session.py, SessionUtils.calculate_session_id";
const outbound = "services/send_service.py, outbound messages";
const route = "platform_io/route_key_factory.py, RouteKeyFactory.from_message_dict";
const drivers = "platform_io/manager.py, PlatformIOManager.resolve_drivers";
const store = "common/utils/utils_message.py, MessageUtils.store_message_to_db";

/** A rule of maim_message, which both versions of MaiBot pin at 0.6.8. */
const wire = (level: MaibotLevel, place: string): RuleFacts => {
  return { level, sources: { "1.3.15": place, "1.2.1": place } };
};

/** A rule that both versions have in one place. */
const both = (level: MaibotLevel, place: string): RuleFacts => {
  return { level, sources: { "1.3.15": `MaiBot 1.3.15, ${place}`, "1.2.1": `MaiBot 1.2.1, ${place}` } };
};

/** A rule that came with 1.3. */
const since13 = (level: MaibotLevel, place: string): RuleFacts => {
  return { level, sources: { "1.3.15": `MaiBot 1.3.15, ${place}` } };
};

/** What each rule does, in which versions, and where it is written. */
export const RULES: Readonly<Record<MaibotRule, RuleFacts>> = {
  not_object: both("drop", door),
  onebot_frame: both("drop", door),
  custom_nameless: wire("drop", dispatch),
  custom_unhashable: wire("drop", dispatch),
  custom_unknown: wire("drop", dispatch),
  echo_incomplete: both("drop", echo),

  message_info: both("drop", door),
  platform_kind: {
    level: "drop",
    sources: { "1.3.15": `MaiBot 1.3.15, ${route}`, "1.2.1": `MaiBot 1.2.1, ${convert}` },
  },
  platform_empty: {
    level: "drop",
    sources: { "1.3.15": `MaiBot 1.3.15, ${route}`, "1.2.1": "MaiBot 1.2.1, chat_manager.py, register_message" },
  },
  account_kind: since13("drop", route),
  scope_kind: since13("drop", route),
  message_id_empty: both("drop", convert),
  message_id_missing: both("damage", convert),
  id_kind: both("damage", door),
  time_missing: both("drop", convert),
  time_kind: both("drop", convert),
  time_range: both("drop", convert),
  time_unlikely: both("damage", convert),

  user_info_missing: both("drop", convert),
  user_info_kind: both("drop", door),
  user_id_missing: both("drop", door),
  user_id_null: both("damage", door),
  user_id_empty: both("drop", session),
  user_id_blank: both("damage", session),
  nickname: both("drop", convert),
  group_info_kind: both("drop", door),
  group_id_missing: both("drop", door),
  group_id_null: both("damage", door),
  group_id_empty: both("damage", session),
  group_name: both("drop", convert),
  group_name_empty: { level: "damage", sources: { "1.2.1": `MaiBot 1.2.1, ${outbound}` } },
  party_kind: wire("drop", fromDict),

  platform_foreign: both("unanswered", drivers),
  account_missing: since13("unanswered", "maisaka/builtin_tool/reply.py, the account of a quoting answer"),
  account_foreign: both("unanswered", drivers),
  target_blank: since13("unanswered", "platform_io/adapter_policy.py, AdapterPolicyManager.evaluate"),
  own_message: both("warn", "maisaka, turn gates"),

  segment_kind: wire("drop", fromDict),
  segment_type: both("drop", content),
  list_kind: wire("drop", fromDict),
  list_nested: both("drop", content),
  list_empty: both("warn", content),
  text_kind: both("drop", content),
  reply_kind: both("drop", content),
  reply_empty: both("damage", content),
  at_kind: both("drop", content),
  at_nobody: both("damage", content),
  file_kind: both("drop", content),
  dict_kind: both("drop", content),
  base64_kind: both("drop", content),
  base64_ascii: both("drop", content),
  base64_broken: both("drop", content),
  base64_garbled: both("damage", content),
  base64_empty: both("damage", content),
  image_large: both("damage", "chat/message_receive/image_receive_compressor.py"),

  config_kind: both("damage", convert),
  is_mentioned: both("damage", "chat/utils/utils.py, is_mentioned_bot_in_message"),
  local_operator: both("warn", "core/local_operator.py"),

  surrogate: both("drop", store),
  integer_range: both("drop", store),
  dict_deep: both("drop", store),
};
