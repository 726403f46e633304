/**
 * The rules by which MaiBot accepts a message. For each rule: the effect of breaking it, and its place in the source of
 * each version of MaiBot.
 * @module
 */

/**
 * A version of MaiBot whose rules are known: `"1.3.15"` for 1.3.10 and newer, `"1.2.1"` for older versions.
 */
export type MaibotVersion = "1.3.15" | "1.2.1";

/** The versions of MaiBot whose rules are known, newest first. */
export const MAIBOT_VERSIONS: readonly MaibotVersion[] = ["1.3.15", "1.2.1"];

/**
 * The effect of a broken rule on a message:
 *
 * - `drop`: MaiBot drops the message. The sender gets no error.
 * - `unanswered`: MaiBot stores the message, but can never answer it.
 * - `damage`: MaiBot accepts the message, but reads something that the sender did not mean.
 * - `warn`: MaiBot accepts the message as it is, but there is probably a mistake in it.
 */
export type MaibotLevel = "drop" | "unanswered" | "damage" | "warn";

/** The place of a rule in a program's source. */
export interface RuleSource {
  /** Program and version, such as `MaiBot 1.3.15`. */
  readonly program: string;
  /** Path of the file inside `src`. */
  readonly file: string;
  /** The function in the file that has the rule, or a short description of that code. */
  readonly place: string;
}

/** The effect of breaking a rule, and the place of the rule in each version. */
export interface RuleFacts {
  readonly level: MaibotLevel;
  /** The place of the rule in each version. A version that is missing here does not have the rule. */
  readonly sources: Readonly<Partial<Record<MaibotVersion, RuleSource>>>;
}

/** Names of the rules. They are stable: code may compare them. */
export type MaibotRule =
  // frames
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
  // user and group
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
  // account and chat
  | "platform_foreign"
  | "account_missing"
  | "account_foreign"
  | "target_blank"
  | "own_message"
  // segments
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
  // storage
  | "surrogate"
  | "integer_range"
  | "dict_deep";

/** The file that has a rule, and the function in the file. */
type Place = readonly [file: string, place: string];

// Each constant is named after its function, class or module.
const processMessage: Place = ["api.py", "BaseMessageHandler.process_message"];
const fromDict: Place = ["message_base.py", "from_dict"];
const messageProcess: Place = ["chat/message_receive/bot.py", "ChatBot.message_process"];
const echoMessageProcess: Place = ["chat/message_receive/bot.py", "ChatBot.echo_message_process"];
const fromMaimMessage: Place = ["common/data_models/mai_message_data_model.py", "MaiMessage.from_maim_message"];
const messageUtils: Place = ["common/utils/utils_message.py", "MessageUtils"];
const calculateSessionId: Place = ["common/utils/utils_session.py", "SessionUtils.calculate_session_id"];
const registerMessage: Place = ["chat/message_receive/chat_manager.py", "ChatManager.register_message"];
const sendService: Place = ["services/send_service.py", "outbound messages"];
const fromMessageDict: Place = ["platform_io/route_key_factory.py", "RouteKeyFactory.from_message_dict"];
const resolveDrivers: Place = ["platform_io/manager.py", "PlatformIOManager.resolve_drivers"];
const resolveReplyQuote: Place = ["maisaka/builtin_tool/reply.py", "_resolve_reply_quote"];
const evaluatePolicy: Place = ["platform_io/adapter_policy.py", "AdapterPolicyManager.evaluate"];
const storeMessage: Place = ["common/utils/utils_message.py", "MessageUtils.store_message_to_db"];

function sourceOf(program: string, [file, place]: Place): RuleSource {
  return { program, file, place };
}

/** Returns the facts of a rule of maim_message. Both versions of MaiBot use maim_message 0.6.8. */
function inMaimMessage(level: MaibotLevel, place: Place): RuleFacts {
  const source = sourceOf("maim_message 0.6.8", place);
  return { level, sources: { "1.3.15": source, "1.2.1": source } };
}

/** Returns the facts of a rule that both versions of MaiBot have. */
function inBoth(level: MaibotLevel, newer: Place, older: Place = newer): RuleFacts {
  return { level, sources: { "1.3.15": sourceOf("MaiBot 1.3.15", newer), "1.2.1": sourceOf("MaiBot 1.2.1", older) } };
}

