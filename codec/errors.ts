import type { MessageIssue } from "../schema/rules.ts";

/** 100 MiB, the limit of the deployed peers. Source: maim_message 0.6.8, ws_connection.py, max_message_size. */
export const MAX_BYTES = 104_857_600;

/** What is wrong, where: the members both codec errors share. */
export interface CodecFault<Code extends string> {
  /** Which rule was broken. */
  code: Code;
  /** JSON path of the fault; `$` when it is the whole text. */
  path: string;
  /** What belongs there. */
  expected?: string;
  /** Kind of what stands there, never its value. */
  received?: string;
}

/** Why a text is not a message. Codes are API, texts are not. */
export type MessageDecodeErrorCode = "too_large" | "too_deep" | "invalid_json" | "invalid_shape";

/** Why a message can not be written. Codes are API, texts are not. */
export type MessageEncodeErrorCode = "too_large" | "too_deep" | "invalid_shape";

/** A text from the other side is not a message. Nothing of the text is in the error. */
export class MessageDecodeError extends Error implements CodecFault<MessageDecodeErrorCode> {
  /** Which rule was broken. */
  readonly code: MessageDecodeErrorCode;
  /** JSON path of the fault; `$` when it is the whole text. */
  readonly path: string;
  /** What belongs there. */
  readonly expected?: string;
  /** Kind of what stands there, never its value. */
  readonly received?: string;

  /**
   * Creates the error.
   *
   * @param message What is wrong and what to do about it.
   * @param fault Code, path, expectation and kind found.
   */
  constructor(message: string, fault: CodecFault<MessageDecodeErrorCode>) {
    super(message);
    this.name = "MessageDecodeError";
    this.code = fault.code;
    this.path = fault.path;
    if (fault.expected !== undefined) this.expected = fault.expected;
    if (fault.received !== undefined) this.received = fault.received;
  }
}

/** A message of ours can not be written. Nothing was sent. */
export class MessageEncodeError extends Error implements CodecFault<MessageEncodeErrorCode> {
  /** Which rule was broken. */
  readonly code: MessageEncodeErrorCode;
  /** JSON path of the fault; `$` when it is the whole message. */
  readonly path: string;
  /** What belongs there. */
  readonly expected?: string;
  /** Kind of what stands there, never its value. */
  readonly received?: string;

  /**
   * Creates the error.
   *
   * @param message What is wrong and what to do about it.
   * @param fault Code, path, expectation and kind found.
   */
  constructor(message: string, fault: CodecFault<MessageEncodeErrorCode>) {
    super(message);
    this.name = "MessageEncodeError";
    this.code = fault.code;
    this.path = fault.path;
    if (fault.expected !== undefined) this.expected = fault.expected;
    if (fault.received !== undefined) this.received = fault.received;
  }
}

/** What a rule of the wire says that was broken. */
export function ruleText(act: string, { path, expected, received }: MessageIssue): string {
  return `Cannot ${act} message as ${path} must be ${expected}: received ${received}`;
}
