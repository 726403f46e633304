import { decodeMessage, type DecodeOptions, MessageDecodeError } from "../codec.ts";
import type { CustomMessage, MessageBase, WireMessage } from "../schema.ts";
import { isReserved } from "./hello.ts";
import { isCustom } from "./kind.ts";

/** The text a message came in as, for passing it on unchanged. */
const texts = new WeakMap<WireMessage, string>();

/** The text a received message came in as; `undefined` for a message of our own. */
export function textOf(message: WireMessage): string | undefined {
  return texts.get(message);
}

/** What a frame turned out to be. */
export interface InboundHandlers {
  message(message: MessageBase): void;
  custom(message: CustomMessage): void;
  /** A message of the library's own conversation; returns whether it was agreed on and understood. */
  own(message: CustomMessage): boolean;
  invalid(error: MessageDecodeError): void;
}

function notAgreed(path: string, expected: string, received: string): MessageDecodeError {
  return new MessageDecodeError(`Cannot decode frame as ${path} must be ${expected}: received ${received}`, {
    code: "invalid_shape",
    path,
    expected,
    received,
  });
}

/** Decodes one frame and hands it to the handler it belongs to. */
export function receive(text: string | null, options: DecodeOptions, handlers: InboundHandlers): void {
  if (text === null) return handlers.invalid(notAgreed("$", "a text frame", "a binary frame"));
  let message: WireMessage;
  try {
    message = decodeMessage(text, options);
  } catch (error) {
    if (error instanceof MessageDecodeError) return handlers.invalid(error);
    throw error;
  }
  texts.set(message, text);
  if (!isCustom(message)) return handlers.message(message);
  if (!isReserved(message.message_type_name)) return handlers.custom(message);
  if (!handlers.own(message)) {
    handlers.invalid(notAgreed("$.message_type_name", "a name that was agreed on", "a maim_ name"));
  }
}
