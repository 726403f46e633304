import type { DecodeOptions } from "../codec/decode.ts";
import { checkChunks, type ChunkOptions } from "../session/transfer/options.ts";
import { checkBoolean, checkChoice, checkFunction, checkNumber, checkSecrets, checkStrings } from "../util/checks.ts";
import type { Authorization } from "./admission.ts";
import type { ServerLimits } from "./limits.ts";
import type { DuplicatePolicy } from "./routes.ts";

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

/** Checks the options of a server, naming the one at fault. */
export function checkOptions(options: MessageServerOptions): void {
  const owner = "MessageServer";
  const { path, tokens, authorize, refuse, duplicates, origins, query, idleTimeout, hello, decode, closeTimeout } =
    options;
  if (path !== undefined && !(typeof path === "string" && /^\/[^?#]*$/.test(path))) {
    throw new TypeError(
      `Cannot create MessageServer as 'path' must start with "/" and hold neither "?" nor "#": received "${path}"`,
    );
  }
  if (tokens !== undefined) checkSecrets(owner, "tokens", tokens);
  if (origins !== undefined) checkStrings(owner, "origins", origins);
  if (authorize !== undefined) checkFunction(owner, "authorize", authorize);
  if (refuse !== undefined) checkChoice(owner, "refuse", refuse, ["close", "http"]);
  if (duplicates !== undefined) checkChoice(owner, "duplicates", duplicates, ["replace", "reject", "share"]);
  if (query !== undefined) checkBoolean(owner, "query", query);
  if (hello !== undefined) checkBoolean(owner, "hello", hello);
  checkChunks(owner, options.chunks);
  if (idleTimeout !== undefined) checkNumber(owner, "idleTimeout", idleTimeout, 0);
  if (closeTimeout !== undefined) checkNumber(owner, "closeTimeout", closeTimeout, 0);
  if (decode?.maxBytes !== undefined) checkNumber(owner, "decode.maxBytes", decode.maxBytes, 1);
  if (decode?.maxDepth !== undefined) checkNumber(owner, "decode.maxDepth", decode.maxDepth, 1);
  if (decode?.maxSegments !== undefined) checkNumber(owner, "decode.maxSegments", decode.maxSegments, 1);
  if (decode?.strict !== undefined) checkBoolean(owner, "decode.strict", decode.strict);
}
