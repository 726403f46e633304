/**
 * How maim_message 0.6.8 and MaiBot read custom messages.
 * @module
 */

import { hashError } from "./python/errors.ts";
import { type Fields, isObject, isTruthy, own, toId, toText } from "./python/values.ts";

/** Name of the only custom message that MaiBot handles. */
export const ECHO_NAME = "message_id_echo";

/**
 * Returns Python's error for a `message_type_name` that is a list or an object, because Python cannot look it up in a
 * dict. Returns `null` for any other name.
 */
export function customNameError(frame: Fields): string | null {
  const name = own(frame, "message_type_name");
  return isTruthy(name) ? hashError(name) : null;
}

/**
 * Returns the name of a custom message; `null` if the value is not a custom message.
 *
 * A value is a custom message if its `is_custom_message` is truthy in Python, if its name has a handler in MaiBot, or
 * if its name is a list or an object, for which Python's lookup of the handler throws.
 *
 * Source: maim_message 0.6.8, api.py, BaseMessageHandler.process_message.
 */
export function customName(value: unknown): string | null {
  if (!isObject(value)) return null;
  const name = own(value, "message_type_name");
  if (isTruthy(own(value, "is_custom_message")) || customNameError(value) !== null) return toText(name);
  return name === ECHO_NAME ? ECHO_NAME : null;
}

/**
 * The echo of a message id. With it, an adapter tells MaiBot which id the platform gave to one of MaiBot's messages.
 */
export interface Echo {
  /** The id that MaiBot gave to the message. */
  readonly id: string;
  /** The id that the platform gave to the message. */
  readonly actualId: string;
}

/**
 * Reads a `message_id_echo`. Returns `null` if the value is not one, or if MaiBot would ignore it.
 * Source: MaiBot 1.2.1, bot.py, echo_message_process.
 */
export function readEcho(value: unknown): Echo | null {
  const content = isObject(value) ? own(value, "content") : null;
  if (customName(value) !== ECHO_NAME || !isObject(content) || own(content, "type") !== "echo") return null;
  const [id, actualId] = [toId(own(content, "echo")), toId(own(content, "actual_id"))];
  return id === "" || actualId === "" ? null : { id, actualId };
}
