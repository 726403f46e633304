import type { DecodeOptions } from "../codec.ts";
import { checkChunks, type ChunkOptions } from "./chunk_options.ts";
import type { MessageConnectionError } from "./errors.ts";
import type { HeartbeatOptions } from "./heartbeat.ts";
import { HELLO_HEADER } from "./hello.ts";
import { checkBoolean, checkChoice, checkFunction, checkNumber, checkObject, isHeaderName } from "./options.ts";
import type { OutboxOptions } from "./outbox.ts";
import { isRouteName } from "./route.ts";
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
export function checkToken(token: unknown): string {
  if (typeof token === "string" && /^[\x20-\x7e]*$/.test(token)) return token;
  throw new TypeError("Cannot connect as 'token' must be printable ASCII");
}

/** Checks further headers: a value may be secret, so none is shown. */
function checkHeaders(headers: Readonly<Record<string, string>>): void {
  for (const [name, value] of Object.entries(headers)) {
    if (["platform", "authorization", HELLO_HEADER].includes(name.toLowerCase())) {
      throw new TypeError(
        `Cannot create MessageClient as 'headers' must not hold "${name}": the client sends it itself`,
      );
    }
    const isName = /^[!#$%&'*+.^_`|~0-9A-Za-z-]+$/.test(name);
    if (!isName || typeof value !== "string" || !/^[\t\x20-\x7e\x80-\xff]*$/.test(value)) {
      throw new TypeError("Cannot create MessageClient as 'headers' must hold names and values that HTTP allows");
    }
  }
}

function checkTls({ ca = [] }: ClientTls): void {
  const texts = typeof ca === "string" ? [ca] : ca;
  if (Array.isArray(texts) && texts.every((text) => typeof text === "string" && text.includes("-----BEGIN"))) return;
  throw new TypeError("Cannot create MessageClient as 'tls.ca' must be PEM text, or an array of it");
}

/** A value that may be a number by mistake, as it should have been written. */
function shown(value: unknown): string {
  return typeof value === "number" ? `the number ${value}; write "${value}"` : `${value === "" ? '""' : typeof value}`;
}

/** Numbers among the options, and the least each may be. */
const LEAST = {
  reconnect: { minDelay: 0, maxDelay: 0, multiplier: 1, jitter: 0, maxAttempts: 0, stableAfter: 0 },
  outbox: { maxMessages: 0, maxBytes: 0, maxAge: 0, doubt: 0 },
  heartbeat: { interval: 1, timeout: 1 },
  decode: { maxBytes: 1, maxDepth: 1, maxSegments: 1 },
} as const;
const LEAST_TIME = { connectTimeout: 1, closeTimeout: 0 } as const;

function checkNumbers(owner: string, given: object, least: Readonly<Record<string, number>>, prefix = ""): void {
  for (const [name, value] of Object.entries(given)) {
    const min = least[name];
    if (min !== undefined && value !== undefined) checkNumber(owner, prefix + name, value, min);
  }
}

/** Checks the options of a client, naming the one at fault. */
export function checkOptions(options: MessageClientOptions): void {
  const owner = "MessageClient";
  const { platform, token, tls, headers, reconnect, outbox, heartbeat } = options;
  if (!isHeaderName(platform)) {
    throw new TypeError(`Cannot create MessageClient as 'platform' must be visible ASCII: received "${platform}"`);
  }
  for (const name of ["account", "scope"] as const) {
    const value = options[name];
    if (value === undefined || (isRouteName(value) && value.isWellFormed())) continue;
    throw new TypeError(
      `Cannot create ${owner} as '${name}' must be a string that is not blank: received ${shown(value)}`,
    );
  }
  if (token !== undefined && typeof token !== "function") checkToken(token);
  checkHeaders(headers ?? {});
  checkTls(tls ?? {});
  for (const group of ["reconnect", "outbox", "heartbeat", "decode"] as const) {
    const given = options[group];
    if (given === undefined || (given === false && group !== "decode")) continue;
    checkObject(owner, group, given);
    checkNumbers(owner, given as object, LEAST[group], `${group}.`);
  }
  checkNumbers(owner, options, LEAST_TIME);
  checkChunks(owner, options.chunks);
  if (options.validate !== undefined) checkFunction(owner, "validate", options.validate);
  if (reconnect && (reconnect.jitter ?? 0) > 1) {
    throw new RangeError(
      `Cannot create MessageClient as 'reconnect.jitter' must be at most 1: received ${reconnect.jitter}`,
    );
  }
  if (reconnect && reconnect.delay !== undefined) checkFunction(owner, "reconnect.delay", reconnect.delay);
  if (outbox && outbox.inDoubt !== undefined) {
    checkChoice(owner, "outbox.inDoubt", outbox.inDoubt, ["report", "resend"]);
  }
  if (heartbeat && heartbeat.probe !== undefined) checkBoolean(owner, "heartbeat.probe", heartbeat.probe);
}
