/**
 * One HTTP request after a dial that failed, if its error does not tell the reason.
 * @module
 */

import { explainFailure } from "../runtime/dial_errors.ts";
import { runtime } from "../runtime/mod.ts";
import { dialVerdict, socketIoVerdict } from "./dial_failure.ts";
import type { LinkEnd } from "./link.ts";
import { probeUrl } from "./probe.ts";
import type { CloseVerdict } from "./verdict.ts";

/** Maximum milliseconds that the request may take. */
const QUESTION_TIMEOUT = 2000;

/** Start of the answer of an Engine.IO server to its handshake. */
const ENGINE_IO_OPEN = '0{"sid"';

/** What a question needs. */
interface Question {
  readonly url: URL;
  /** PEM certificates that are trusted in addition to the runtime's own. */
  readonly ca: readonly string[];
  readonly signal: AbortSignal;
}

function mayBeSocketIo({ cause }: LinkEnd): boolean {
  const status = runtime.httpStatus(cause);
  return status === 400 || status === 404;
}

/** Returns true if the error of a failed dial does not tell its reason, but an HTTP request may. */
export function hasHiddenReason(end: LinkEnd): boolean {
  return !end.wasUpgraded && (mayBeSocketIo(end) || runtime.hidesTlsFault(end.cause));
}

/** Checks whether a server uses Socket.IO. Source: maim_message 0.7.4 serves Engine.IO 4 under `/ws/`. */
async function usesSocketIo({ url, ca, signal }: Question): Promise<boolean> {
  const address = new URL("/ws/?EIO=4&transport=polling", probeUrl(url));
  try {
    const { text } = await runtime.get(address.href, { headers: {}, ca, signal, maxBytes: ENGINE_IO_OPEN.length });
    return text === ENGINE_IO_OPEN;
  } catch {
    return false;
  }
}

/** Returns the TLS fault of a server; `undefined` if none was found. */
async function findTlsFault({ url, ca, signal }: Question): Promise<unknown> {
  try {
    await runtime.get(probeUrl(url), { headers: {}, ca, signal, maxBytes: 0 });
  } catch (error) {
    if (explainFailure(error).hint !== null) return error;
  }
  return undefined;
}

/**
 * Makes the verdict for a failed dial whose error does not tell the reason: first asks the server. Takes at most
 * `timeout` milliseconds. Never rejects.
 */
export async function askForReason(
  end: LinkEnd,
  url: URL,
  { ca, timeout }: { ca: readonly string[]; timeout: number },
): Promise<CloseVerdict> {
  const request = new AbortController();
  const timer = runtime.after(Math.min(timeout, QUESTION_TIMEOUT), () => request.abort());
  const question = { url, ca, signal: request.signal };
  try {
    if (mayBeSocketIo(end)) return await usesSocketIo(question) ? socketIoVerdict(end, url) : dialVerdict(end, url);
    return dialVerdict({ ...end, cause: await findTlsFault(question) ?? end.cause }, url);
  } finally {
    runtime.cancel(timer);
  }
}
