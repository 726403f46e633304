import type { DecodeOptions } from "../codec/decode.ts";
import type { ChunkOptions } from "../session/transfer/options.ts";
import type { MessageConnectionError } from "../util/connection_error.ts";
import type { Validate } from "./check_before_sending.ts";

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
   * Largest share of the delay that is taken off at random, from 0 to 1. It keeps many clients from reconnecting at the
   * same time.
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
   * If a connection was open for at least this time, the delay starts again from `minDelay`.
   *
   * @default {10000}
   */
  stableAfter?: number;
  /**
   * Function that returns the delay. It replaces `minDelay`, `maxDelay`, `multiplier` and `jitter`. `attempt` counts
   * from 1.
   */
  delay?: (attempt: number, reason: MessageConnectionError) => number;
}

/** Options for noticing a server that no longer answers. Durations are milliseconds. */
export interface HeartbeatOptions {
  /**
   * If nothing was received for this time, the client asks the server for an answer.
   *
   * @default {20000}
   */
  interval?: number;
  /**
   * Maximum time to wait for the answer. If there is none, the client gives up the connection and reconnects. The wait
   * is longer while bytes sent before the question are still leaving.
   *
   * @default {10000}
   */
  timeout?: number;
  /**
   * If true, and this runtime cannot ping the server, the client asks with an HTTP request to the same address. The
   * request notices a frozen or unreachable server, but not a connection that a proxy has lost.
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
   * Maximum UTF-8 bytes of the messages that wait. If no message waits, a message of any size is kept.
   *
   * @default {16777216}
   */
  maxBytes?: number;
  /**
   * Milliseconds that a message may wait. A message that waits longer is dropped as `expired`.
   *
   * @default {60000}
   */
  maxAge?: number;
  /**
   * Treatment of messages in doubt. These are messages that were sent before the connection was lost, and that may or
   * may not have arrived. `"report"` drops each of them as `unconfirmed`. `"resend"` sends each of them once more with
   * the same id, so the receiver may get it twice.
   *
   * @default {"report"}
   */
  inDoubt?: "report" | "resend";
  /**
   * A server of another library cannot confirm messages. Messages to it are in doubt if they were sent within this many
   * milliseconds before the connection was lost. If the server had stopped answering, all messages sent since its last
   * sign of life are in doubt. Messages to a server of this library are in doubt until the server has confirmed them.
   *
   * @default {1000}
   */
  doubt?: number;
}

/**
 * Treatment of a message that names another platform than its client. `"warn"` sends it, with a `warning` event once
 * for each platform. `"refuse"` throws `MessageRejectedError`. `"allow"` sends it; use this in a gateway.
 */
export type OtherPlatforms = "warn" | "refuse" | "allow";

/** Certificates that a `wss://` client trusts. Verification cannot be turned off. */
export interface ClientTls {
  /** Certificate authorities as PEM text. They are trusted in addition to the authorities of the runtime. */
  ca?: string | readonly string[];
}

/** Options of `MessageClient`. Durations are milliseconds. */
export interface MessageClientOptions {
  /**
   * Name of the platform, in visible ASCII. Messages are routed by this name, so it must equal `message_info.platform`
   * of the messages that are sent.
   */
  platform: string;
  /**
   * The bot's own id on the platform, as in `[bot]` of MaiBot's configuration. MaiBot 1.3.10 and newer does not answer
   * a message without an account. The client adds the account to every ordinary message that has none: as `account_id`,
   * and for MaiBot 1.2 as `additional_config.platform_io_account_id`.
   */
  account?: string;
  /**
   * Name that distinguishes several connections of one account. If the name changes, MaiBot starts new chats. The
   * client adds it to messages in the same way as `account`: as `scope` and `additional_config.platform_io_scope`.
   */
  scope?: string;
  /**
   * Token that the server accepts; or a function that returns a token and is called for each dial. The token is sent
   * without `Bearer`.
   */
  token?: string | (() => string | Promise<string>);
  /** Trusted certificates for `wss://`. */
  tls?: ClientTls;
  /** Additional headers for the handshake, for example for a proxy. */
  headers?: Readonly<Record<string, string>>;
  /** Options for reconnecting; with `false`, the client never reconnects. */
  reconnect?: ReconnectOptions | false;
  /** Options for messages that have to wait; with `false`, no message is kept while there is no connection. */
  outbox?: OutboxOptions | false;
  /** Options for noticing a server that no longer answers; `false` turns the heartbeat off. */
  heartbeat?: HeartbeatOptions | false;
  /** Limits on frames that are received. */
  decode?: DecodeOptions;
  /**
   * Function that checks each message before it is sent. If an issue has the level `drop`, `MessageRejectedError` is
   * thrown and the message is not sent. If there are only other issues, there is a `warning` event. Use `maibotIssues`
   * of `@maim/message/maibot` to check for MaiBot.
   */
  validate?: Validate;
  /**
   * Treatment of a message whose `message_info.platform` is not the platform of this client. MaiBot sends its answer to
   * the platform that the message names, so no answer comes back to this client.
   *
   * @default {"warn"}
   */
  otherPlatforms?: OtherPlatforms;
  /**
   * Limits on large messages that are sent or received in chunks. Chunks are used only with servers of this library.
   * `false` turns chunks off.
   */
  chunks?: ChunkOptions | false;
  /**
   * Maximum time for the handshake. The functions given as URL and token are called before the handshake, and may
   * together take the same time once more.
   *
   * @default {10000}
   */
  connectTimeout?: number;
  /**
   * Maximum time for `close()`, which sends the messages that wait and does the closing handshake.
   *
   * @default {5000}
   */
  closeTimeout?: number;
}
