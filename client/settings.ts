import { MAX_BYTES } from "../codec/limits.ts";
import { isRouteName, type Route } from "../schema/account.ts";
import type { ConfirmationLimits } from "../session/confirmation.ts";
import { HELLO_HEADER, offeredFeatures } from "../session/hello.ts";
import type { SessionOptions } from "../session/session.ts";
import { chunkSettings, NO_TRANSFERS } from "../session/transfer/options.ts";
import {
  checkBoolean,
  checkChoice,
  checkFunction,
  checkObject,
  isHeaderName,
  type NumberOption,
  numbersOf,
  wrongOption,
  wrongSecret,
} from "../util/checks.ts";
import type { ClientTls, MessageClientOptions, OtherPlatforms, ReconnectOptions } from "./options.ts";
import type { Validate } from "./check_before_sending.ts";

const OWNER = "MessageClient";

type Numbers<Name extends string> = Readonly<Record<Name, NumberOption>>;

/** Defaults and minimums of `reconnect`. */
const RECONNECT: Numbers<"minDelay" | "maxDelay" | "multiplier" | "jitter" | "maxAttempts" | "stableAfter"> = {
  minDelay: { default: 1000, least: 0 },
  maxDelay: { default: 30_000, least: 0 },
  multiplier: { default: 2, least: 1 },
  jitter: { default: 0.2, least: 0 },
  maxAttempts: { default: Infinity, least: 0 },
  stableAfter: { default: 10_000, least: 0 },
};

/** Defaults and minimums of `outbox`. */
export const OUTBOX: Numbers<"maxMessages" | "maxBytes" | "maxAge" | "doubt"> = {
  maxMessages: { default: 1000, least: 0 },
  maxBytes: { default: 16 * 2 ** 20, least: 0 },
  maxAge: { default: 60_000, least: 0 },
  doubt: { default: 1000, least: 0 },
};

/** Defaults and minimums of `heartbeat`. */
const HEARTBEAT: Numbers<"interval" | "timeout"> = {
  interval: { default: 20_000, least: 1 },
  timeout: { default: 10_000, least: 1 },
};

/** Defaults and minimums of `decode`. */
const DECODE: Numbers<"maxBytes" | "maxDepth" | "maxSegments"> = {
  maxBytes: { default: MAX_BYTES, least: 1 },
  maxDepth: { default: 32, least: 1 },
  maxSegments: { default: Infinity, least: 1 },
};

/** Defaults and minimums of the timeouts. */
const TIMES: Numbers<"connectTimeout" | "closeTimeout"> = {
  connectTimeout: { default: 10_000, least: 1 },
  closeTimeout: { default: 5000, least: 0 },
};

/** Settings of `reconnect`. `maxAttempts` is 0 if the option `reconnect` is `false`. */
export interface ReconnectSettings extends Readonly<Record<keyof typeof RECONNECT, number>> {
  readonly delay: ReconnectOptions["delay"];
}

/** Settings of `outbox`. */
export interface OutboxSettings extends Readonly<Record<keyof typeof OUTBOX, number>> {
  readonly inDoubt: "report" | "resend";
}

/** Settings of `heartbeat`. */
export interface HeartbeatSettings extends Readonly<Record<keyof typeof HEARTBEAT, number>> {
  readonly probe: boolean;
}

/** The options of a client, checked, with defaults filled in. */
export interface ClientSettings {
  readonly platform: string;
  readonly token: MessageClientOptions["token"];
  readonly headers: Readonly<Record<string, string>>;
  /** PEM certificates that are trusted in addition to the runtime's own. */
  readonly ca: readonly string[];
  readonly reconnect: ReconnectSettings;
  readonly outbox: OutboxSettings;
  /** True if messages are kept while there is no connection. */
  readonly keepsMessages: boolean;
  /** `null` if the heartbeat is off. */
  readonly heartbeat: HeartbeatSettings | null;
  readonly session: SessionOptions;
  /** Account and scope that are added to messages without them. */
  readonly route: Route;
  readonly validate: Validate | undefined;
  readonly otherPlatforms: OtherPlatforms;
  /** Milliseconds. */
  readonly connectTimeout: number;
  /** Milliseconds. */
  readonly closeTimeout: number;
}

/** Checks the URL that a client dials. */
export function checkUrl(url: string): string {
  const parsed = URL.parse(url);
  if (parsed?.protocol === "ws:" || parsed?.protocol === "wss:") {
    if (parsed.hash === "") return url;
    throw new TypeError(wrongSecret(OWNER, "url", 'a URL without "#" and what follows it'));
  }
  // The error does not show the URL, because it may hold a token.
  const found = parsed === null ? "another text" : `a URL that starts with ${parsed.protocol}`;
  throw new TypeError(`${wrongSecret(OWNER, "url", "a URL that starts with ws:// or wss://")}; received ${found}`);
}

/** Checks a token. The error does not show it. */
export function checkToken(token: unknown): string {
  if (typeof token === "string" && /^[\x20-\x7e]*$/.test(token)) return token;
  throw new TypeError(wrongSecret(OWNER, "token", "a string of printable ASCII"));
}

