import { type ChatSession, isInternalPlatform } from "./chat_session.ts";
import { INFO, type Report } from "./fault.ts";
import { type Fields, isObject, own, strip, toId } from "./python/values.ts";
import { builtInCommand } from "./segments.ts";
import type { MaibotSetup } from "./setup.ts";

/** An ordinary message that belongs to a chat. */
export interface ChatMessage {
  readonly frame: Fields;
  /** Its `message_info`. */
  readonly info: Fields;
  readonly session: ChatSession;
}

/**
 * Returns the JSON path of the account; if the message names no account, the path of the member that should hold it.
 */
function accountPath({ frame, info, session }: ChatMessage): string {
  if (session.account === null || own(frame, "account_id") !== undefined) return "$.account_id";
  return isObject(own(info, "additional_config")) ? `${INFO}.additional_config` : "$.account_id";
}

/**
 * Compares the account of a message with the account in MaiBot's configuration. `configured` is the latter; `null` if
 * it is not known.
 */
function accountFaults(message: ChatMessage, configured: string | null, report: Report): void {
  const { account } = message.session;
  if (account === null) {
    const isCommand = builtInCommand(own(message.frame, "message_segment")) !== null;
    if (!isCommand) report("account_missing", accountPath(message));
  } else if (configured !== null && account !== configured) {
    report("account_foreign", accountPath(message));
  }
}

/** Reports the reasons why MaiBot would store a message but never answer it. */
export function answerFaults(message: ChatMessage, { accountOn }: MaibotSetup, report: Report): void {
  const { info, session } = message;
  const isInternal = isInternalPlatform(session.platform);
  const configured = accountOn?.(session.platform) ?? null;
  if (accountOn !== null && configured === null && !isInternal) report("platform_foreign", `${INFO}.platform`);
  accountFaults(message, configured, report);
  if (strip(session.id) === "" && !isInternal) {
    report("target_blank", session.type === "group" ? `${INFO}.group_info.group_id` : `${INFO}.user_info.user_id`);
  }
  const user = own(info, "user_info");
  const author = isObject(user) ? toId(own(user, "user_id")) : "";
  if (author !== "" && author === (configured ?? session.account)) report("own_message", `${INFO}.user_info.user_id`);
}
