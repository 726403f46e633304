/**
 * One HTTP request after a dial that failed, if its error does not tell the reason.
 * @module
 */

import { explainFailure } from "../runtime/dial_errors.ts";
import { runtime } from "../runtime/mod.ts";
import { dialVerdict, hiddenRefusalVerdict, socketIoVerdict } from "./dial_failure.ts";
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
  return !end.wasUpgraded && (mayBeSocketIo(end) || runtime.hidesReason(end.cause));
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

/** Makes the verdict for a dial whose error stands in place of another one. */
async function findHiddenReason(end: LinkEnd, { url, ca, signal }: Question): Promise<CloseVerdict> {
  try {
    await runtime.get(probeUrl(url), { headers: {}, ca, signal, maxBytes: 0 });
    return hiddenRefusalVerdict(end, url);
  } catch (error) {
    return dialVerdict(explainFailure(error).hint === null ? end : { ...end, cause: error }, url);
  }
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
    return await findHiddenReason(end, question);
  } finally {
    runtime.cancel(timer);
  }
}