/** Returns the facts of a rule that only the newer version of MaiBot has. */
function inNewer(level: MaibotLevel, place: Place): RuleFacts {
  return { level, sources: { "1.3.15": sourceOf("MaiBot 1.3.15", place) } };
}

/** Returns the facts of a rule that only the older version of MaiBot has. */
function inOlder(level: MaibotLevel, place: Place): RuleFacts {
  return { level, sources: { "1.2.1": sourceOf("MaiBot 1.2.1", place) } };
}

/** The facts of each rule. */
export const RULES: Readonly<Record<MaibotRule, RuleFacts>> = {
  not_object: inBoth("drop", messageProcess),
  onebot_frame: inBoth("drop", messageProcess),
  custom_nameless: inMaimMessage("drop", processMessage),
  custom_unhashable: inMaimMessage("drop", processMessage),
  custom_unknown: inMaimMessage("drop", processMessage),
  echo_incomplete: inBoth("drop", echoMessageProcess),

  message_info: inBoth("drop", messageProcess),
  platform_kind: inBoth("drop", fromMessageDict, fromMaimMessage),
  platform_empty: inBoth("drop", fromMessageDict, registerMessage),
  account_kind: inNewer("drop", fromMessageDict),
  scope_kind: inNewer("drop", fromMessageDict),
  message_id_empty: inBoth("drop", fromMaimMessage),
  message_id_missing: inBoth("damage", fromMaimMessage),
  id_kind: inBoth("damage", messageProcess),
  time_missing: inBoth("drop", fromMaimMessage),
  time_kind: inBoth("drop", fromMaimMessage),
  time_range: inBoth("drop", fromMaimMessage),
  time_unlikely: inBoth("damage", fromMaimMessage),

  user_info_missing: inBoth("drop", fromMaimMessage),
  user_info_kind: inBoth("drop", messageProcess),
  user_id_missing: inBoth("drop", messageProcess),
  user_id_null: inBoth("damage", messageProcess),
  user_id_empty: inBoth("drop", calculateSessionId),
  user_id_blank: inBoth("damage", calculateSessionId),
  nickname: inBoth("drop", fromMaimMessage),
  group_info_kind: inBoth("drop", messageProcess),
  group_id_missing: inBoth("drop", messageProcess),
  group_id_null: inBoth("damage", messageProcess),
  group_id_empty: inBoth("damage", calculateSessionId),
  group_name: inBoth("drop", fromMaimMessage),
  group_name_empty: inOlder("damage", sendService),
  party_kind: inMaimMessage("drop", fromDict),

  platform_foreign: inBoth("unanswered", resolveDrivers),
  account_missing: inNewer("unanswered", resolveReplyQuote),
  account_foreign: inBoth("unanswered", resolveDrivers),
  target_blank: inNewer("unanswered", evaluatePolicy),
  own_message: inBoth("warn", ["maisaka/turn_trigger/gates.py", "_filter_external_messages"], [
    "maisaka/turn_gates.py",
    "own messages",
  ]),

  segment_kind: inMaimMessage("drop", fromDict),
  segment_type: inBoth("drop", messageUtils),
  list_kind: inMaimMessage("drop", fromDict),
  list_nested: inBoth("drop", messageUtils),
  list_empty: inBoth("warn", messageUtils),
  text_kind: inBoth("drop", messageUtils),
  reply_kind: inBoth("drop", messageUtils),
  reply_empty: inBoth("damage", messageUtils),
  at_kind: inBoth("drop", messageUtils),
  at_nobody: inBoth("damage", messageUtils),
  file_kind: inBoth("drop", messageUtils),
  dict_kind: inBoth("drop", messageUtils),
  base64_kind: inBoth("drop", messageUtils),
  base64_ascii: inBoth("drop", messageUtils),
  base64_broken: inBoth("drop", messageUtils),
  base64_garbled: inBoth("damage", messageUtils),
  base64_empty: inBoth("damage", messageUtils),
  image_large: inBoth("damage", ["chat/message_receive/image_receive_compressor.py", "_process_image_component"]),

  config_kind: inBoth("damage", fromMaimMessage),
  is_mentioned: inBoth("damage", ["chat/utils/utils.py", "is_mentioned_bot_in_message"]),
  local_operator: inBoth("warn", ["core/local_operator.py", "is_local_operator"]),

  surrogate: inBoth("drop", storeMessage),
  integer_range: inBoth("drop", storeMessage),
  dict_deep: inBoth("drop", storeMessage),
};
