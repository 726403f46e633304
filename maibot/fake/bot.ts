import type { MessageBase, Seg } from "../../schema/types.ts";
import { type Destination, GroupNames, namedDestination, replyDestination, type SayTarget } from "./destination.ts";
import { LINES, type MaibotLogLine } from "./log.ts";
import type { MaibotAnswer, MaibotAnswers, MaibotPolicy } from "./options.ts";
import { maibotMessage, type SayContent } from "./bot_message.ts";
import { type Fields, strip } from "../python/values.ts";
import { type Asked, isInternal, platformKey, sessionOf } from "../chat_session.ts";

/** The configuration of the MaiBot that a fake plays. */
export interface ScriptOptions {
  readonly answers: MaibotAnswers;
  readonly nickname: string;
  readonly asked: Asked;
  /** Lets chats in; `null` lets in all. */
  readonly policy: MaibotPolicy | null;
}

/** Answers in a row to the bot's own messages after which a chat is left alone: somebody forwards what the bot says. */
const MAX_TO_ITSELF = 5;
/** Chats whose answers are counted. */
const MAX_CHATS = 10_000;

/** What a fake says: its script, the shape of its messages, and to whom it can say nothing. */
export class Script {
  readonly #options: ScriptOptions;
  readonly #names = new GroupNames();
  /** Answers in a row to messages of the bot's own, by chat. */
  readonly #toItself = new Map<string, number>();
  #answered = 0;

  constructor(options: ScriptOptions) {
    this.#options = options;
  }

  /** Finds where the answer to a message goes, and takes note of the name of its group. */
  destinationOf(message: MessageBase): Destination {
    const destination = replyDestination(message, this.#options.asked.version);
    this.#names.learn(destination);
    return destination;
  }

  /** Gives what the script has for one message; throws what a function of its user throws. */
  next(message: MessageBase): MaibotAnswer | void | Promise<MaibotAnswer | void> {
    const { answers } = this.#options;
    if (typeof answers === "function") return answers(message);
    if (answers !== "echo") return answers[this.#answered++];
    const { message_segment: top } = message;
    return top.type === "seglist" ? top.data as Seg[] : top; // an accepted list holds segments
  }

  /** Finds where a message of MaiBot's goes; throws a `TypeError` if there is nobody to address. */
  target(to: MessageBase | SayTarget): Destination {
    if (!("message_info" in to)) return namedDestination(to);
    return this.#names.complete(replyDestination(to, this.#options.asked.version));
  }

  /** Makes a message as MaiBot sends it. */
  compose(content: SayContent, to: Destination): MessageBase {
    const { nickname, asked: { version } } = this.#options;
    return maibotMessage(content, this.#names.complete(to), { account: this.#account(to) ?? "", nickname, version });
  }

  /** Why MaiBot opens no chat for a message, as 1.3 finds out before it thinks; `null` if it does. */
  chatObstacle(to: Destination): MaibotLogLine | null {
    if (this.#options.asked.version === "1.2.1" || isInternal(to.platform)) return null;
    const isBlank = strip(to.group?.group_id ?? to.user ?? "") === "";
    return isBlank || this.sendObstacle(to) !== null ? LINES.noChat() : null;
  }

  /** Why a message of MaiBot's goes nowhere; `null` if its platform's connection gets it. */
  sendObstacle(to: Destination): MaibotLogLine | null {
    const { platform, group, user = "" } = to;
    const account = this.#account(to);
    if (account === null) return LINES.notConfigured(platform);
    if (to.account !== null && to.account !== account) return LINES.noRoute(platform);
    const chat = group === undefined
      ? { type: "private", id: user } as const
      : { type: "group", id: group.group_id } as const;
    const isAllowed = this.#options.policy?.({ platform: platformKey(platform), account, ...chat }) ?? true;
    return isAllowed ? null : LINES.denied(platformKey(platform), chat.type, chat.id);
  }

  /** Whether the policy lets the chat of a message in; what has no chat is not asked about. */
  isLetIn(message: Fields): boolean {
    const session = sessionOf(message, this.#options.asked.version);
    if (session === null || this.#options.policy === null) return true;
    const { platform, chat: type, target: id } = session;
    const account = this.#options.asked.accountOn?.(platform) ?? "";
    try {
      return this.#options.policy({ platform: platformKey(platform), account, type, id });
    } catch {
      return false; // told when MaiBot is about to answer
    }
  }

  /** Whether 1.3 finds no account to quote as: it has thought by then, and the answer is lost. */
  lacksAccount(to: Destination): boolean {
    return this.#options.asked.version !== "1.2.1" && to.account === null;
  }

  /**
   * Whether an answer to a message would be one of many to itself: 1.3 answers the bot's own messages, 1.2.1 never.
   * A message of anybody else ends the row.
   */
  talksToItself(message: MessageBase, to: Destination): "no" | "filtered" | "endless" {
    const key = JSON.stringify([to.platform, to.group?.group_id, to.user]);
    const author = strip(String(message.message_info.user_info?.user_id ?? ""));
    if (author !== this.#account(to)) {
      this.#toItself.delete(key);
      return "no";
    }
    if (this.#options.asked.version === "1.2.1") return "filtered";
    const count = (this.#toItself.get(key) ?? 0) + 1;
    this.#toItself.set(key, count);
    const [oldest] = this.#toItself.keys();
    if (this.#toItself.size > MAX_CHATS && oldest !== undefined) this.#toItself.delete(oldest);
    return count > MAX_TO_ITSELF ? "endless" : "no";
  }

  /** Forgets the rows of a platform, whose adapter has gone. */
  forgetLoops(platform: string): void {
    for (const key of this.#toItself.keys()) if (JSON.parse(key)[0] === platform) this.#toItself.delete(key);
  }

  #account({ platform }: Destination): string | null {
    return this.#options.asked.accountOn?.(platform) ?? null;
  }
}
