/**
 * Messages that are lost or may be lost, and how they are reported.
 * @module
 */

import { isCustom } from "../schema/guards.ts";
import type { WireMessage } from "../schema/types.ts";
import { oneLine } from "../util/display.ts";
import { reportUnheard } from "../util/emitter.ts";
import type { RoundMember, Rounds } from "./rounds.ts";

/**
 * Reason for which a message is lost. `expired`: it waited too long. `too_large` or `unauthorized`: the server refused
 * it. `closed`: it was still waiting when the client closed. `unconfirmed`: it was sent and may have arrived; with any
 * other reason, it has not arrived.
 */
export type DropReason = "expired" | "unconfirmed" | "too_large" | "unauthorized" | "closed";

/** A message that `send()` accepted and that is lost, or may be lost. */
export interface Drop {
  /** The message, as it was sent. */
  message: WireMessage;
  /** Reason for the loss. */
  reason: DropReason;
}

/** Describes a lost message in one line that is safe to print. Shows nothing of the content. */
export function describeDrop({ message, reason }: { message: WireMessage; reason: string }): string {
  const name = isCustom(message)
    ? `custom message ${oneLine(message.message_type_name)}`
    : `message ${oneLine(message.message_info.message_id ?? "without an id")}`;
  return `${name} (${reason})`;
}

/** Milliseconds between two lines about drops. */
const PRINT_INTERVAL = 1000;

/** Prints the drops of one client or server that no handler has heard: at most one line a second. */
export class UnheardDrops implements RoundMember {
  readonly #rounds: Rounds;
  #first = "";
  #count = 0;
  #printedAt = -Infinity;

  constructor(rounds: Rounds) {
    this.#rounds = rounds;
  }

  add(drop: { message: WireMessage; reason: string }): void {
    if (this.#count++ > 0) return;
    this.#first = describeDrop(drop);
    this.#rounds.add(this);
  }

  round(now: number): boolean {
    if (now - this.#printedAt < PRINT_INTERVAL) return true;
    this.#printedAt = now;
    this.printNow();
    return false;
  }

  /** Prints what was not printed yet, because the client or server has closed. */
  printNow(): void {
    this.#rounds.remove(this);
    if (this.#count === 0) return;
    reportUnheard("drop", this.#count === 1 ? this.#first : `${this.#first} and ${this.#count - 1} more`);
    this.#count = 0;
  }
}
