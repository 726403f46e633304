import type { MessageBase } from "../../schema/types.ts";
import { checkPath } from "../../server/settings.ts";
import { checkChoice, checkFunction, checkNumber, checkObject, checkSecrets } from "../../util/checks.ts";
import type { MaibotIssue } from "../issues.ts";
import { strip } from "../python/values.ts";
import { MAIBOT_VERSIONS, type MaibotVersion } from "../rules.ts";
import type { MaibotLogLine } from "./log.ts";
import type { SayContent } from "./bot_message.ts";

/** What a `FakeMaiBot` answers one message with; nothing when it is `null` or `undefined`. */
export type MaibotAnswer = SayContent | null | undefined;

/**
 * What a `FakeMaiBot` answers: each message with its own content, by a function, or one answer of a list for
 * each message until none is left. Only messages that MaiBot would take are answered.
 */
export type MaibotAnswers =
  | "echo"
  | readonly MaibotAnswer[]
  | ((message: MessageBase) => MaibotAnswer | void | Promise<MaibotAnswer | void>);

/** A chat that MaiBot's policy lets in or not. */
export interface MaibotChat {
  /** The platform, in lower case. */
  readonly platform: string;
  /** The bot's account there. */
  readonly account: string;
  /** Whether `id` is a group's or a user's. */
  readonly type: "group" | "private";
  /** Id of the group or the user. */
  readonly id: string;
}

/** Decides which chats are let in, as `config/adapter_policy.toml` of MaiBot does. */
export type MaibotPolicy = (chat: MaibotChat) => boolean;

/** The account of a `FakeMaiBot` that is given none. */
export const DEFAULT_ACCOUNT = "777";

/** Options of `FakeMaiBot`. */
export interface FakeMaiBotOptions {
  /**
   * The MaiBot it plays: `"1.3.15"` for 1.3.10 and newer, `"1.2.1"` for all that are older.
   *
   * @default {"1.3.15"}
   */
  version?: MaibotVersion;
  /**
   * What it answers.
   *
   * @default {[]}
   */
  answers?: MaibotAnswers;
  /**
   * Milliseconds before each answer.
   *
   * @default {0}
   */
  delay?: number;
  /** Tokens that are let in, raw and without `Bearer`. Without any, everybody is, as in MaiBot. */
  tokens?: readonly string[];
  /**
   * Path of the WebSocket, compared exactly.
   *
   * @default {"/ws"}
   */
  path?: string;
  /**
   * Account it speaks as on every platform, unless `accounts` names them.
   *
   * A message that names another one is taken and never answered, as in MaiBot. So is, unless `version` is `"1.2.1"`, a
   * message that names none: the script is asked, its answer is lost, and the log says so.
   *
   * @default {"777"}
   */
  account?: string;
  /** Account by platform, as `[bot]` of MaiBot's configuration has them: other platforms are not configured. */
  accounts?: Readonly<Record<string, string>>;
  /**
   * Decides which chats are let in: messages of the others are taken and never answered.
   *
   * @default {lets in all}
   */
  policy?: MaibotPolicy;
  /**
   * Name it speaks as.
   *
   * @default {"麦麦"}
   */
  nickname?: string;
  /**
   * How many of the newest receipts, sent messages and log lines are kept.
   *
   * @default {10000}
   */
  keep?: number;
  /**
   * Milliseconds that `close()` and `restart()` wait for the adapters to answer.
   *
   * @default {2000}
   */
  closeTimeout?: number;
}

/** Options of `FakeMaiBot.listen`. */
export interface FakeMaiBotListenOptions {
  /**
   * Address to bind.
   *
   * @default {"127.0.0.1"}
   */
  hostname?: string;
  /**
   * Port to bind; 0 picks a free one.
   *
   * @default {8000}
   */
  port?: number;
}

/** One frame that a `FakeMaiBot` got, and what MaiBot would have made of it. */
export interface MaibotReceipt {
  /** `message` went to MaiBot's front door, `custom` to the handler of its name; `broken` was no JSON text. */
  readonly kind: "message" | "custom" | "broken";
  /** The connection's platform, `unknown` when its handshake named none. */
  readonly platform: string;
  /** The JSON value as it came; `undefined` when it is broken. */
  readonly value: unknown;
  /** The value as a message; `null` when it is none. */
  readonly message: MessageBase | null;
  /** Whether MaiBot would have taken it. */
  readonly isAccepted: boolean;
  /** Whether an answer to it can come: it was taken, and names an account that MaiBot speaks as. */
  readonly isAnswerable: boolean;
  /** What is wrong with it, as `maibotIssues` lists it: what MaiBot trips on first. */
  readonly issues: readonly MaibotIssue[];
  /** The line MaiBot would have logged; `null` when it says nothing. */
  readonly log: MaibotLogLine | null;
}

/** How a connection of a `FakeMaiBot` ended. */
export interface FakeMaiBotEnd {
  /** Close code; 1006 when there was no close frame. */
  code: number;
  /** Reason text, often empty. */
  reason: string;
}

/** Events of `FakeMaiBot` and what their handlers get. */
export interface FakeMaiBotEvents {
  /** A connection was let in; `unknown` is one that named no platform. */
  open: [platform: string];
  /** A connection that was let in is gone. */
  close: [platform: string, end: FakeMaiBotEnd];
  /** A frame came. */
  received: [receipt: MaibotReceipt];
  /** A message went out. */
  sent: [message: MessageBase];
  /** MaiBot would have logged a line. */
  log: [line: MaibotLogLine];
  /** A handler or an answer failed. Without a listener it is a line on `console.error`. */
  error: [error: unknown];
}

/** Options of `FakeMaiBot.disconnect`. */
export interface DisconnectOptions {
  /**
   * Close code: 1012 is a MaiBot that restarts, 1008 one that has changed its tokens.
   *
   * @default {1012}
   */
  code?: number;
  /**
   * Reason text, at most 123 bytes.
   *
   * @default {""}
   */
  reason?: string;
  /** Only the connections of this platform. */
  platform?: string;
}

/** Options of `FakeMaiBot.restart`. */
export interface RestartOptions {
  /**
   * Milliseconds during which nobody can connect.
   *
   * @default {0}
   */
  downtime?: number;
}

/** Checks the options of a fake, naming the one at fault. */
export function checkOptions(
  { answers, delay, tokens, path, keep, closeTimeout, account, accounts, nickname, policy, version }: FakeMaiBotOptions,
): void {
  const owner = "FakeMaiBot";
  if (version !== undefined) checkChoice(owner, "version", version, MAIBOT_VERSIONS);
  if (policy !== undefined) checkFunction(owner, "policy", policy);
  if (accounts !== undefined) checkObject(owner, "accounts", accounts);
  if (answers !== undefined && answers !== "echo" && typeof answers !== "function" && !Array.isArray(answers)) {
    throw new TypeError(`Cannot create ${owner} as 'answers' must be "echo", a list or a function`);
  }
  if (tokens !== undefined) checkSecrets(owner, "tokens", tokens);
  if (path !== undefined) checkPath(owner, path);
  for (const [name, text] of [["account", account], ["nickname", nickname]] as const) {
    if (text !== undefined && typeof text !== "string") {
      throw new TypeError(`Cannot create ${owner} as '${name}' must be a string`);
    }
  }
  if (account !== undefined && strip(account) === "") {
    throw new TypeError(`Cannot create ${owner} as 'account' must not be blank`);
  }
  for (const [name, value] of Object.entries({ delay, keep, closeTimeout })) {
    if (value !== undefined) checkNumber(owner, name, value, 0);
  }
}
