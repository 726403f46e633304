import type { DecodeOptions } from "../codec/decode.ts";
import type { ChunkOptions } from "../session/transfer/options.ts";

/**
 * Result of `authorize`. `false` refuses the caller, and `true` accepts it. `platforms` lists platform names: the
 * caller is accepted only under one of these names.
 */
export type Authorization = boolean | { platforms: readonly string[] };

/** Policy for a platform that connects again while it is still connected. */
export type DuplicatePolicy = "replace" | "reject" | "share";

/** Limits on callers and connections. The README lists the attacks on Deno that no limit can stop. */
export interface ServerLimits {
  /**
   * Maximum number of connections and of callers about whom `authorize` has not decided yet, counted together. Further
   * callers are refused with HTTP 503.
   *
   * @default {10000}
   */
  connections?: number;
  /**
   * Maximum number of connections from one IP address. Behind a proxy, all connections have the proxy's address.
   *
   * @default {Infinity}
   */
  connectionsPerAddress?: number;
  /**
   * Maximum number of sockets that are kept for callers that the server has turned out: with a wrong token, as a
   * duplicate, because of a limit, or by `close()` of a peer. Such a caller may ignore the close frame and hold its
   * socket, and Deno cannot drop it. It does not count against `connections`, so there are at most
   * `connections + turnedOut` sockets.
   *
   * When the limit is reached, a caller with a wrong token gets HTTP 401 instead of the close code 1008, as with
   * `refuse: "http"`; a browser cannot read this. A peer that is turned out then counts against `connections` until
   * another socket is gone.
   *
   * @default {1000}
   */
  turnedOut?: number;
  /**
   * Maximum number of messages per second from one connection. All messages of one second may come in one burst. A
   * connection that sends more messages is closed with 4429.
   *
   * @default {Infinity}
   */
  messagesPerSecond?: number;
  /**
   * Maximum bytes queued to one connection. Above it, the server assumes that the peer has stopped reading: it drops
   * the message and closes the connection with 1013. If nothing is queued, a message of any size is accepted. Messages
   * sent in one burst must fit into this limit together, even if the peer reads fast.
   *
   * @default {67108864}
   */
  queuedBytes?: number;
  /**
   * Maximum characters that all connections together hold in memory for large messages that are still arriving in
   * chunks. Above it, such a message is refused, and its sender gets the error `queue_full`. A message that is
   * collected in memory may not be longer than this limit.
   *
   * @default {268435456}
   */
  transferBytes?: number;
  /**
   * Maximum number of wrong tokens from one IP address within a minute. When it is reached, the address is blocked and
   * gets HTTP 429: first for one second, then twice as long after each further wrong token, but at most five minutes.
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
   * Closes a connection with 1007 when it sends a frame that is not a message. The close reason names the path of the
   * fault.
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
  /**
   * Tokens that the server accepts. If this option is given, even as an empty array, every caller needs a token.
   * Without this option, no token is needed until `addToken` is called.
   */
  tokens?: readonly string[];
  /**
   * Decides about a caller whose token was accepted: `false` refuses the caller, `true` accepts it, and `{ platforms }`
   * accepts it only under one of these platform names.
   *
   * Called during the handshake. If it throws, returns anything else, or does not return within `authorizeTimeout`, the
   * caller is refused, and there is an `error` event.
   */
  authorize?: (request: Request) => Authorization | Promise<Authorization>;
  /**
   * Milliseconds within which `authorize` must decide. After that, the caller is refused with HTTP 503, and what
   * `authorize` returns or throws later is ignored.
   *
   * @default {10000}
   */
  authorizeTimeout?: number;
  /**
   * Way to refuse an unauthorized caller. `"close"` accepts the WebSocket and closes it with code 1008; every client
   * can read this code. `"http"` answers with HTTP 401 and does not upgrade the request.
   *
   * @default {"close"}
   */
  refuse?: "close" | "http";
  /**
   * Policy for a platform that connects again while it is still connected. `"replace"` closes the older connection with
   * 1000 `新的连接已建立`, as the reference library does. `"reject"` closes the new connection with 4409. `"share"` keeps
   * both connections and sends to both.
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
   * Accepts `?platform=` and `?token=` in the URL. A browser needs them, because it cannot send the headers. Note that
   * URLs are written to logs.
   *
   * @default {false}
   */
  query?: boolean;
  /**
   * Milliseconds after which a dead peer is dropped; 0 turns this off. A peer must also upload each single frame within
   * this time. Bun rounds the time up to whole seconds and allows at most 960 seconds.
   *
   * @default {120000}
   */
  idleTimeout?: number;
  /**
   * Lets clients of this library use features beyond the deployed protocol. Other clients notice no difference.
   *
   * @default {true}
   */
  hello?: boolean;
  /**
   * Limits on large messages that are sent in chunks, to and from clients of this library. `false` turns chunks off.
   */
  chunks?: ChunkOptions | false;
  /** Options for frames that the server receives. */
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
