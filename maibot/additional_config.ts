import type { MessageBase } from "../schema/types.ts";
import { isObject } from "./python/values.ts";

/** Options of {@linkcode mention}. */
export interface MentionOptions {
  /**
   * Whether MaiBot was addressed by name or reply only, and not by an @.
   *
   * @default {false}
   */
  isWeak?: boolean;
}

function withConfig<T extends MessageBase>(message: T, config: Record<string, unknown>): T {
  return { ...message, message_info: { ...message.message_info, additional_config: config } };
}

/**
 * Marks a message as addressed to the bot, which MaiBot can not see by itself unless an `at` segment holds its account.
 *
 * Sets `additional_config.is_mentioned`, and `at_bot` beside it. MaiBot always answers such a message unless told
 * otherwise by its configuration.
 *
 * Source: MaiBot 1.2.1, chat/utils/utils.py, is_mentioned_bot_in_message.
 *
 * @param message The message; it is not changed.
 * @param options How it was addressed.
 * @returns A copy that says so.
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
 * Takes out what MaiBot trusts though anybody can write it: `additional_config.is_local_operator`, which together with
 * the platform `bot_console` grants the rights of its operator.
 *
 * A gateway that passes on messages of others must call it. The account and scope keys stay, as routing needs them:
 * a gateway that serves several adapters has to compare those, and `message_info.platform`, with whom it speaks to.
 *
 * Source: protocol.md 3; MaiBot 1.2.1, local_operator.py.
 *
 * @param message The message; it is not changed.
 * @returns The same message where there is nothing to take out, else a copy without it.
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
