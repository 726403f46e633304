import { MAX_BYTES, MAX_SEGMENTS } from "../codec/limits.ts";
import type { SocketLimits } from "../runtime/types.ts";
import { offeredFeatures } from "../session/hello.ts";
import type { ConfirmationLimits } from "../session/confirmation.ts";
import type { SessionOptions } from "../session/session.ts";
import { TransferBudget } from "../session/transfer/budget.ts";
import { chunkSettings, NO_TRANSFERS } from "../session/transfer/options.ts";
import {
  checkBoolean,
  checkChoice,
  checkFunction,
  checkObject,
  checkSecrets,
  checkStrings,
  type NumberOption,
  numbersOf,
  wrongOption,
} from "../util/checks.ts";
import type { DuplicatePolicy, MessageServerOptions, ServerLimits } from "./options.ts";

const OWNER = "MessageServer";

type Numbers<Name extends string> = Readonly<Record<Name, NumberOption>>;

/** Defaults and minimums of `limits`. */
const LIMITS: Numbers<keyof ServerLimits> = {
  connections: { default: 10_000, least: 1 },
  connectionsPerAddress: { default: Infinity, least: 1 },
  turnedOut: { default: 1000, least: 1 },
  messagesPerSecond: { default: Infinity, least: 1 },
  queuedBytes: { default: 64 * 2 ** 20, least: 1 },
  transferBytes: { default: 256 * 2 ** 20, least: 1 },
  wrongTokens: { default: 1000, least: 1 },
};

/** Defaults and minimums of `decode`. */
const DECODE: Numbers<"maxBytes" | "maxDepth" | "maxSegments"> = {
  maxBytes: { default: MAX_BYTES, least: 1 },
  maxDepth: { default: 32, least: 1 },
  maxSegments: { default: MAX_SEGMENTS, least: 1 },
};

/** Defaults and minimums of the timeouts. */
const TIMES: Numbers<"authorizeTimeout" | "idleTimeout" | "closeTimeout"> = {
  authorizeTimeout: { default: 10_000, least: 1 },
  idleTimeout: { default: 120_000, least: 0 },
  closeTimeout: { default: 5000, least: 0 },
};

/**
 * Window of messages that a peer of this library has not confirmed. It is larger than that of a client, because a server
 * cannot wait: a peer with a full window counts as one that does not read. Its bytes are never fewer than those that may
 * be queued to a peer.
 */
const WINDOW = { maxMessages: 100_000, maxBytes: 64 * 2 ** 20 } as const;
/** Milliseconds: messages sent to a peer of another library within this time before its connection was lost. */
const DOUBT = 1000;
/**
 * Number of messages that are remembered for a peer of another library. To remember more of them would cost a server
 * that sends very much a quarter of its speed, because objects that live for a second are expensive to collect.
 */
const MAX_FOREIGN = 256;

function confirmationLimits(idleTimeout: number, queuedBytes: number): ConfirmationLimits {
  return {
    maxMessages: WINDOW.maxMessages,
    maxBytes: Math.max(WINDOW.maxBytes, queuedBytes),
    timeout: idleTimeout === 0 ? Infinity : idleTimeout,
    doubt: DOUBT,
    maxForeign: MAX_FOREIGN,
  };
}

/** Settings of one connection. */
export interface PeerSettings {
  readonly session: SessionOptions;
  /** True if a frame that is not a message ends the connection. */
  readonly strict: boolean;
  /** The option `closeTimeout` of the server, in milliseconds. */
  readonly closeTimeout: number;
  readonly messagesPerSecond: number;
  readonly queuedBytes: number;
}

/** The options of a server after they were checked and the defaults were filled in. */
export interface ServerSettings {
  /** Path of the WebSocket, as it appears in the URL of a request: escapes and dots are resolved. */
  readonly path: string;
  readonly tokens: readonly string[] | undefined;
  readonly authorize: MessageServerOptions["authorize"];
  /** In milliseconds. */
  readonly authorizeTimeout: number;
  readonly refuse: "close" | "http";
  readonly duplicates: DuplicatePolicy;
  readonly origins: readonly string[];
  readonly query: boolean;
  /** Features that clients may use; `null` if `hello` is off. */
  readonly features: readonly string[] | null;
  readonly limits: Required<ServerLimits>;
  readonly socket: SocketLimits;
  readonly peer: PeerSettings;
  /** What the unfinished transfers of all peers hold in memory, bounded by `limits.transferBytes`. */
  readonly transfers: TransferBudget;
  /** In milliseconds. */
  readonly closeTimeout: number;
}

/** Checks the path of a WebSocket and resolves escapes and dots in it. */
export function checkPath(owner: string, path: unknown): string {
  if (typeof path === "string" && /^\/[^?#]*$/.test(path)) return new URL(path, "http://localhost").pathname;
  throw new TypeError(wrongOption(owner, "path", 'a path that starts with "/", without "?" and "#"', path));
}

/**
 * Checks the options of a server and fills in defaults.
 *
 * @throws {TypeError} If an option has the wrong type; the text names the option.
 * @throws {RangeError} If an option is out of range; the text names the option.
 */
export function resolveOptions(options: MessageServerOptions): ServerSettings {
  const { path = "/ws", refuse = "close", duplicates = "replace", origins = [], query = false, hello = true } = options;
  const { tokens, authorize, decode = {} } = options;
  const { strict = false } = decode;
  if (tokens !== undefined) checkSecrets(OWNER, "tokens", tokens);
  checkStrings(OWNER, "origins", origins);
  if (authorize !== undefined) checkFunction(OWNER, "authorize", authorize);
  checkChoice(OWNER, "refuse", refuse, ["close", "http"]);
  checkChoice(OWNER, "duplicates", duplicates, ["replace", "reject", "share"]);
  checkBoolean(OWNER, "query", query);
  checkBoolean(OWNER, "hello", hello);
  checkBoolean(OWNER, "decode.strict", strict);
  checkObject(OWNER, "limits", options.limits ?? {});
  const limits = numbersOf(OWNER, options.limits ?? {}, LIMITS, "limits.");
  const bounds = numbersOf(OWNER, decode, DECODE, "decode.");
  const { authorizeTimeout, idleTimeout, closeTimeout } = numbersOf(OWNER, options, TIMES);
  const transfers = chunkSettings(OWNER, options.chunks);
  const budget = new TransferBudget(limits.transferBytes);
  const session: SessionOptions = {
    decode: bounds,
    transfers: { ...transfers ?? NO_TRANSFERS, ...bounds, budget },
    confirmation: confirmationLimits(idleTimeout, limits.queuedBytes),
    offered: null,
    sharesTexts: false,
  };
  const { messagesPerSecond, queuedBytes } = limits;
  return {
    path: checkPath(OWNER, path),
    tokens,
    authorize,
    authorizeTimeout,
    refuse,
    duplicates,
    origins,
    query,
    features: hello ? offeredFeatures(bounds.maxBytes, transfers) : null,
    limits,
    socket: { maxBytes: bounds.maxBytes, idleTimeout },
    peer: { session, strict, closeTimeout, messagesPerSecond, queuedBytes },
    transfers: budget,
    closeTimeout,
  };
}
