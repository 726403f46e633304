import { MessageConnectionError, type MessageConnectionErrorCode } from "../util/connection_error.ts";
import type { LinkEnd } from "./link.ts";

/** Meaning of the end of a link. */
export interface CloseVerdict {
  /** Reason of the end, for the user. */
  readonly error: MessageConnectionError;
  /** True if another dial would end the same way. */
  readonly isFatal: boolean;
}

/** Creates a verdict. The error holds the close code and the cause of the end. */
export function verdict(
  code: MessageConnectionErrorCode,
  text: string,
  { code: closeCode, cause }: LinkEnd,
  { isFatal }: { isFatal: boolean } = { isFatal: false },
): CloseVerdict {
  return { error: new MessageConnectionError(code, text, { closeCode, cause }), isFatal };
}

/** Returns the address to show in an error text: the URL without user, password and query. */
export function shownUrl(url: URL): string {
  return `${url.protocol}//${url.host}${url.pathname}`;
}
