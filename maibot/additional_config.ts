import type { MessageBase } from "../schema/types.ts";
import { isObject } from "./python/values.ts";

/** Options of {@linkcode mention}. */
export interface MentionOptions {
  /**
   * True if the user addressed the bot by its name or by a reply, not by an @.
   *
   * @default {false}
   */
  isWeak?: boolean;
}

function withConfig<T extends MessageBase>(message: T, config: Record<string, unknown>): T {
  return { ...message, message_info: { ...message.message_info, additional_config: config } };
}

/**
 * Marks a message as addressed to the bot. Without the mark, MaiBot recognises only an `at` segment with the bot's
 * account.
 *
 * The function sets `is_mentioned` in `additional_config`; if `isWeak` is false, it also sets `at_bot`. MaiBot always
 * answers a marked message, unless MaiBot's configuration says otherwise.
 *
 * Source: MaiBot 1.2.1, chat/utils/utils.py, is_mentioned_bot_in_message.
 *
 * @param message The message. It is not changed.
 * @param options How the user addressed the bot.
 * @returns A copy of the message, with the marks.
 *
 * @example In a group
 * ```ts
 * import { mention } from "@maim/message/maibot";
 * import { createMessage, seg } from "@maim/message/schema";
 *
 * const message = createMessage({ platform: "qq", user: "10001", group: "987" }, seg.text("在吗？"));
 * console.log(mention(message).message_info.additional_config); // { is_mentioned: true, at_bot: true }
 * ```
 */
export function mention<T extends MessageBase>(message: T, { isWeak = false }: MentionOptions = {}): T {
  const { additional_config: config } = message.message_info;
  const known = isObject(config) ? config : {};
  return withConfig(message, { ...known, is_mentioned: true, ...(isWeak ? {} : { at_bot: true }) });
}

/**
 * Removes `additional_config.is_local_operator`. Anybody can write this member, but MaiBot trusts it: a message with
 * this member and with the platform `bot_console` gets the rights of MaiBot's operator.
 *
 * A gateway that forwards messages of other programs to MaiBot must call this function. The function leaves the account
 * and the scope in the message, because routing needs them. A gateway for several adapters must itself check that the
 * account, the scope and `message_info.platform` of a message belong to the adapter that sent the message.
 *
 * Source: MaiBot 1.2.1, local_operator.py.
 *
 * @param message The message. It is not changed.
 * @returns The same message if there is nothing to remove; otherwise a copy without the member.
 *
 * @example A gateway
 * ```ts
 * import { stripTrusted } from "@maim/message/maibot";
 * import { createMessage, seg } from "@maim/message/schema";
 *
 * const foreign = createMessage(
 *   { platform: "bot_console", user: "1", additional_config: { is_local_operator: true, at_bot: true } },
 *   seg.text("/offline"),
 * );
 * console.log(stripTrusted(foreign).message_info.additional_config); // { at_bot: true }
 * ```
 */
export function stripTrusted<T extends MessageBase>(message: T): T {
  const { additional_config: config } = message.message_info;
  if (!isObject(config) || !Object.hasOwn(config, "is_local_operator")) return message;
  return withConfig(message, Object.fromEntries(Object.entries(config).filter(([key]) => key !== "is_local_operator")));
}
