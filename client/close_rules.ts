/**
 * Rules for the end of a link: close codes, and handshakes that failed.
 * @module
 */

import { explainFailure } from "../runtime/dial_errors.ts";
import { runtime } from "../runtime/mod.ts";
import { AUTHENTICATION_FAILED, CLOSE } from "../util/close_codes.ts";
import { MessageConnectionError, type MessageConnectionErrorCode } from "../util/connection_error.ts";
import { oneLine } from "../util/display.ts";
import type { LinkEnd } from "./link.ts";

/** Meaning of the end of a link. */
export interface CloseVerdict {
  /** Reason of the end, for the user. */
  readonly error: MessageConnectionError;
  /** True if another dial would end the same way. */
  readonly isFatal: boolean;
}

/** Returns the address to show in an error text: the URL without user, password and query. */
function shownUrl(url: URL): string {
  return `${url.protocol}//${url.host}${url.pathname}`;
}

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

function verdict(
  code: MessageConnectionErrorCode,
  text: string,
  { code: closeCode, cause }: LinkEnd,
  { isFatal }: { isFatal: boolean } = { isFatal: false },
): CloseVerdict {
  return { error: new MessageConnectionError(code, text, { closeCode, cause }), isFatal };
}

/** Makes the verdict for a link that ended before its handshake had succeeded. */
function handshakeVerdict(end: LinkEnd, url: URL): CloseVerdict {
  const { cause } = end;
  const status = runtime.httpStatus(cause);
  const start = `Cannot connect to ${shownUrl(url)}: `;
  if (status !== null) {
    const isFatal = isUnauthorized(status);
    const text = start + statusHint(status) + hostHint(url);
    return verdict(isFatal ? "unauthorized" : "refused", text, end, { isFatal });
  }
  const { text, hint } = explainFailure(cause);
  const words = hint !== null && text !== ""
    ? `${hint} (${text})`
    : text || "the server closed it during the handshake";
  return verdict("refused", start + words + hostHint(url) + runtime.proxyHint(url), end);
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

/** Decides what the end of a link means. After a close code without a rule here, the client dials again. */
export function closeVerdict(end: LinkEnd, url: URL): CloseVerdict {
  const address = shownUrl(url);
  const { code, reason } = end;
  const shownReason = reason === "" ? "" : ` "${oneLine(reason)}"`;
  if (!end.wasUpgraded) {
    if (end.timeout === null) return handshakeVerdict(end, url);
    const text = `Cannot connect to ${address}: no answer within ${end.timeout} ms${hostHint(url)}`;
    return verdict("timeout", text, end);
  }
  if (code === CLOSE.unauthorized.code || (code === 1000 && reason.startsWith(AUTHENTICATION_FAILED))) {
    const text = `Server at ${address} does not accept the token (closed with ${code}${shownReason}); check the token`;
    return verdict("unauthorized", text, end, { isFatal: true });
  }
  if (code === 1000 && (reason === CLOSE.replaced.reason || reason === CLOSE.replacedBefore.reason)) {
    const text = `Connection to ${address} was replaced by a newer one of the same platform; run one client for each`;
    return verdict("replaced", text, end, { isFatal: true });
  }
  if (code === CLOSE.tooLarge.code) {
    return verdict("too_large", `Connection to ${address} was closed with 1009: a message was too large`, end);
  }
  const { text } = explainFailure(end.cause);
  const tail = shownReason !== "" || text === "" ? shownReason : ` (${text})`;
  return verdict("closed", `Connection to ${address} was closed with ${code}${tail}`, end);
}
