import { isCustom } from "../schema/guards.ts";
import type { WireMessage } from "../schema/types.ts";

/** Returns true if a `message_type_name` is reserved for this library. */
export function isReserved(name: string): boolean {
  return name.startsWith("maim_");
}

/**
 * Refuses a message that only the library itself may send.
 *
 * @throws {TypeError} If its name is reserved.
 */
export function refuseReserved(message: WireMessage): void {
  if (isCustom(message) && typeof message.message_type_name === "string" && isReserved(message.message_type_name)) {
    throw new TypeError(`Names that start with "maim_" are reserved; give the custom message another name`);
  }
}
