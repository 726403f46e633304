import type { MessageBase, Seg } from "../schema.ts";
import { GroupNames, namedDestination, replyDestination, type SayTarget } from "./destination.ts";
import type { MaibotAnswer, MaibotAnswers } from "./fake_options.ts";
import { type BotAccount, maibotMessage, type SayContent } from "./outbound.ts";
import { ACCOUNT_KEYS, routeId } from "./route.ts";

/** What a fake says: its script, and the shape of its messages. */
export class Voice {
  readonly #answers: MaibotAnswers;
  readonly #bot: BotAccount;
  readonly #names = new GroupNames();
  #answered = 0;

  constructor(answers: MaibotAnswers, bot: BotAccount) {
    this.#answers = answers;
    this.#bot = bot;
  }

  /** Takes note of what a message tells about its group. */
  learn(message: MessageBase): void {
    this.#names.learn(message);
  }

  /** Gives what the script has for one message; throws what a function of its user throws. */
  next(message: MessageBase): MaibotAnswer | void | Promise<MaibotAnswer | void> {
    if (typeof this.#answers === "function") return this.#answers(message);
    if (this.#answers !== "echo") return this.#answers[this.#answered++];
    const { message_segment: top } = message;
    return top.type === "seglist" ? top.data as Seg[] : top; // an accepted list holds segments
  }

  /** Makes a message as MaiBot sends it; throws a `TypeError` if there is nobody to address. */
  compose(content: SayContent, to: MessageBase | SayTarget): MessageBase {
    const destination = "message_info" in to ? this.#names.complete(replyDestination(to)) : namedDestination(to);
    return maibotMessage(content, destination, this.#bot);
  }

  /** Gives the account a message would go out by, if MaiBot's configuration has another one: it goes nowhere. */
  foreignAccount({ message_info }: MessageBase): string | null {
    const account = routeId(message_info.additional_config, ACCOUNT_KEYS) ?? this.#bot.account;
    return account === this.#bot.account ? null : account;
  }
}
