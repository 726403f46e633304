import type { DecodeOptions } from "../codec/decode.ts";
import type { ChunkOptions } from "../session/transfer/options.ts";

/** Result of `authorize`: refuse the caller, accept it, or accept it under these platform names only. */
export type Authorization = boolean | { platforms: readonly string[] };

/** Treatment of a platform that connects although it is connected already. */
export type DuplicatePolicy = "replace" | "reject" | "share";

/** Limits on callers and connections. The README tells which attacks no limit can stop on Deno. */
export interface ServerLimits {
  /**
   * Maximum number of connections, closing ones included. More are refused with HTTP 503.
   *
   * @default {10000}
   */
  connections?: number;
  /**
   * Maximum number of connections from one IP address. Behind a proxy all connections have the proxy's address.
   *
   * @default {Infinity}
   */
  connectionsPerAddress?: number;
  /**
   * Maximum number of messages per second from one connection, which may come in one burst. A connection that sends more
   * is closed with 4429.
   *
   * @default {Infinity}
   */
  messagesPerSecond?: number;
  /**
   * Maximum bytes queued to one connection. When there are more, the peer is considered not to read: the message is
   * dropped and the connection closed with 1013. If nothing is queued, a message of any size is accepted. A burst must fit,
   * however fast the peer reads.
   *
   * @default {67108864}
   */
  queuedBytes?: number;
  /**
   * Maximum number of wrong tokens from one IP address within a minute. Then the address gets HTTP 429: for one second at
   * first, twice as long each time it goes on, at most five minutes.
   *
   * @default {1000}
   */
  wrongTokens?: number;
}

/** Name of a limit. */
export type LimitName = keyof ServerLimits;

/** Options for frames that a server receives. */
export interface ServerDecodeOptions extends DecodeOptions {
  /**
   * Closes a connection with 1007 when it sends a frame that is not a message. The close reason names the path.
   *
   * @default {false}
   */
  strict?: boolean;
}

/** Options of `MessageServer`. */
export interface MessageServerOptions {
  /**
   * Path of the WebSocket. It must match exactly.
   *
   * @default {"/ws"}
   */
  path?: string;
  /** Tokens that are accepted. If it is given, even as an empty array, every caller needs a token. */
  tokens?: readonly string[];
  /**
   * Decides about a caller after its token was accepted: `false` refuses it, `true` accepts it, `{ platforms }` accepts it
   * under these names only.
   *
   * Called during the handshake. If it throws, the caller is refused, and there is an `error` event.
   */
  authorize?: (request: Request) => Authorization | Promise<Authorization>;
  /**
   * Way to refuse a caller: `"close"` accepts the WebSocket and closes it with 1008, which every client can read;
   * `"http"` answers HTTP 401 instead of the upgrade.
   *
   * @default {"close"}
   */
  refuse?: "close" | "http";
  /**
   * Treatment of a platform that connects again: `"replace"` closes the older connection with 1000 `新的连接已建立`, as
   * the reference library does; `"reject"` closes the new one with 4409; `"share"` keeps both and sends to both.
   *
   * @default {"replace"}
   */
  duplicates?: DuplicatePolicy;
  /**
   * Origins of web pages that may connect; `"*"` allows all. The default allows none, because any web page can reach
   * `ws://127.0.0.1`.
   *
   * @default {[]}
   */
  origins?: readonly string[];
  /**
   * Accepts `?platform=` and `?token=` in the URL instead of the headers, which a browser cannot send. Note that URLs are
   * written to logs.
   *
   * @default {false}
   */
  query?: boolean;
  /**
   * Milliseconds after which a dead peer is dropped. A single frame must be uploaded within this time. 0 turns it off. Bun
   * rounds up to whole seconds, at most 960.
   *
   * @default {120000}
   */
  idleTimeout?: number;
  /**
   * Lets clients of this library use features beyond the deployed protocol. Other clients never notice.
   *
   * @default {true}
   */
  hello?: boolean;
  /** Limits on large messages that are sent in chunks, to and from clients of this library; `false` turns chunks off. */
  chunks?: ChunkOptions | false;
  /** Options for frames that are received. */
  decode?: ServerDecodeOptions;
  /** Limits on callers and connections. */
  limits?: ServerLimits;
  /**
   * Milliseconds that `close()` waits for the peers to close their side.
   *
   * @default {5000}
   */
  closeTimeout?: number;
}
