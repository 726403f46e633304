import type { MessageBase } from "../../schema/types.ts";
import type { MaibotIssue } from "../issues.ts";
import type { MaibotLogLine } from "./log.ts";

/** A frame that a `FakeMaiBot` received, and what MaiBot would do with it. */
export interface MaibotReceipt {
  /** `message` for an ordinary message, `custom` for a custom message, `broken` for a frame that is not JSON text. */
  readonly kind: "message" | "custom" | "broken";
  /** Platform of the connection; `unknown` if the handshake named none. */
  readonly platform: string;
  /** The JSON value; `undefined` if the frame is broken. */
  readonly value: unknown;
  /** The value as an ordinary message; `null` if the value is not an ordinary message. */
  readonly message: MessageBase | null;
  /** True if MaiBot would accept the frame. */
  readonly isAccepted: boolean;
  /**
   * True if MaiBot can answer the message: MaiBot accepts it, it names the bot's account, and the policy allows its
   * chat.
   */
  readonly isAnswerable: boolean;
  /** The issues that `maibotIssues` finds. */
  readonly issues: readonly MaibotIssue[];
  /** The line that MaiBot would log when it reads the frame; `null` if it would log no line. */
  readonly log: MaibotLogLine | null;
}

/** The end of a connection of a `FakeMaiBot`. */
export interface FakeMaiBotEnd {
  /** Close code; 1006 if there was no close frame. */
  code: number;
  /** Close reason; often empty. */
  reason: string;
}

/** Events of `FakeMaiBot`, with the arguments of their handlers. */
export interface FakeMaiBotEvents {
  /** An adapter has connected and was let in. The platform is `unknown` if its handshake named none. */
  open: [platform: string];
  /** The connection of an adapter that was let in has ended. */
  close: [platform: string, end: FakeMaiBotEnd];
  /** A frame was received. */
  received: [receipt: MaibotReceipt];
  /** A message was sent. */
  sent: [message: MessageBase];
  /** MaiBot would log a line. */
  log: [line: MaibotLogLine];
  /**
   * An event handler, or the function in the option `answers` or `policy`, has failed. If the event `error` has no
   * handler, the error is printed with `console.error`.
   */
  error: [error: unknown];
}
