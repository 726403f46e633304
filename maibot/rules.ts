/**
 * The rules by which MaiBot takes a message, by version: what each does to one that breaks it, and where it is written.
 * @module
 */

/** A version of MaiBot whose rules are known; others behave like the nearest of them. */
export type MaibotVersion = "1.3.15" | "1.2.1";

/** The versions of MaiBot whose rules are known, the newest first. */
export const MAIBOT_VERSIONS: readonly MaibotVersion[] = ["1.3.15", "1.2.1"];

/**
 * What MaiBot does to a message that breaks a rule: `drop` loses all of it without a word to the sender, `unanswered`
 * stores it and can never answer, `damage` takes it as something else than was meant, `warn` takes it as it is although
 * that is hardly wanted.
 */
export type MaibotLevel = "drop" | "unanswered" | "damage" | "warn";

/** Where a rule is written. */
export interface RuleSource {
  /** The program and its version, as `MaiBot 1.3.15`. */
  readonly program: string;
  /** The file, with its path inside `src`. */
  readonly file: string;
  /** The function in it, or what is meant of it. */
  readonly place: string;
}

/** What a rule does, in which versions it holds, and where each of them has it. */
export interface RuleFacts {
  readonly level: MaibotLevel;
  /** Where the rule is written, by version; one that is not named does not have it. */
  readonly sources: Readonly<Partial<Record<MaibotVersion, RuleSource>>>;
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

type Place = readonly [file: string, place: string];

const dispatch: Place = ["api.py", "BaseMessageHandler.process_message"];
const fromDict: Place = ["message_base.py", "from_dict"];
const door: Place = ["chat/message_receive/bot.py", "ChatBot.message_process"];
const echo: Place = ["chat/message_receive/bot.py", "ChatBot.echo_message_process"];
const convert: Place = ["common/data_models/mai_message_data_model.py", "MaiMessage.from_maim_message"];
const content: Place = ["common/utils/utils_message.py", "MessageUtils"];
const session: Place = ["common/utils/utils_session.py", "SessionUtils.calculate_session_id"];
const register: Place = ["chat/message_receive/chat_manager.py", "ChatManager.register_message"];
const outbound: Place = ["services/send_service.py", "outbound messages"];
const route: Place = ["platform_io/route_key_factory.py", "RouteKeyFactory.from_message_dict"];
const drivers: Place = ["platform_io/manager.py", "PlatformIOManager.resolve_drivers"];
const quote: Place = ["maisaka/builtin_tool/reply.py", "_resolve_reply_quote"];
const policy: Place = ["platform_io/adapter_policy.py", "AdapterPolicyManager.evaluate"];
const store: Place = ["common/utils/utils_message.py", "MessageUtils.store_message_to_db"];

function at(program: string, [file, place]: Place): RuleSource {
  return { program, file, place };
}

/** A rule of maim_message, which both versions of MaiBot pin at 0.6.8. */
function wire(level: MaibotLevel, place: Place): RuleFacts {
  const source = at("maim_message 0.6.8", place);
  return { level, sources: { "1.3.15": source, "1.2.1": source } };
}

/** A rule of both versions. */
function both(level: MaibotLevel, newer: Place, older: Place = newer): RuleFacts {
  return { level, sources: { "1.3.15": at("MaiBot 1.3.15", newer), "1.2.1": at("MaiBot 1.2.1", older) } };
}

/** A rule that came with MaiBot 1.3. */
function since13(level: MaibotLevel, place: Place): RuleFacts {
  return { level, sources: { "1.3.15": at("MaiBot 1.3.15", place) } };
}

/** A rule that went with MaiBot 1.3. */
function before13(level: MaibotLevel, place: Place): RuleFacts {
  return { level, sources: { "1.2.1": at("MaiBot 1.2.1", place) } };
}

/** What each rule does, in which versions, and where it is written. */
export const RULES: Readonly<Record<MaibotRule, RuleFacts>> = {
  not_object: both("drop", door),
  onebot_frame: both("drop", door),
  custom_nameless: wire("drop", dispatch),
  custom_unhashable: wire("drop", dispatch),
  custom_unknown: wire("drop", dispatch),
  echo_incomplete: both("drop", echo),

  message_info: both("drop", door),
  platform_kind: both("drop", route, convert),
  platform_empty: both("drop", route, register),
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
  group_name_empty: before13("damage", outbound),
  party_kind: wire("drop", fromDict),

  platform_foreign: both("unanswered", drivers),
  account_missing: since13("unanswered", quote),
  account_foreign: both("unanswered", drivers),
  target_blank: since13("unanswered", policy),
  own_message: both("warn", ["maisaka/turn_trigger/gates.py", "_filter_external_messages"], [
    "maisaka/turn_gates.py",
    "own messages",
  ]),

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
  image_large: both("damage", ["chat/message_receive/image_receive_compressor.py", "_process_image_component"]),

  config_kind: both("damage", convert),
  is_mentioned: both("damage", ["chat/utils/utils.py", "is_mentioned_bot_in_message"]),
  local_operator: both("warn", ["core/local_operator.py", "is_local_operator"]),

  surrogate: both("drop", store),
  integer_range: both("drop", store),
  dict_deep: both("drop", store),
};