/** Checks the additional headers. The errors show no header value, because it may be secret. */
function checkHeaders(headers: Readonly<Record<string, string>>): void {
  for (const [name, value] of Object.entries(headers)) {
    if (["platform", "authorization", HELLO_HEADER].includes(name.toLowerCase())) {
      throw new TypeError(`${OWNER}: 'headers' must not contain "${name}"; the client sends it by itself`);
    }
    const isName = /^[!#$%&'*+.^_`|~0-9A-Za-z-]+$/.test(name);
    if (!isName || typeof value !== "string" || !/^[\t\x20-\x7e\x80-\xff]*$/.test(value)) {
      throw new TypeError(wrongSecret(OWNER, "headers", "names and values that HTTP allows"));
    }
  }
}

function caOf({ ca = [] }: ClientTls): readonly string[] {
  const texts = typeof ca === "string" ? [ca] : ca;
  if (Array.isArray(texts) && texts.every((text) => typeof text === "string" && text.includes("-----BEGIN"))) {
    return texts;
  }
  throw new TypeError(wrongSecret(OWNER, "tls.ca", "PEM text, or an array of PEM texts"));
}

/** Returns a group of options; an empty object if the group is not given or `false`. */
function groupOf<Group extends object>(name: string, given: Group | false | undefined): Partial<Group> {
  if (given === undefined || given === false) return {};
  checkObject(OWNER, name, given);
  return given;
}

function reconnectSettings(given: MessageClientOptions["reconnect"]): ReconnectSettings {
  const group = groupOf("reconnect", given);
  const numbers = numbersOf(OWNER, group, RECONNECT, "reconnect.");
  if (numbers.jitter > 1) {
    throw new RangeError(wrongOption(OWNER, "reconnect.jitter", "at most 1", numbers.jitter));
  }
  if (group.delay !== undefined) checkFunction(OWNER, "reconnect.delay", group.delay);
  return given === false
    ? { ...numbers, delay: undefined, maxAttempts: 0, stableAfter: Infinity }
    : { ...numbers, delay: group.delay };
}

function outboxSettings(given: MessageClientOptions["outbox"]): OutboxSettings {
  const group = groupOf("outbox", given);
  const { inDoubt = "report" } = group;
  checkChoice(OWNER, "outbox.inDoubt", inDoubt, ["report", "resend"]);
  return { ...numbersOf(OWNER, group, OUTBOX, "outbox."), inDoubt };
}

function heartbeatSettings(given: MessageClientOptions["heartbeat"]): HeartbeatSettings | null {
  const group = groupOf("heartbeat", given);
  const { probe = true } = group;
  checkBoolean(OWNER, "heartbeat.probe", probe);
  const numbers = numbersOf(OWNER, group, HEARTBEAT, "heartbeat.");
  return given === false ? null : { ...numbers, probe };
}

/** Least window of messages that are not confirmed, for clients whose outbox holds only few messages. */
const LEAST_WINDOW = 100;
/** The window is larger than the outbox by this factor. */
const WINDOW_FACTOR = 10;

function confirmationLimits(
  { maxMessages, maxBytes, doubt }: OutboxSettings,
  heartbeat: HeartbeatSettings | null,
): ConfirmationLimits {
  return {
    maxMessages: Math.max(LEAST_WINDOW, WINDOW_FACTOR * maxMessages),
    maxBytes: Math.max(1, maxBytes),
    timeout: heartbeat?.timeout ?? Infinity,
    doubt,
    maxForeign: Infinity,
  };
}

function sessionSettings(
  { decode, chunks }: MessageClientOptions,
  confirmation: ConfirmationLimits,
): SessionOptions {
  if (decode !== undefined) checkObject(OWNER, "decode", decode);
  const limits = numbersOf(OWNER, decode ?? {}, DECODE, "decode.");
  const transfers = chunkSettings(OWNER, chunks);
  return {
    decode: limits,
    transfers: { ...transfers ?? NO_TRANSFERS, ...limits },
    confirmation,
    offered: offeredFeatures(limits.maxBytes, transfers),
    sharesTexts: true,
  };
}

/**
 * Describes a wrong id for an error text. The most likely mistake is a number, so the text says how to write it as a
 * string.
 */
function showId(value: unknown): string {
  return typeof value === "number" ? `the number ${value}; write "${value}"` : `${value === "" ? '""' : typeof value}`;
}

function checkIdentity({ platform, token, account, scope }: MessageClientOptions): void {
  if (!isHeaderName(platform)) {
    throw new TypeError(wrongOption(OWNER, "platform", "a string of visible ASCII", platform));
  }
  for (const [name, value] of Object.entries({ account, scope })) {
    if (value === undefined || (isRouteName(value) && value.isWellFormed())) continue;
    throw new TypeError(`${wrongSecret(OWNER, name, "a string that is not blank")}; received ${showId(value)}`);
  }
  if (token !== undefined && typeof token !== "function") checkToken(token);
}

/**
 * Checks the options of a client and fills in defaults.
 *
 * @throws {TypeError} If an option has the wrong type; the text names the option.
 * @throws {RangeError} If an option is out of range; the text names the option.
 */
export function resolveOptions(options: MessageClientOptions): ClientSettings {
  const { platform, token, headers = {}, tls = {}, account, scope, validate, otherPlatforms = "warn" } = options;
  checkIdentity(options);
  checkHeaders(headers);
  checkChoice(OWNER, "otherPlatforms", otherPlatforms, ["warn", "refuse", "allow"]);
  const outbox = outboxSettings(options.outbox);
  const heartbeat = heartbeatSettings(options.heartbeat);
  if (validate !== undefined) checkFunction(OWNER, "validate", validate);
  return {
    platform,
    token,
    headers,
    ca: caOf(tls),
    reconnect: reconnectSettings(options.reconnect),
    outbox,
    keepsMessages: options.outbox !== false,
    heartbeat,
    session: sessionSettings(options, confirmationLimits(outbox, heartbeat)),
    route: { account, scope },
    validate,
    otherPlatforms,
    ...numbersOf(OWNER, options, TIMES),
  };
}
