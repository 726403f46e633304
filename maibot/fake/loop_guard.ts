import type { MessageBase } from "../../schema/types.ts";
import { strip } from "../python/values.ts";
import type { MaibotVersion } from "../rules.ts";
import type { Destination } from "./destination.ts";

/**
 * The error for an adapter that forwards the bot's own messages to MaiBot. The fake then stops answering in the chat.
 */
export class LoopError extends Error {
  /** Creates the error. */
  constructor() {
    super(
      "The adapter sends the bot's own messages back to MaiBot, and FakeMaiBot stops answering in this chat until " +
        "somebody else writes. message_info.user_info of a message of MaiBot is the bot: take the recipient from " +
        "replyTarget(message), and do not forward what the bot has sent",
    );
    this.name = "LoopError";
  }
}

/** Maximum number of the bot's own messages in a row that are answered in one chat. */
const MAX_OWN_MESSAGES = 5;
/** Maximum number of chats for which a count is kept. */
const MAX_CHATS = 10_000;

/**
 * Stops a bot that answers itself without end because an adapter sends the bot's messages back to it. MaiBot 1.3.15
 * would answer all of these messages; 1.2.1 answers none of them.
 */
export class LoopGuard {
  readonly #version: MaibotVersion;
  /** Number of the bot's own messages in a row, for each chat. */
  readonly #counts = new Map<string, number>();

  constructor(version: MaibotVersion) {
    this.#version = version;
  }

  /**
   * Decides whether a message is answered. If its author is not the bot, the count of its chat restarts at 0.
   *
   * @param message The message.
   * @param to The chat that the answer would go to.
   * @param account The bot's account on the platform; `null` if the bot has no account there.
   * @returns False if MaiBot ignores the message.
   * @throws {LoopError} If the bot has answered too many of its own messages in the chat.
   */
  mayAnswer(message: MessageBase, to: Destination, account: string | null): boolean {
    const chat = JSON.stringify([to.platform, to.group?.group_id, to.user]);
    const author = strip(String(message.message_info.user_info?.user_id ?? ""));
    if (author !== account) {
      this.#counts.delete(chat);
      return true;
    }
    if (this.#version === "1.2.1") return false;
    const count = (this.#counts.get(chat) ?? 0) + 1;
    this.#counts.set(chat, count);
    const [oldest] = this.#counts.keys();
    if (this.#counts.size > MAX_CHATS && oldest !== undefined) this.#counts.delete(oldest);
    if (count > MAX_OWN_MESSAGES) throw new LoopError();
    return true;
  }

  /** Sets the counts of a platform to 0. Called after the adapter of the platform has disconnected. */
  restart(platform: string): void {
    for (const chat of this.#counts.keys()) if (JSON.parse(chat)[0] === platform) this.#counts.delete(chat);
  }
}
