import { decodeMessage, type DecodeOptions } from "../codec/decode.ts";
import { MessageDecodeError } from "../codec/errors.ts";
import { MAX_NESTING, survey } from "../codec/json.ts";
import { isCustom } from "../schema/custom.ts";
import type { CustomMessage, MessageBase, WireMessage } from "../schema/rules.ts";
import type { Heard } from "../util/emitter.ts";
import { isReserved } from "./hello.ts";

/** The message whose handlers are being called, and the text it came in as. */
let current: WireMessage | null = null;
let currentText = "";
/** The texts of messages whose handlers had not finished when they returned. */
const texts = new WeakMap<WireMessage, string>();

/** A surrogate pair written as two escapes, and half of one. */
const PAIRS = /\\u[dD][89abAB][\da-fA-F]{2}\\u[dD][c-fC-F][\da-fA-F]{2}/g;
const LONE_ESCAPE = /\\u[dD][89a-fA-F]/;

/**
 * The text a message came in as, for passing it on unchanged.
 *
 * `undefined` when no handler of it is at work, or when it holds what encoding would leave out or mend.
 *
 * @throws {MessageEncodeError} `too_deep` if no encoding could mend it.
 */
export function safeText(message: WireMessage): string | undefined {
  const text = message === current ? currentText : texts.get(message);
  if (text === undefined || !text.isWellFormed()) return undefined;
  // A short text can not nest too deep, and one without the end of "null" holds none: two letters are soon found.
  if ((text.length > MAX_NESTING * 2 || text.includes("ll")) && survey(message, Infinity).hasNull) return undefined;
  const mayBeHalf = text.includes("\\ud") || text.includes("\\uD"); // plain search looks through 30 times as fast
  return mayBeHalf && LONE_ESCAPE.test(text.replace(PAIRS, "")) ? undefined : text;
}

/** What a frame turned out to be, and the connection it came over. */
export interface InboundHandlers<From> {
  message(message: MessageBase, from: From): Heard;
  custom(message: CustomMessage, from: From): Heard;
  /** A message of the library's own conversation; returns whether it was agreed on, and throws what is wrong with it. */
  own(message: CustomMessage, from: From): boolean;
  invalid(error: MessageDecodeError, from: From): void;
}

function notAgreed(path: string, expected: string, received: string): MessageDecodeError {
  return new MessageDecodeError(`Cannot decode frame as ${path} must be ${expected}: received ${received}`, {
    code: "invalid_shape",
    path,
    expected,
    received,
  });
}

function dispatch<From>(message: WireMessage, text: string, handlers: InboundHandlers<From>, from: From): void {
  const [outer, outerText] = [current, currentText];
  [current, currentText] = [message, text];
  const heard = isCustom(message) ? handlers.custom(message, from) : handlers.message(message, from);
  [current, currentText] = [outer, outerText];
  if (heard === "pending") texts.set(message, text);
}

function answer<From>(message: CustomMessage, handlers: InboundHandlers<From>, from: From): true {
  if (handlers.own(message, from)) return true;
  throw notAgreed("$.message_type_name", "a name that was agreed on", "a maim_ name");
}

/** Decodes one frame and hands it to the handler it belongs to; returns whether it was understood. */
export function receive<From>(
  text: string | null,
  options: DecodeOptions,
  handlers: InboundHandlers<From>,
  from: From,
): boolean {
  let message: WireMessage;
  try {
    if (text === null) throw notAgreed("$", "a text frame", "a binary frame");
    message = decodeMessage(text, options);
    const isOwn = isCustom(message) && isReserved(message.message_type_name);
    if (isOwn) return answer(message as CustomMessage, handlers, from); // isCustom, in the line above
  } catch (error) {
    if (!(error instanceof MessageDecodeError)) throw error;
    handlers.invalid(error, from);
    return false;
  }
  dispatch(message, text, handlers, from);
  return true;
}
