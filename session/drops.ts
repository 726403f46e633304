/**
 * What is told of a message that is lost, or may be.
 * @module
 */

import { isCustom } from "../schema/guards.ts";
import type { WireMessage } from "../schema/types.ts";

/** Why a message is lost, or may be: `unconfirmed` ones may have arrived. */
export type DropReason = "expired" | "unconfirmed" | "too_large" | "unauthorized" | "closed";

/** A message that was accepted by `send()` and is lost, or may be. */
export interface Drop {
  /** The message, as it was given to `send()`. */
  message: WireMessage;
  /** Why. */
  reason: DropReason;
}

/** Names a lost message without showing what it says. */
export function describeDrop({ message, reason }: { message: WireMessage; reason: string }): string {
  const name = isCustom(message)
    ? `custom message ${message.message_type_name}`
    : `message ${message.message_info.message_id ?? "without an id"}`;
  return `${name} (${reason})`;
}
