import type { MessageBase } from "../../schema/types.ts";
import type { MaibotVersion } from "../rules.ts";
import type { SayContent } from "./bot_message.ts";

/** The answer of a `FakeMaiBot` to one message; `null` or `undefined` for none. */
export type MaibotAnswer = SayContent | null | undefined;

/**
 * The answers of a `FakeMaiBot`: `"echo"` answers each message with its own content, a list gives one answer for each
 * message until it is used up, and a function is called for each message. Messages that MaiBot would drop get no answer.
 */
export type MaibotAnswers =
  | "echo"
  | readonly MaibotAnswer[]
  | ((message: MessageBase) => MaibotAnswer | void | Promise<MaibotAnswer | void>);

/** A chat that a {@linkcode MaibotPolicy} allows or not. */
export interface MaibotChat {
  /** The platform, in lower case. */
  readonly platform: string;
  /** The bot's account on the platform. */
  readonly account: string;
  /** `group` if `id` is the id of a group, `private` if it is the id of a user. */
  readonly type: "group" | "private";
  /** Id of the group or the user. */
  readonly id: string;
}

/** Tells whether a chat is allowed, as `config/adapter_policy.toml` of MaiBot does. */
export type MaibotPolicy = (chat: MaibotChat) => boolean;

/** Options of `FakeMaiBot`. */
export interface FakeMaiBotOptions {
  /**
   * The version of MaiBot that is simulated: `"1.3.15"` for 1.3.10 and newer, `"1.2.1"` for older versions.
   *
   * @default {"1.3.15"}
   */
  version?: MaibotVersion;
  /**
   * The answers to messages.
   *
   * @default {[]}
   */
  answers?: MaibotAnswers;
  /**
   * Milliseconds before each answer is sent.
   *
   * @default {0}
   */
  delay?: number;
  /** Tokens that are let in, without `Bearer`. If there are none, every adapter is let in, as in MaiBot. */
  tokens?: readonly string[];
  /**
   * Path of the WebSocket. Other paths are refused, also with a slash more.
   *
   * @default {"/ws"}
   */
  path?: string;
  /**
   * The bot's account on every platform. The option `accounts` replaces it.
   *
   * As in MaiBot, a message that names another account is accepted, but never answered. So is a message that names none,
   * unless `version` is `"1.2.1"`: `answers` is asked, but its answer is not sent, and the log says why.
   *
   * @default {"777"}
   */
  account?: string;
  /** The bot's account on each platform, as in `[bot]` of MaiBot's configuration. It has none on other platforms. */
  accounts?: Readonly<Record<string, string>>;
  /**
   * Tells whether a chat is allowed. Messages of other chats are accepted, but never answered.
   *
   * @default {allows every chat}
   */
  policy?: MaibotPolicy;
  /**
   * The bot's nickname.
   *
   * @default {"麦麦"}
   */
  nickname?: string;
  /**
   * Maximum number of receipts, of sent messages and of log lines that are kept. The oldest are removed.
   *
   * @default {10000}
   */
  keep?: number;
  /**
   * Maximum time that `close()` and `restart()` wait for adapters to close their connections, in milliseconds.
   *
   * @default {2000}
   */
  closeTimeout?: number;
}

/** Options of `FakeMaiBot.listen`. */
export interface FakeMaiBotListenOptions {
  /**
   * Address to listen on.
   *
   * @default {"127.0.0.1"}
   */
  hostname?: string;
  /**
   * Port to listen on; 0 picks a free one.
   *
   * @default {8000}
   */
  port?: number;
}

/** Options of `FakeMaiBot.disconnect`. */
export interface DisconnectOptions {
  /**
   * Close code. MaiBot closes with 1012 when it restarts, and with 1008 for a wrong token.
   *
   * @default {1012}
   */
  code?: number;
  /**
   * Close reason, at most 123 bytes.
   *
   * @default {""}
   */
  reason?: string;
  /**
   * Closes only the connections of this platform.
   *
   * @default {all platforms}
   */
  platform?: string;
}

/** Options of `FakeMaiBot.restart`. */
export interface RestartOptions {
  /**
   * Milliseconds during which no adapter can connect.
   *
   * @default {0}
   */
  downtime?: number;
}
