import type { MessageIssue } from "../schema/rules.ts";

/**
 * Says which rule is broken and where. {@linkcode MessageDecodeError} and {@linkcode MessageEncodeError} have these
 * members.
 */
export interface CodecFault<Code extends string> {
  /** The rule that is broken. */
  code: Code;
  /** JSON path of the fault; `$` for the whole message. */
  path: string;
  /** Description of a valid value. */
  expected?: string;
  /** Type of the value that was found, never the value itself. */
  received?: string;
}

/** The reason why a text is not a message. The codes are part of the API; the error texts are not. */
export type MessageDecodeErrorCode = "too_large" | "too_deep" | "invalid_json" | "invalid_shape";

/** The reason why a message cannot be encoded. The codes are part of the API; the error texts are not. */
export type MessageEncodeErrorCode = "too_large" | "too_deep" | "invalid_shape";

/** The common base of {@linkcode MessageDecodeError} and {@linkcode MessageEncodeError}. */
export class CodecError<Code extends string = MessageDecodeErrorCode> extends Error implements CodecFault<Code> {
  /** The rule that is broken. */
  readonly code: Code;
  /** JSON path of the fault; `$` for the whole message. */
  readonly path: string;
  /** Description of a valid value. */
  readonly expected?: string;
  /** Type of the value that was found, never the value itself. */
  readonly received?: string;

  /**
   * Creates the error.
   *
   * @param name Name of the class.
   * @param message Text of the error: what is wrong and what to do about it.
   * @param fault Code, path, and what was expected and received.
   */
  constructor(name: string, message: string, fault: CodecFault<Code>) {
    super(message);
    this.name = name;
    this.code = fault.code;
    this.path = fault.path;
    if (fault.expected !== undefined) this.expected = fault.expected;
    if (fault.received !== undefined) this.received = fault.received;
  }
}

/** The error for a text that is not a message. It contains no part of the text. */
export class MessageDecodeError extends CodecError<MessageDecodeErrorCode> {
  /**
   * Creates the error.
   *
   * @param message Text of the error: what is wrong and what to do about it.
   * @param fault Code, path, and what was expected and received.
   */
  constructor(message: string, fault: CodecFault<MessageDecodeErrorCode>) {
    super("MessageDecodeError", message, fault);
  }
}

/** The error for a message that cannot be encoded. No part of the message was sent. */
export class MessageEncodeError extends CodecError<MessageEncodeErrorCode> {
  /**
   * Creates the error.
   *
   * @param message Text of the error: what is wrong and what to do about it.
   * @param fault Code, path, and what was expected and received.
   */
  constructor(message: string, fault: CodecFault<MessageEncodeErrorCode>) {
    super("MessageEncodeError", message, fault);
  }
}

/**
 * Makes the errors of one class. The error texts say what is wrong and what to do; they contain no data of a message.
 */
export interface ErrorFactory<Made> {
  /** Makes the error for an issue that the rules found. `advice` is added at the end of the error text. */
  issue(issue: MessageIssue, advice?: string): Made;
  /** Makes the error for a value of the wrong type. `advice` is added at the end of the error text. */
  shape(fault: Omit<CodecFault<string>, "code">, advice?: string): Made;
  /** Makes the error for a message, or a member of it, that is too large. */
  tooLarge(reason: string, path?: string): Made;
  /** Makes the error for a message with too many bytes. */
  tooManyBytes(maxBytes: number): Made;
  /** Makes the error for a message that is nested too deep. */
  tooDeep(reason: string): Made;
}

type CodecErrorClass<Made> = new (message: string, fault: CodecFault<MessageEncodeErrorCode>) => Made;

function errorFactory<Made>(CodecErrorOf: CodecErrorClass<Made>): ErrorFactory<Made> {
  const tooLarge = (reason: string, path = "$"): Made => new CodecErrorOf(reason, { code: "too_large", path });
  const issue = (fault: CodecFault<MessageEncodeErrorCode>, advice?: string): Made => {
    const { path, expected, received } = fault;
    const texts = [`Message is not valid: ${path} must be ${expected}`];
    if (received !== undefined) texts.push(`received ${received}`);
    if (advice !== undefined) texts.push(advice);
    return new CodecErrorOf(texts.join("; "), fault);
  };
  return {
    issue,
    shape: (fault, advice) => issue({ code: "invalid_shape", ...fault }, advice),
    tooLarge,
    tooManyBytes: (maxBytes) => tooLarge(`Message is larger than ${maxBytes} bytes; send less, or raise 'maxBytes'`),
    tooDeep: (reason) => new CodecErrorOf(reason, { code: "too_deep", path: "$" }),
  };
}

/** Makes the errors for messages that cannot be decoded. */
export const decodeErrors: ErrorFactory<MessageDecodeError> = errorFactory(MessageDecodeError);

/** Makes the errors for messages that cannot be encoded. */
export const encodeErrors: ErrorFactory<MessageEncodeError> = errorFactory(MessageEncodeError);

/**
 * Makes the error for a text that is not JSON. The error that `JSON.parse` throws is not used, because its text quotes
 * the input.
 */
export function notJson(): MessageDecodeError {
  return new MessageDecodeError("Message is not JSON; NaN and Infinity are not JSON either", {
    code: "invalid_json",
    path: "$",
  });
}
