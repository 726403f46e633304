/** Reason for which a connection or a send failed. The codes are part of the API; the error texts are not. */
export type MessageConnectionErrorCode =
  | "not_open"
  | "refused"
  | "unauthorized"
  | "replaced"
  | "timeout"
  | "closed"
  | "no_route"
  | "queue_full"
  | "too_large";

/** Error for a connection that could not be opened, has ended, or cannot take a message. */
export class MessageConnectionError extends Error {
  /** Reason of the failure. The README has a table that says what to do about each code. */
  readonly code: MessageConnectionErrorCode;
  /**
   * Close code of the WebSocket, if the WebSocket was closed; 1006 if the connection was lost without a close frame.
   */
  readonly closeCode?: number;

  /**
   * Creates the error.
   *
   * @param code Reason of the failure.
   * @param message What happened, and what to do about it.
   * @param options Close code of the WebSocket, and the cause.
   */
  constructor(code: MessageConnectionErrorCode, message: string, options: MessageConnectionErrorOptions = {}) {
    super(message, options.cause === undefined ? {} : { cause: options.cause });
    this.name = "MessageConnectionError";
    this.code = code;
    if (options.closeCode !== undefined) this.closeCode = options.closeCode;
  }
}

/** Tells whether a handler has failed only because it has used a client, server or peer that is closed. */
export function isClosedError(error: unknown): boolean {
  return error instanceof MessageConnectionError && error.code === "closed";
}

/** Options of {@linkcode MessageConnectionError}. */
export interface MessageConnectionErrorOptions {
  /** Close code of the WebSocket. */
  closeCode?: number;
  /** The error of the runtime. */
  cause?: unknown;
}
