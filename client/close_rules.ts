/**
 * Rules for the end of a link, by its close code.
 * @module
 */

import { explainFailure } from "../runtime/dial_errors.ts";
import { AUTHENTICATION_FAILED, CLOSE } from "../util/close_codes.ts";
import { oneLine } from "../util/display.ts";
import { dialVerdict } from "./dial_failure.ts";
import type { LinkEnd } from "./link.ts";
import { type CloseVerdict, shownUrl, verdict } from "./verdict.ts";

/** Decides what the end of a link means. After a close code without a rule here, the client dials again. */
export function closeVerdict(end: LinkEnd, url: URL): CloseVerdict {
  if (!end.wasUpgraded) return dialVerdict(end, url);
  const address = shownUrl(url);
  const { code, reason } = end;
  const shownReason = reason === "" ? "" : ` "${oneLine(reason)}"`;
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
