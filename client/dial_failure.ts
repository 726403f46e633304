/**
 * Explains why a dial failed, and what to do about it.
 * @module
 */

import { explainFailure } from "../runtime/dial_errors.ts";
import { runtime } from "../runtime/mod.ts";
import type { LinkEnd } from "./link.ts";
import { type CloseVerdict, shownUrl, verdict } from "./verdict.ts";

function hostHint(url: URL): string {
  return url.hostname === "0.0.0.0" || url.hostname === "[::]"
    ? `; ${url.hostname} is an address to listen on: dial 127.0.0.1 or the machine's own address`
    : "";
}

function statusHint(status: number): string {
  if (status === 400) return "the server answered HTTP 400; check the platform name and the headers";
  if (status === 404) return "the server answered HTTP 404; check the path, /ws by default";
  // The reference server also answers 403 for an unknown path.
  const advice = isUnauthorized(status) ? "; check the token, and the path, /ws by default" : "";
  return `the server answered HTTP ${status}${advice}`;
}

function isUnauthorized(status: number | null): boolean {
  return status === 401 || status === 403;
}

function proxyHint(url: URL): string {
  const variable = runtime.proxyVariable(url);
  return variable === null
    ? ""
    : `; ${variable} is set, and Deno sends WebSockets through it: add ${url.hostname} to NO_PROXY`;
}

/** Makes the verdict for a dial that failed: the link ended before its handshake had succeeded. */
export function dialVerdict(end: LinkEnd, url: URL): CloseVerdict {
  const { cause, timeout } = end;
  const status = runtime.httpStatus(cause);
  const start = `Cannot connect to ${shownUrl(url)}: `;
  if (timeout !== null) return verdict("timeout", `${start}no answer within ${timeout} ms${hostHint(url)}`, end);
  if (status !== null) {
    const isFatal = isUnauthorized(status);
    const text = start + statusHint(status) + hostHint(url);
    return verdict(isFatal ? "unauthorized" : "refused", text, end, { isFatal });
  }
  const { text, hint } = explainFailure(cause);
  const words = hint !== null && text !== ""
    ? `${hint} (${text})`
    : text || "the server closed it during the handshake";
  return verdict("refused", start + words + hostHint(url) + proxyHint(url), end);
}

/**
 * Makes the verdict for a dial whose error hides the reason, to a server that answers over HTTPS: its certificate is
 * accepted, so it must have refused the handshake.
 */
export function hiddenRefusalVerdict(end: LinkEnd, url: URL): CloseVerdict {
  const { text } = explainFailure(end.cause);
  const advice = "the server uses TLS and refused the handshake, and the runtime hides its HTTP status; " +
    "check the token, and the path, /ws by default";
  return verdict("refused", `Cannot connect to ${shownUrl(url)}: ${advice} (${text})`, end);
}

/**
 * Makes the verdict for a server that refused the handshake and uses Socket.IO. The verdict is not fatal, because
 * another server may replace this one later.
 */
export function socketIoVerdict(end: LinkEnd, url: URL): CloseVerdict {
  const text =
    `Cannot connect to ${shownUrl(url)}: the server speaks Socket.IO (maim_message 0.7 or newer) instead of ` +
    "plain WebSocket; install maim-message 0.6.8 there";
  return verdict("refused", text, end);
}
