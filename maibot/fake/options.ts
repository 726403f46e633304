import type { MessageBase } from "../../schema/types.ts";
import type { MaibotVersion } from "../rules.ts";
import type { SayContent } from "./bot_message.ts";

/** The answer of a `FakeMaiBot` to one message; `null` or `undefined` for no answer. */
export type MaibotAnswer = SayContent | null | undefined;

/**
 * The answers of a `FakeMaiBot`:
 *
 * - `"echo"`: each message is answered with its own content.
 * - A list: each message gets the next answer of the list. After the last answer, messages get no answer.
 * - A function: it is called with each message, and returns the answer.
 *
 * Messages that MaiBot would drop get no answer.
 */
export type MaibotAnswers =
  | "echo"
  | readonly MaibotAnswer[]
  | ((message: MessageBase) => MaibotAnswer | void | Promise<MaibotAnswer | void>);

/** A chat that a {@linkcode MaibotPolicy} allows or forbids. */
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

/** Returns true if a chat is allowed. It has the role of `config/adapter_policy.toml` in MaiBot. */
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
   * Time before each answer is sent, in milliseconds.
   *
   * @default {0}
   */
  delay?: number;
  /** Tokens that are let in, without `Bearer`. If no tokens are given, every adapter is let in, as in MaiBot. */
  tokens?: readonly string[];
  /**
   * Path of the WebSocket. Other paths are refused, also the same path with an additional slash.
   *
   * @default {"/ws"}
   */
  path?: string;
  /**
   * The bot's account on every platform. If the option `accounts` is given, it is used instead.
   *
   * As in MaiBot, a message that names another account is accepted, but never answered. Unless `version` is `"1.2.1"`,
   * a message that names no account is not answered either: the fake takes an answer from `answers`, but does not send
   * the answer, and the log says why.
   *
   * @default {"777"}
   */
  account?: string;
  /**
   * The bot's account on each platform, as in `[bot]` of MaiBot's configuration. The bot has no account on platforms
   * that are not listed.
   */
  accounts?: Readonly<Record<string, string>>;
  /**
   * A function that returns true if a chat is allowed. Messages of other chats are accepted, but never answered.
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
   * Maximum number of receipts that are kept; older ones are removed. The same number of sent messages, and the same
   * number of log lines, are kept.
   *
   * @default {10000}
   */
  keep?: number;
  /**
   * Maximum time in milliseconds that `close()` and `restart()` wait for adapters to close their connections.
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
   * Port to listen on; 0 picks a free port.
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
   * Time during which no adapter can connect, in milliseconds.
   *
   * @default {0}
   */
  downtime?: number;
}
