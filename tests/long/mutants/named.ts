/**
 * Mutants made by hand that once survived. They are always among those that are run. Each is a text of today's code,
 * which must occur exactly once, and what it becomes. When code moves, only this file has to follow.
 * @module
 */

/** A mutant with a name. */
export interface NamedMutant {
  readonly name: string;
  readonly file: string;
  /** Occurs exactly once in the file. */
  readonly find: string;
  readonly replace: string;
}

/** All of them. */
export const NAMED: readonly NamedMutant[] = [
  {
    name: "dials after close or cancel while the target is looked up",
    file: "client/connection.ts",
    find: "    if (this.#life !== life) return; // closed or cancelled meanwhile\n",
    replace: "",
  },
  {
    name: "stableAfter ignored",
    file: "client/connection.ts",
    find: 'life.state === "open" && runtime.now() - life.since >= this.#settings.reconnect.stableAfter;',
    replace: 'life.state === "open";',
  },
  {
    name: "a message may be resent for ever",
    file: "client/outbox.ts",
    find: "resends && item.tries < 2",
    replace: "resends",
  },
  {
    name: "confirm takes what was sent at the time of the ping",
    file: "client/outbox.ts",
    find: "first.sentAt < sentBefore",
    replace: "first.sentAt <= sentBefore",
  },
  {
    name: "buffer seen empty, whatever is in it",
    file: "client/outbox.ts",
    find: "if (link.bufferedAmount === 0) this.#emptyAt = now;",
    replace: "this.#emptyAt = now;",
  },
  {
    name: "waitingBytes not counted after a resend",
    file: "client/outbox.ts",
    find: "for (const { bytes } of again) this.#waitingBytes += bytes;",
    replace: "",
  },
  {
    name: "older pings kept after an answer",
    file: "session/session.ts",
    find: "for (const earlier of this.#pings?.keys() ?? []) if (earlier <= number) this.#pings?.delete(earlier);",
    replace: "this.#pings?.delete(number);",
  },
  {
    name: "frames read after a peer was closed",
    file: "server/peer.ts",
    find: "closeIgnoringInput(frame: CloseFrame): void {\n    this.#ignoresInput = true;",
    replace: "closeIgnoringInput(frame: CloseFrame): void {",
  },
  {
    name: "frames read after a peer was turned out for not reading",
    file: "server/peer.ts",
    find: "#closeSlow(message: WireMessage | null): void {\n    this.#ignoresInput = true;",
    replace: "#closeSlow(message: WireMessage | null): void {",
  },
  {
    name: "burst of the rate not capped",
    file: "server/limits.ts",
    find: "Math.min(this.#perSecond, this.#left + (now - this.#updatedAt) / 1000 * this.#perSecond)",
    replace: "this.#left + (now - this.#updatedAt) / 1000 * this.#perSecond",
  },
  {
    name: "block of wrong tokens not capped",
    file: "server/wrong_tokens.ts",
    find: "Math.min(record.nextBlock * 2, LONGEST_BLOCK)",
    replace: "record.nextBlock * 2",
  },
  {
    name: "table of addresses with wrong tokens unbounded",
    file: "server/wrong_tokens.ts",
    find: "if (this.#records.size > MAX_ADDRESSES && oldest !== undefined) this.#records.delete(oldest);",
    replace: "void oldest;",
  },
  {
    name: "table of unanswered transfers unbounded",
    file: "session/transfer/transfers.ts",
    find: "if (this.#unanswered.size > MAX_UNANSWERED && oldest !== undefined) this.#unanswered.delete(oldest);",
    replace: "void oldest;",
  },
];
