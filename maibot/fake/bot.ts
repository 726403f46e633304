import type { MessageBase, Seg } from "../../schema/types.ts";
import { chatSessionOf, isInternalPlatform } from "../chat_session.ts";
import type { MaibotIssue, MaibotRule } from "../issues.ts";
import { type Fields, strip } from "../python/values.ts";
import { platformKey } from "../setup.ts";
import { createBotMessage, type SayContent } from "./bot_message.ts";
import { type Destination, GroupNames, namedDestination, replyDestination, type SayTarget } from "./destination.ts";
import { LOG, type MaibotLogLine } from "./log.ts";
import { LoopGuard } from "./loop_guard.ts";
import type { MaibotAnswer, MaibotChat } from "./options.ts";
import type { FakeMaiBotSettings } from "./settings.ts";

/** If a message breaks one of these rules, MaiBot 1.3.15 opens no chat for the message. */
const NO_CHAT_RULES: ReadonlySet<MaibotRule> = new Set(["platform_foreign", "account_foreign", "target_blank"]);

/** The simulated bot: its answers, the form of its messages, and the chats that it may write to. */
export class Bot {
  readonly #settings: FakeMaiBotSettings;
  readonly #groupNames = new GroupNames();
  readonly #loopGuard: LoopGuard;
  /** Number of answers that were taken from the list in the option `answers`. */
  #answerCount = 0;

  constructor(settings: FakeMaiBotSettings) {
    this.#settings = settings;
    this.#loopGuard = new LoopGuard(settings.setup.version);
  }

  get #isOlder(): boolean {
    return this.#settings.setup.version === "1.2.1";
  }

  /**
   * Returns the destination of the answer to a received message. If the message names a group, stores the group's name.
   */
  receive(message: MessageBase): Destination {
    const destination = replyDestination(message, this.#settings.setup.version);
    this.#groupNames.store(destination);
    return destination;
  }

  /** Returns the next answer of the option `answers`. If `answers` is a function that throws, its error is thrown. */
  nextAnswer(message: MessageBase): MaibotAnswer | void | Promise<MaibotAnswer | void> {
    const { answers } = this.#settings;
    if (typeof answers === "function") return answers(message);
    if (answers !== "echo") return answers[this.#answerCount++];
    const { message_segment: content } = message;
    // MaiBot has accepted the message, so the data of a seglist is an array of segments.
    return content.type === "seglist" ? content.data as Seg[] : content;
  }

  /** Returns the destination that a caller names. Throws a `TypeError` if the caller names no destination. */
  resolveTarget(to: MessageBase | SayTarget): Destination {
    if (!("message_info" in to)) return namedDestination(to);
    return this.#groupNames.addTo(replyDestination(to, this.#settings.setup.version));
  }

  /** Creates a message of the bot. */
  createMessage(content: SayContent, to: Destination): MessageBase {
    const { nickname, setup: { version } } = this.#settings;
    const account = this.#accountOn(to.platform) ?? "";
    return createBotMessage(content, this.#groupNames.addTo(to), { account, nickname, version });
  }

  /**
   * Returns the line that MaiBot logs when it refuses to open a chat; `null` if it opens the chat. 1.2.1 opens every
   * chat.
   *
   * @param to The chat.
   * @param issues The issues of the message for which the chat would be opened.
   */
  chatRefusal(to: Destination, issues: readonly MaibotIssue[]): MaibotLogLine | null {
    if (this.#isOlder) return null;
    if (issues.some(({ rule }) => NO_CHAT_RULES.has(rule))) return LOG.chatRefused();
    if (isInternalPlatform(to.platform)) return null;
    const isBlank = strip(to.group?.group_id ?? to.user ?? "") === "";
    return isBlank || this.sendRefusal(to) !== null ? LOG.chatRefused() : null;
  }

  /** Returns the line that MaiBot logs when it refuses to send to a destination; `null` if it does not refuse. */
  sendRefusal(to: Destination): MaibotLogLine | null {
    const { group, user = "" } = to;
    const account = this.#accountOn(to.platform);
    if (account === null) return LOG.platformNotConfigured(to.platform);
    if (to.account !== null && to.account !== account) return LOG.noRoute(to.platform);
    const platform = platformKey(to.platform);
    const chat: MaibotChat = group === undefined
      ? { platform, account, type: "private", id: user }
      : { platform, account, type: "group", id: group.group_id };
    const isAllowed = this.#settings.policy?.(chat) ?? true;
    return isAllowed ? null : LOG.deniedByPolicy(platform, chat.type, chat.id);
  }

  /** Tells whether the policy allows the chat of a message. A message without a chat is allowed. */
  isChatAllowed(message: Fields): boolean {
    const { policy, setup } = this.#settings;
    const session = chatSessionOf(message, setup.version);
    if (session === null || policy === null) return true;
    const { type, id } = session;
    try {
      return policy({
        platform: platformKey(session.platform),
        account: this.#accountOn(session.platform) ?? "",
        type,
        id,
      });
    } catch {
      return false; // chatRefusal() calls the policy again later; the error of the policy is reported there
    }
  }

  /** Tells whether MaiBot loses its answer because the message names no account. 1.2.1 needs no account. */
  losesAnswer(to: Destination): boolean {
    return !this.#isOlder && to.account === null;
  }

  /**
   * Tells whether MaiBot answers a message. 1.2.1 does not answer the bot's own messages.
   *
   * @throws {LoopError} If the bot has answered too many of its own messages in the chat.
   */
  mayAnswer(message: MessageBase, to: Destination): boolean {
    return this.#loopGuard.mayAnswer(message, to, this.#accountOn(to.platform));
  }

  /** The caller must call this method when the adapter of a platform disconnects. */
  disconnected(platform: string): void {
    this.#loopGuard.restart(platform);
  }

  #accountOn(platform: string): string | null {
    return this.#settings.setup.accountOn?.(platform) ?? null;
  }
}
