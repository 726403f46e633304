/**
 * Custom messages as maim_message 0.6.8 and MaiBot read them.
 * @module
 */

import { hashError } from "./python/errors.ts";
import { type Fields, isObject, isTruthy, own, toId, toText } from "./python/values.ts";

/** Name of the only custom message that MaiBot handles. */
export const ECHO_NAME = "message_id_echo";

/** Returns the error for a `message_type_name` that cannot be looked up: a list or object; `null` for any other. */
export function customNameError(frame: Fields): string | null {
  const name = own(frame, "message_type_name");
  return isTruthy(name) ? hashError(name) : null;
}

/**
 * Returns the name of a custom message; `null` for any other value. A value is a custom message if `is_custom_message` is
 * truthy. Without it, it is one if its name has a handler, or cannot be looked up.
 *
 * Source: maim_message 0.6.8, api.py, BaseMessageHandler.process_message.
 */
export function customName(value: unknown): string | null {
  if (!isObject(value)) return null;
  const name = own(value, "message_type_name");
  if (isTruthy(own(value, "is_custom_message")) || customNameError(value) !== null) return toText(name);
  return name === ECHO_NAME ? ECHO_NAME : null;
}

/** The echo of a message id: an adapter tells MaiBot which id the platform gave to a message of MaiBot. */
export interface Echo {
  /** The id that MaiBot gave to the message. */
  readonly id: string;
  /** The id on the platform. */
  readonly actualId: string;
}

/** Reads a `message_id_echo`; `null` if MaiBot would ignore it. Source: MaiBot 1.2.1, bot.py, echo_message_process. */
export function readEcho(value: unknown): Echo | null {
  const content = isObject(value) ? own(value, "content") : null;
  if (customName(value) !== ECHO_NAME || !isObject(content) || own(content, "type") !== "echo") return null;
  const [id, actualId] = [toId(own(content, "echo")), toId(own(content, "actual_id"))];
  return id === "" || actualId === "" ? null : { id, actualId };
}
