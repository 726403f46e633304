import { utf8Length } from "./utf8.ts";

/** What a close frame says. */
export interface CloseFrame {
  readonly code: number;
  /** At most 123 bytes of UTF-8. */
  readonly reason: string;
}

/** Names of the close frames. */
export type CloseName =
  | "normal"
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
 * The close frames of this library and of its peers, each with its meaning.
 * Source of the Chinese reasons: maim_message 0.6.8, ws_connection.py; of the older one: commit d1ab5e7.
 */
export const CLOSE: Readonly<Record<CloseName, CloseFrame>> = {
  /** The end that one side wanted. */
  normal: { code: 1000, reason: "" },
  /** The server has stopped. */
  stopped: { code: 1000, reason: "服务器关闭" },
  /** A newer connection of the same platform has taken over. */
  replaced: { code: 1000, reason: "新的连接已建立" },
  /** The same, of maim_message before 0.5.3. */
  replacedBefore: { code: 1000, reason: "新连接取代" },
  /** The server gave up before the socket was open. */
  goneAway: { code: 1001, reason: "" },
  /** There was no close frame; none can carry this code. */
  abnormal: { code: 1006, reason: "" },
  /** The token is missing or wrong. */
  unauthorized: { code: 1008, reason: "Invalid or missing token" },
  /** The same, of maim_message. */
  unauthorizedByMaim: { code: 1008, reason: "无效的令牌" },
  /** A frame was larger than the receiver takes. */
  tooLarge: { code: 1009, reason: "Message too large" },
  /** No pong came. Source: uvicorn. */
  silent: { code: 1011, reason: "keepalive ping timeout" },
  /** The server's process was told to end. Source: uvicorn. */
  restarting: { code: 1012, reason: "" },
  /** The receiver does not read what is queued for it. */
  notReading: { code: 1013, reason: "not reading" },
  /** Another connection of the platform was there first. */
  alreadyConnected: { code: 4409, reason: "platform already connected" },
  /** The sender sends more than it may. */
  tooMany: { code: 4429, reason: "too many messages" },
};

/** How the reason of a server of MaiBot's API begins that refuses a token; the code is 1000. */
export const AUTHENTICATION_FAILED = "Authentication failed";

/** The close frame for a frame that is not a message, where such a frame ends the connection. */
export function invalidMessage(path: string): CloseFrame {
  return { code: 1007, reason: `Invalid message at ${path}`.slice(0, 120) };
}

/** Bytes of reason that fit into a close frame. */
const MAX_REASON = 123;

/** Tells whether a close frame may carry a code: 1004 to 1006 and 1015 are reserved, 1016 to 2999 belong to nobody. */
function isCloseCode(code: number): boolean {
  if (!Number.isInteger(code)) return false;
  return (code >= 1000 && code <= 1003) || (code >= 1007 && code <= 1014) || (code >= 3000 && code <= 4999);
}

/**
 * Checks what somebody wants to close with.
 *
 * @throws {RangeError} If a close frame cannot carry it.
 */
export function checkClose({ code, reason }: CloseFrame): void {
  if (!isCloseCode(code)) {
    throw new RangeError(
      `'code' is ${code}, which a close frame cannot carry; use 1000 to 1003, 1007 to 1014 or 3000 to 4999`,
    );
  }
  if (utf8Length(reason) > MAX_REASON) {
    throw new RangeError(`'reason' takes more than ${MAX_REASON} bytes of UTF-8; shorten it`);
  }
}
