/** Why a connection or a send failed. Codes are API, texts are not. */
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

/** The line is wrong: it could not be opened, was ended, or leads nowhere. */
export class MessageConnectionError extends Error {
  /** What happened; the table in README says what to do about each. */
  readonly code: MessageConnectionErrorCode;
  /** Close code of the WebSocket, where there was one; 1006 when it fell without a close frame. */
  readonly closeCode?: number;

  /**
   * Creates the error.
   *
   * @param code What happened.
   * @param message What happened and what to do next.
   * @param options Close code of the WebSocket, and the cause.
   */
  constructor(code: MessageConnectionErrorCode, message: string, options: MessageConnectionErrorOptions = {}) {
    super(message, options.cause === undefined ? {} : { cause: options.cause });
    this.name = "MessageConnectionError";
    this.code = code;
    if (options.closeCode !== undefined) this.closeCode = options.closeCode;
  }
}

/** Options of {@linkcode MessageConnectionError}. */
export interface MessageConnectionErrorOptions {
  /** Close code of the WebSocket. */
  closeCode?: number;
  /** What the runtime threw. */
  cause?: unknown;
}
