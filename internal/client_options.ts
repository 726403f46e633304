import type { DecodeOptions } from "../codec.ts";
import type { MessageConnectionError } from "./errors.ts";
import { HELLO_HEADER } from "./hello.ts";
import { checkNumber, isHeaderName } from "./options.ts";

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
   * Failures in a row after which the client gives up.
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

/** Whom a `wss://` client trusts. Verification itself can not be turned off. */
export interface ClientTls {
  /** Certificate authorities as PEM text, trusted beside the runtime's own. */
  ca?: string | readonly string[];
}

/** Options of `MessageClient`. Durations are milliseconds. */
export interface MessageClientOptions {
  /** Name to route by: visible ASCII, equal to `message_info.platform` of what it sends. */
  platform: string;
  /** Token as the server knows it, sent as it is; or a function that gets one for each dial. */
  token?: string | (() => string | Promise<string>);
  /** Trust for `wss://`. */
  tls?: ClientTls;
  /** Further handshake headers, as a proxy may ask for. */
  headers?: Readonly<Record<string, string>>;
  /** When to dial again, or `false` for never. */
  reconnect?: ReconnectOptions | false;
  /** Limits on frames that come in. */
  decode?: DecodeOptions;
  /**
   * How long a handshake may take.
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

/** Checks what a client dials. */
export function checkUrl(url: string): string {
  const parsed = URL.parse(url);
  if (parsed?.protocol === "ws:" || parsed?.protocol === "wss:") {
    if (parsed.hash === "") return url;
    throw new TypeError("Cannot create MessageClient as 'url' must have no fragment");
  }
  const found = parsed === null ? "no URL" : `a ${parsed.protocol} URL`;
  throw new TypeError(`Cannot create MessageClient as 'url' must start with ws:// or wss://: received ${found}`);
}

/** Checks a token, which may hold spaces inside; what it holds is never shown. */
export function checkToken(token: string): string {
  if (/^[\x20-\x7e]*$/.test(token)) return token;
  throw new TypeError("Cannot connect as 'token' must be printable ASCII");
}

/** Checks the options of a client, naming the one at fault. */
export function checkOptions({ platform, token, headers, reconnect, decode, ...times }: MessageClientOptions): void {
  const owner = "MessageClient";
  if (!isHeaderName(platform)) {
    throw new TypeError(`Cannot create MessageClient as 'platform' must be visible ASCII: received "${platform}"`);
  }
  if (typeof token === "string") checkToken(token);
  for (const name of Object.keys(headers ?? {})) {
    if (["platform", "authorization", HELLO_HEADER].includes(name.toLowerCase())) {
      throw new TypeError(
        `Cannot create MessageClient as 'headers' must not hold "${name}": the client sends it itself`,
      );
    }
  }
  if (reconnect) {
    const { minDelay = 0, maxDelay = 0, multiplier = 1, jitter = 0, maxAttempts = 0, stableAfter = 0 } = reconnect;
    const least = { minDelay: 0, maxDelay: 0, multiplier: 1, jitter: 0, maxAttempts: 0, stableAfter: 0 };
    const given = { minDelay, maxDelay, multiplier, jitter, maxAttempts, stableAfter };
    for (const [name, value] of Object.entries(given)) {
      checkNumber(owner, `reconnect.${name}`, value, least[name as keyof typeof least]);
    }
    if (jitter > 1) {
      throw new RangeError(`Cannot create MessageClient as 'reconnect.jitter' must be at most 1: received ${jitter}`);
    }
  }
  if (decode?.maxBytes !== undefined) checkNumber(owner, "decode.maxBytes", decode.maxBytes, 1);
  if (decode?.maxDepth !== undefined) checkNumber(owner, "decode.maxDepth", decode.maxDepth, 1);
  if (times.connectTimeout !== undefined) checkNumber(owner, "connectTimeout", times.connectTimeout, 1);
  if (times.closeTimeout !== undefined) checkNumber(owner, "closeTimeout", times.closeTimeout, 0);
}
