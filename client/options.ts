import type { DecodeOptions } from "../codec/decode.ts";
import type { ChunkOptions } from "../session/transfer/options.ts";
import type { MessageConnectionError } from "../util/connection_error.ts";
import type { Validate } from "./validation.ts";

/** When and how often a client dials again. Durations are milliseconds. */
export interface ReconnectOptions {
  /**
   * Wait before the first new dial.
   *
   * @default {1000}
   */
  minDelay?: number;
  /**
   * Longest wait.
   *
   * @default {30000}
   */
  maxDelay?: number;
  /**
   * What each failure multiplies the wait by.
   *
   * @default {2}
   */
  multiplier?: number;
  /**
   * Share of the wait that is left to chance, so that many clients do not come back at once.
   *
   * @default {0.2}
   */
  jitter?: number;
  /**
   * New dials in a row after which the client gives up.
   *
   * @default {Infinity}
   */
  maxAttempts?: number;
  /**
   * How long a connection must have lasted for the wait to start anew.
   *
   * @default {10000}
   */
  stableAfter?: number;
  /** Decides the wait instead: `attempt` counts from 1. */
  delay?: (attempt: number, reason: MessageConnectionError) => number;
}

/** How a silent server is asked whether it is still there. Durations are milliseconds. */
export interface HeartbeatOptions {
  /**
   * Silence after which the server is asked.
   *
   * @default {20000}
   */
  interval?: number;
  /**
   * How long it may take to answer; after that the connection is given up and dialled again.
   *
   * @default {10000}
   */
  timeout?: number;
  /**
   * Whether a server that can not be pinged from here is asked by an HTTP request to the same address. It notices a
   * frozen or vanished server, but not a connection that broke half-way behind a proxy.
   *
   * @default {true}
   */
  probe?: boolean;
}

/** What is kept while the line is down or slow, and what is said about messages nobody can be sure of. */
export interface OutboxOptions {
  /**
   * Messages kept at most.
   *
   * @default {1000}
   */
  maxMessages?: number;
  /**
   * Bytes kept at most; one message of any size is kept when nothing else is.
   *
   * @default {16777216}
   */
  maxBytes?: number;
  /**
   * Milliseconds a message may wait; older ones are dropped as `expired`.
   *
   * @default {60000}
   */
  maxAge?: number;
  /**
   * What becomes of messages that may or may not have arrived when the line fell: `"report"` drops each as
   * `unconfirmed`, `"resend"` sends each once more with the same id, which may duplicate it.
   *
   * @default {"report"}
   */
  inDoubt?: "report" | "resend";
  /**
   * Milliseconds before a fall within which a message sent is in doubt. More are when the server had fallen silent.
   *
   * @default {1000}
   */
  doubt?: number;
}

/** Whom a `wss://` client trusts. Verification itself can not be turned off. */
export interface ClientTls {
  /** Certificate authorities as PEM text, trusted beside the runtime's own. */
  ca?: string | readonly string[];
}

/** Options of `MessageClient`. Durations are milliseconds. */
export interface MessageClientOptions {
  /** Name to route by: visible ASCII, equal to `message_info.platform` of what it sends. */
  platform: string;
  /**
   * The bot's own id on that platform, as in `[bot]` of MaiBot's configuration: MaiBot 1.3.10 and later answers no message
   * that lacks it. Written into every ordinary message that names none, as `account_id`, and for MaiBot 1.2 as
   * `additional_config.platform_io_account_id`.
   */
  account?: string;
  /**
   * Tells apart several connections of one account; a change starts new chats in MaiBot. Written like `account`, as
   * `scope` and `additional_config.platform_io_scope`.
   */
  scope?: string;
  /** Token as the server knows it, sent as it is; or a function that gets one for each dial. */
  token?: string | (() => string | Promise<string>);
  /** Trust for `wss://`. */
  tls?: ClientTls;
  /** Further handshake headers, as a proxy may ask for. */
  headers?: Readonly<Record<string, string>>;
  /** When to dial again, or `false` for never. */
  reconnect?: ReconnectOptions | false;
  /** What is kept while the line is down or slow; `false` keeps nothing while it is down. */
  outbox?: OutboxOptions | false;
  /** How a silent server is noticed, or `false` for not at all. */
  heartbeat?: HeartbeatOptions | false;
  /** Limits on frames that come in. */
  decode?: DecodeOptions;
  /**
   * Looks at each message before it is sent: an issue of the level `drop` is thrown as `MessageRejectedError`, the others
   * are the event `warning`. `maibotIssues` of `@maim/message/maibot` fits.
   */
  validate?: Validate;
  /** Transfers of large messages in pieces, from and to servers of this library, or `false` for none. */
  chunks?: ChunkOptions | false;
  /**
   * How long a handshake may take, and before it the functions given for URL and token.
   *
   * @default {10000}
   */
  connectTimeout?: number;
  /**
   * How long `close()` waits for the server.
   *
   * @default {5000}
   */
  closeTimeout?: number;
}
