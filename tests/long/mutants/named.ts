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
    file: "session/confirmation.ts",
    find: "while (this.#first < question.position &&",
    replace: "while (this.#first <= question.position &&",
  },
  {
    name: "buffer seen empty, whatever is in it",
    file: "session/confirmation.ts",
    find: "if (later < bufferedAmount) break;",
    replace: "",
  },
  {
    name: "waitingBytes not counted after a resend",
    file: "client/outbox.ts",
    find: "for (const { bytes } of again) this.#waitingBytes += bytes;",
    replace: "",
  },
  {
    name: "the answer to any ping taken for that to the last one",
    file: "session/confirmation.ts",
    find: "if (question === null || question.number !== number) return false;",
    replace: "if (question === null) return false;",
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
    find: "runtime.cancel(this.#life.timer);\n    this.#ignoresInput = true;",
    replace: "runtime.cancel(this.#life.timer);",
  },
  {
    name: "burst of the rate not capped",
    file: "session/rate.ts",
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
    file: "session/confirmation.ts",
    find: "this.#whole.set(id, item);\n    this.#bytes += item.bytes;",
    replace: "this.#whole.set(id, item);",
  },
];
