import { runtime } from "../runtime/mod.ts";
import { AUTHENTICATION_FAILED, CLOSE } from "../util/close_codes.ts";
import { MessageConnectionError, type MessageConnectionErrorCode } from "../util/connection_error.ts";
import type { LinkEnd } from "./link.ts";

/** What the end of a link means, and whether dialling again can help. */
export interface Verdict {
  readonly error: MessageConnectionError;
  readonly isFatal: boolean;
}

/** Mistakes that have a name: what the runtime says, and what to do about it. */
const HINTS: readonly (readonly [pattern: RegExp, hint: string])[] = [
  [
    /CaUsedAsEndEntity/,
    "the server's own certificate is a CA; make one with basicConstraints=critical,CA:FALSE (README, TLS)",
  ],
  [
    /UnknownIssuer|self.signed|unable to verify|unable to get (local )?issuer|UNABLE_TO|DEPTH_ZERO/i,
    "the certificate is not signed by a known CA; pass the CA's PEM as tls.ca",
  ],
  [
    /not valid for name|NotValidForName|altnames|Hostname|IP address mismatch/i,
    "the certificate is for another host name; use a name that it lists",
  ],
  [/Expired|NotValidYet|has expired/i, "the certificate is not valid today; renew it or set the clock"],
  [/InvalidContentType|WRONG_VERSION_NUMBER/, "the server does not speak TLS there; use ws:// instead of wss://"],
  [/invalid HTTP version/, "the server seems to speak TLS there; use wss:// instead of ws://"],
  [/dns error|ENOTFOUND|EAI_AGAIN/, "the host name is not known; check its spelling"],
  [/Requires net access|NotCapable/, "Deno was started without --allow-net; run it with --allow-net or -A"],
  [
    /tcp connect error|ECONNREFUSED|Failed to connect/,
    "nothing answers there; check host and port, and that the server runs",
  ],
];

/** The runtime's own words, with its code. */
function causeText(cause: unknown): string {
  if (!(cause instanceof Error)) return "";
  const { message, code } = cause as Error & { code?: unknown };
  const text = message.replace(/^failed to connect to WebSocket: /, "");
  return typeof code === "string" && !text.includes(code) ? `${text} (${code})` : text;
}

function hostHint(url: URL): string {
  return url.hostname === "0.0.0.0" || url.hostname === "[::]"
    ? `; ${url.hostname} is an address to listen on: dial 127.0.0.1 or the machine's own address`
    : "";
}

function statusHint(status: number): string {
  if (status === 400) return "the server answered HTTP 400; check the platform name and the headers";
  if (status === 404) return "the server answered HTTP 404; check the path, /ws by default";
  return `the server answered HTTP ${status}`;
}

/** Where the error is about, without user, password and query. */
function place(url: URL): string {
  return `${url.protocol}//${url.host}${url.pathname}`;
}

function refusal(end: LinkEnd, url: URL): Verdict {
  const status = runtime.httpStatus(end.cause);
  const isUnauthorized = status === 401 || status === 403;
  const text = causeText(end.cause);
  const hint = status !== null
    ? statusHint(status)
    : HINTS.find(([pattern]) => pattern.test(text))?.[1] ?? (text || "the server hung up during the handshake");
  // An unknown path is 403 on the reference: it is not worth another try either.
  const advice = isUnauthorized ? `${hint}; check the token, and the path, /ws by default` : hint;
  const said = text === "" || hint.includes(text) || status !== null ? "" : ` (${text})`;
  return verdict(
    isUnauthorized ? "unauthorized" : "refused",
    `Cannot connect to ${place(url)}: ${advice}${said}`,
    end,
    {
      isFatal: isUnauthorized,
      hint: hostHint(url) + (status === null ? runtime.proxyHint(url) : ""),
    },
  );
}

function verdict(
  code: MessageConnectionErrorCode,
  text: string,
  { code: closeCode, cause }: LinkEnd,
  { isFatal = false, hint = "" }: { isFatal?: boolean; hint?: string } = {},
): Verdict {
  return { error: new MessageConnectionError(code, text + hint, { closeCode, cause }), isFatal };
}

/** The verdict on a server that turned out to speak Socket.IO; it may be replaced, so this is not fatal. */
export function socketIoVerdict({ error, isFatal }: Verdict): Verdict {
  const text = `${error.message.split(": the server answered")[0]}: the server speaks Socket.IO (maim_message 0.7 or ` +
    "newer), which does not mix with WebSocket; install maim-message 0.6.8 there";
  const { closeCode, cause } = error;
  return {
    error: new MessageConnectionError(error.code, text, { ...(closeCode === undefined ? {} : { closeCode }), cause }),
    isFatal,
  };
}

/** Decides what the end of a link means, by the table of close codes; everything unknown is worth another try. */
export function closeVerdict(end: LinkEnd, url: URL): Verdict {
  const where = place(url);
  const { code, reason } = end;
  if (!end.wasUpgraded) {
    if (end.timeout === null) return refusal(end, url);
    const text = `Cannot connect to ${where} as the handshake must end within ${end.timeout} ms: no answer`;
    return verdict("timeout", text, end, { hint: hostHint(url) });
  }
  if (code === CLOSE.unauthorized.code || (code === 1000 && reason.startsWith(AUTHENTICATION_FAILED))) {
    const text = `Cannot stay connected to ${where} as the token must be valid: closed with ${code} "${reason}"`;
    return verdict("unauthorized", text, end, { isFatal: true });
  }
  if (code === 1000 && (reason === CLOSE.replaced.reason || reason === CLOSE.replacedBefore.reason)) {
    const text = `Cannot stay connected to ${where} as a platform connects once: a newer connection took its place`;
    return verdict("replaced", text, end, { isFatal: true });
  }
  if (code === CLOSE.tooLarge.code) {
    return verdict("too_large", `Connection to ${where} was closed with 1009: a message was too large`, end);
  }
  const said = causeText(end.cause);
  const tail = reason !== "" ? ` "${reason}"` : said !== "" ? ` (${said})` : "";
  return verdict("closed", `Connection to ${where} was closed with ${code}${tail}`, end);
}
