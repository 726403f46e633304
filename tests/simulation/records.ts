/** What became of one message that was sent to one receiver. */
export interface MessageRecord {
  readonly number: number;
  /** Order of the calls of `send` in the whole run. */
  readonly order: number;
  readonly sender: string;
  readonly isFromClient: boolean;
  readonly at: number;
  /** Last time at which it was handed to a socket; `null` if it never was. */
  sentAt: number | null;
  /** The connection it was last handed to; 0 if it never was. */
  connection: number;
  /** It was in the buffer of the process when the connection ended: the kernel never got it whole. */
  wasKept: boolean;
  /** A server has read it from its socket. */
  hasArrived: boolean;
  readonly handled: { readonly at: number; readonly connection: number }[];
  readonly drops: { readonly at: number; readonly reason: string }[];
  wasThrown: boolean;
}

/** What a connection of a client went through. */
export interface ConnectionRecord {
  readonly connection: number;
  readonly sender: string;
  readonly openedAt: number;
  /** Last time at which the client read something, or heard the answer to an HTTP question. */
  lastRead: number;
  /** Last time at which the kernel took bytes of the client. */
  lastMoved: number;
  endedAt: number | null;
  code: number;
  reason: string;
  /** When the client's owner called `close()`; `null` before. */
  closeAt: number | null;
  /** Code and reason of the client's close frame; `null` before. */
  sentClose: string | null;
  /** `maim_ping`s without a pong: when the kernel got the oldest of them; `null` for none. */
  pingAt: number | null;
  hasHello: boolean;
}
