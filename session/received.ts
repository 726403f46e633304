/**
 * What a session makes of a received frame.
 * @module
 */

import { MessageDecodeError } from "../codec/errors.ts";
import type { WireMessage } from "../schema/types.ts";
import { notAgreed } from "./transfer/frames.ts";

/** Content of a frame from the other side: a message, or the error that says why it is not a message. */
export type Content = WireMessage | MessageDecodeError;

/**
 * Result of a frame. `own`: the frame was for the session itself. `own_counted`: the same, but the frame counts as a
 * message when messages are limited, because an honest peer does not have to send many of them.
 */
export type Received = Content | "own" | "own_counted";

/** Creates the error for a message whose `maim_` name was not agreed on. */
export function nameNotAgreed(): MessageDecodeError {
  return notAgreed("$.message_type_name", "a name that was agreed on", "a maim_ name");
}

/** Returns an error that the other side has caused; throws any other error. */
export function asFault(error: unknown): MessageDecodeError {
  if (error instanceof MessageDecodeError) return error;
  throw error;
}
