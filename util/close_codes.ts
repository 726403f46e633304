import { utf8Length } from "./utf8.ts";

/** Code and reason of a close frame. */
export interface CloseFrame {
  readonly code: number;
  /** At most 123 bytes of UTF-8. */
  readonly reason: string;
}

/** Names of the close frames in {@linkcode CLOSE}. */
export type CloseName =
  | "normal"
  | "clientClosed"
  | "stopped"
  | "replaced"
  | "replacedBefore"
  | "goneAway"
  | "abnormal"
  | "unauthorized"
  | "unauthorizedByMaim"
  | "tooLarge"
  | "silent"
  | "restarting"
  | "notReading"
  | "alreadyConnected"
  | "tooMany";

/**
 * Close frames that this library and its peers send. Source of the Chinese reasons: maim_message 0.6.8,
 * ws_connection.py; for `replacedBefore`, commit d1ab5e7 of maim_message.
 */
export const CLOSE: Readonly<Record<CloseName, CloseFrame>> = {
  /** A normal close by either side. */
  normal: { code: 1000, reason: "" },
  /** A client of this library closes. A close frame of the server itself has another reason. */
  clientClosed: { code: 1000, reason: "client closed" },
  /** The server is closing. */
  stopped: { code: 1000, reason: "服务器关闭" },
  /** A newer connection of the same platform has replaced this one. */
  replaced: { code: 1000, reason: "新的连接已建立" },
  /** The same meaning as `replaced`; sent by maim_message before 0.5.3. */
  replacedBefore: { code: 1000, reason: "新连接取代" },
  /** The server ended the connection before its socket was open. */
  goneAway: { code: 1001, reason: "" },
  /** The connection was lost without a close frame. A close frame cannot carry this code. */
  abnormal: { code: 1006, reason: "" },
  /** The token is missing or wrong. */
  unauthorized: { code: 1008, reason: "Invalid or missing token" },
  /** The same meaning as `unauthorized`; sent by maim_message. */
  unauthorizedByMaim: { code: 1008, reason: "无效的令牌" },
  /** A frame was larger than the receiver accepts. */
  tooLarge: { code: 1009, reason: "Message too large" },
  /** A protocol ping was not answered. Source: uvicorn. */
  silent: { code: 1011, reason: "keepalive ping timeout" },
  /** The server process is ending. Source: uvicorn. */
  restarting: { code: 1012, reason: "" },
  /** The peer does not read the frames that are queued to it. */
  notReading: { code: 1013, reason: "not reading" },
  /** The platform is connected already, and the server does not replace connections. */
  alreadyConnected: { code: 4409, reason: "platform already connected" },
  /** The peer sends more messages than the server allows. */
  tooMany: { code: 4429, reason: "too many messages" },
};

/** Start of the close reason that MaiBot's API server sends when it refuses a token. The close code is 1000. */
export const AUTHENTICATION_FAILED = "Authentication failed";

/** Creates the close frame for a connection that ends because a frame was not a message. */
export function invalidMessage(path: string): CloseFrame {
  return { code: 1007, reason: `Invalid message at ${path}`.slice(0, 120) };
}

/** Maximum bytes of the reason in a close frame. */
const MAX_REASON_BYTES = 123;

/** Tells whether a close frame may carry a code. 1004 to 1006 and 1015 are reserved, 1016 to 2999 are not assigned. */
function isCloseCode(code: number): boolean {
  if (!Number.isInteger(code)) return false;
  return (code >= 1000 && code <= 1003) || (code >= 1007 && code <= 1014) || (code >= 3000 && code <= 4999);
}

/**
 * Checks the code and the reason of a close frame.
 *
 * @throws {RangeError} If a close frame cannot carry the code or the reason.
 */
export function checkClose({ code, reason }: CloseFrame): void {
  if (!isCloseCode(code)) {
    throw new RangeError(
      `'code' must be from 1000 to 1003, 1007 to 1014 or 3000 to 4999; received ${code}`,
    );
  }
  if (utf8Length(reason) > MAX_REASON_BYTES) {
    throw new RangeError(
      `'reason' must take at most ${MAX_REASON_BYTES} bytes of UTF-8; received ${utf8Length(reason)} bytes`,
    );
  }
}
