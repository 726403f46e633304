import type { DecodeOptions } from "../codec/decode.ts";
import type { ChunkOptions } from "../session/transfer/options.ts";
import type { MessageConnectionError } from "../util/connection_error.ts";
import type { Validate } from "./validation.ts";

/** Options for reconnecting. Durations are milliseconds. */
export interface ReconnectOptions {
  /**
   * Delay before the first reconnect.
   *
   * @default {1000}
   */
  minDelay?: number;
  /**
   * Longest delay.
   *
   * @default {30000}
   */
  maxDelay?: number;
  /**
   * Factor by which the delay grows after each failure.
   *
   * @default {2}
   */
  multiplier?: number;
  /**
   * Random share of the delay, from 0 to 1, so that many clients do not reconnect at the same time.
   *
   * @default {0.2}
   */
  jitter?: number;
  /**
   * Failed attempts in a row after which the client gives up.
   *
   * @default {Infinity}
   */
  maxAttempts?: number;
  /**
   * Time that a connection must have been open for the delay to start again from `minDelay`.
   *
   * @default {10000}
   */
  stableAfter?: number;
  /** Returns the delay, instead of the rules above. `attempt` counts from 1. */
  delay?: (attempt: number, reason: MessageConnectionError) => number;
}

/** Options for noticing a server that no longer answers. Durations are milliseconds. */
export interface HeartbeatOptions {
  /**
   * Time without anything received after which the client asks the server for an answer.
   *
   * @default {20000}
   */
  interval?: number;
  /**
   * Maximum time for the answer. After it the connection is given up, and the client reconnects.
   *
   * @default {10000}
   */
  timeout?: number;
  /**
   * Asks by an HTTP request to the same address if the server cannot be pinged from this runtime. This notices a frozen
   * or unreachable server, but not a connection that a proxy has lost.
   *
   * @default {true}
   */
  probe?: boolean;
}

/** Options for messages that have to wait, and for sent messages that may be lost. */
export interface OutboxOptions {
  /**
   * Maximum number of messages that wait.
   *
   * @default {1000}
   */
  maxMessages?: number;
  /**
   * Maximum bytes of the messages that wait. If none waits, a message of any size is kept.
   *
   * @default {16777216}
   */
  maxBytes?: number;
  /**
   * Milliseconds that a message may wait. Older ones are dropped as `expired`.
   *
   * @default {60000}
   */
  maxAge?: number;
  /**
   * Treatment of messages in doubt, which may or may not have arrived when the connection was lost: `"report"` drops
   * each as `unconfirmed`; `"resend"` sends each once more with the same id, so that the receiver may get it twice.
   *
   * @default {"report"}
   */
  inDoubt?: "report" | "resend";
  /**
   * Milliseconds before the connection was lost within which sent messages are in doubt. If the server had stopped
   * answering, all messages since then are.
   *
   * @default {1000}
   */
  doubt?: number;
}

/** Certificates that a `wss://` client trusts. Verification cannot be turned off. */
export interface ClientTls {
  /** Certificate authorities as PEM text, trusted in addition to those of the runtime. */
  ca?: string | readonly string[];
}

/** Options of `MessageClient`. Durations are milliseconds. */
export interface MessageClientOptions {
  /** Name to route by, in visible ASCII. It must equal `message_info.platform` of the messages that are sent. */
  platform: string;
  /**
   * The bot's own id on that platform, as in `[bot]` of MaiBot's configuration. MaiBot 1.3.10 and newer does not answer a
   * message without it. Added to every ordinary message that has none: as `account_id`, and for MaiBot 1.2 as
   * `additional_config.platform_io_account_id`.
   */
  account?: string;
  /**
   * Distinguishes several connections of one account. If it changes, MaiBot starts new chats. Added like `account`, as
   * `scope` and `additional_config.platform_io_scope`.
   */
  scope?: string;
  /** Token that the server accepts, or a function that returns one for each dial. It is sent without `Bearer`. */
  token?: string | (() => string | Promise<string>);
  /** Trusted certificates for `wss://`. */
  tls?: ClientTls;
  /** More headers for the handshake, for example for a proxy. */
  headers?: Readonly<Record<string, string>>;
  /** Options for reconnecting; `false` never reconnects. */
  reconnect?: ReconnectOptions | false;
  /** Options for messages that have to wait; `false` keeps nothing while there is no connection. */
  outbox?: OutboxOptions | false;
  /** Options for noticing a server that no longer answers; `false` turns this off. */
  heartbeat?: HeartbeatOptions | false;
  /** Limits on frames that are received. */
  decode?: DecodeOptions;
  /**
   * Checks each message before it is sent. An issue with the level `drop` is thrown as `MessageRejectedError`; any other
   * is a `warning` event. Use `maibotIssues` of `@maim/message/maibot` to check for MaiBot.
   */
  validate?: Validate;
  /** Limits on large messages that are sent in chunks, to and from servers of this library; `false` turns chunks off. */
  chunks?: ChunkOptions | false;
  /**
   * Maximum time for the handshake. The functions given as URL and token, called before it, may take as long again.
   *
   * @default {10000}
   */
  connectTimeout?: number;
  /**
   * Maximum time for `close()`: to send what waits, and for the closing handshake.
   *
   * @default {5000}
   */
  closeTimeout?: number;
}
