import type { DecodeOptions } from "../codec/decode.ts";
import type { ChunkOptions } from "../session/transfer/options.ts";

/** What an `authorize` function may answer: no, yes, or yes under certain names only. */
export type Authorization = boolean | { platforms: readonly string[] };

/** What happens when a platform connects that is connected already. */
export type DuplicatePolicy = "replace" | "reject" | "share";

/** Bounds on what callers may cost. What Deno keeps out of reach is in README. */
export interface ServerLimits {
  /**
   * Connections in all, those that are ending included. More are refused with HTTP 503.
   *
   * @default {10000}
   */
  connections?: number;
  /**
   * Connections from one address. Behind a proxy all come from the proxy's.
   *
   * @default {Infinity}
   */
  connectionsPerAddress?: number;
  /**
   * Messages a second from one connection, with a second's worth at once. One that sends more is closed with 4429.
   *
   * @default {Infinity}
   */
  messagesPerSecond?: number;
  /**
   * Bytes queued to one connection. Beyond them it is held not to read: messages to it are dropped and it is closed with
   * 1013. One message of any size is queued when nothing else is; a burst must fit, however well the peer reads.
   *
   * @default {67108864}
   */
  queuedBytes?: number;
  /**
   * Wrong tokens from one address in a minute. Then it gets HTTP 429, for a second first and for twice as long each
   * time it goes on, up to five minutes.
   *
   * @default {1000}
   */
  wrongTokens?: number;
}

/** Which limit was reached. */
export type LimitName = keyof ServerLimits;

/** How a server reads frames. */
export interface ServerDecodeOptions extends DecodeOptions {
  /**
   * Whether a frame that is not a message ends the connection with 1007 and the path in the reason.
   *
   * @default {false}
   */
  strict?: boolean;
}

/** Options of `MessageServer`. */
export interface MessageServerOptions {
  /**
   * Path of the WebSocket, compared exactly.
   *
   * @default {"/ws"}
   */
  path?: string;
  /** Tokens that are let in. Given, even empty, every caller needs one; left out, none does. */
  tokens?: readonly string[];
  /**
   * Decides about a request beyond the tokens: no, yes, or yes under these platform names only.
   *
   * Called with the handshake; a throw refuses the caller and is an `error` event.
   */
  authorize?: (request: Request) => Authorization | Promise<Authorization>;
  /**
   * How a caller without a right is refused: `"close"` accepts and closes with 1008, which every client can read;
   * `"http"` answers 401 before the upgrade.
   *
   * @default {"close"}
   */
  refuse?: "close" | "http";
  /**
   * What happens when a platform connects again: `"replace"` closes the older with 1000 `新的连接已建立`, as the
   * reference does; `"reject"` closes the newcomer with 4409; `"share"` keeps both and sends to all.
   *
   * @default {"replace"}
   */
  duplicates?: DuplicatePolicy;
  /**
   * Origins of web pages that may connect, or `"*"`. Any page can reach `ws://127.0.0.1`, so none may by default.
   *
   * @default {[]}
   */
  origins?: readonly string[];
  /**
   * Whether `?platform=` and `?token=` may stand in for the headers, which a browser can not send. URLs end up in logs.
   *
   * @default {false}
   */
  query?: boolean;
  /**
   * Milliseconds after which a dead peer is gone; a single frame must be uploaded within it. 0 turns it off. Bun counts
   * whole seconds, 960 at most.
   *
   * @default {120000}
   */
  idleTimeout?: number;
  /**
   * Whether clients of this library may agree on features beyond the deployed protocol. Others never notice.
   *
   * @default {true}
   */
  hello?: boolean;
  /** Transfers of large messages in pieces, from and to clients of this library, or `false` for none. */
  chunks?: ChunkOptions | false;
  /** How frames are read. */
  decode?: ServerDecodeOptions;
  /** What callers may cost. */
  limits?: ServerLimits;
  /**
   * Milliseconds that `close()` waits for the peers to answer.
   *
   * @default {5000}
   */
  closeTimeout?: number;
}
