/**
 * What is known about the messages that were sent over one connection: whether the other side has handled them, has
 * read them, or may have lost them.
 * @module
 */

import { runtime } from "../runtime/mod.ts";
import type { WireMessage } from "../schema/types.ts";
import { Queue } from "../util/queue.ts";

/** A message that was sent and is not confirmed. */
export interface SentMessage {
  readonly message: WireMessage;
  /** Size of its text: UTF-8 bytes, or the number of UTF-16 units if the bytes were not counted. */
  readonly bytes: number;
  /** Time at which it was sent, on the runtime's clock. */
  sentAt: number;
}

/**
 * What an answer of the other side proves about the messages that were sent before the question. `handled`: their
 * handlers were called. `read`: the other side has read them. `nothing`: the other side cannot be asked. `unknown`:
 * nothing was received yet, so the other side may still turn out to be a peer of this library.
 */
export type Proof = "handled" | "read" | "nothing" | "unknown";

/** Limits of a {@linkcode Confirmation}. */
export interface ConfirmationLimits {
  /**
   * The window: maximum number of messages that are not confirmed. Also the maximum number of messages that are
   * remembered although they are not in doubt.
   */
  readonly maxMessages: number;
  /** Like `maxMessages`, but for the sum of their bytes. One larger message is allowed. */
  readonly maxBytes: number;
  /** Milliseconds without a pong after which the other side is given up; `Infinity` to wait for ever. */
  readonly timeout: number;
  /**
   * If the other side cannot confirm that it has handled messages: the messages sent in this many milliseconds before
   * the connection was lost are in doubt.
   */
  readonly doubt: number;
  /**
   * Maximum number of messages that are remembered for a peer that cannot confirm them, apart from those that have not
   * left this process; `Infinity` for no such limit.
   */
  readonly maxForeign: number;
}

/** The session that a {@linkcode Confirmation} belongs to. */
export interface ConfirmationHost {
  readonly proof: Proof;
  /** Bytes that the kernel has not taken yet. */
  readonly bufferedAmount: number;
  /** Time at which something was last received; `Infinity` if this side does not notice that the other is silent. */
  readonly heardAt: number;
  /** Characters received so far. */
  readonly received: number;
  /** True if {@linkcode ConfirmationHost.findOut} works. */
  readonly canFindOut: boolean;
  /** While the proof is `unknown`: asks the other side for any answer, which tells what kind of peer it is. */
  findOut(): void;
  /** Sends a ping. Returns false if the other side cannot be asked. */
  sendPing(number: number, isLast: boolean): boolean;
  /** There are fewer messages without a confirmation than before. */
  confirmed(): void;
  /** The other side has not answered a ping in time. */
  unanswered(): void;
}

/** A ping that is not answered yet. */
interface Question {
  readonly number: number;
  /** Position behind the last message that was sent before the ping. */
  readonly position: number;
  /** Time at which the other side counts as dead if it has not answered; later if something was received meanwhile. */
  readonly deadline: number;
  /** Value of `received` when the question was asked. */
  readonly received: number;
}

/** Slowest upload or download that is expected, in bytes per second: 1 Mbit/s. */
export const MIN_UPLOAD_RATE = 131_072;
/** Share of the window after which the other side is asked at once, and not only in the next round. */
const ASK_SHARE = 0.25;
/** Number of sent messages after which those that need not be remembered are looked for. */
const FORGET_EVERY = 1000;
/** The same for messages above `maxForeign`. */
const FORGET_BATCH = 32;

/** The messages of one connection that were sent and are not confirmed. */
export class Confirmation<Item extends SentMessage> {
  readonly #limits: ConfirmationLimits;
  readonly #host: ConfirmationHost;
  readonly #sent = new Queue<Item>();
  #bytes = 0;
  /** Messages that are sent in chunks, by the number of their transfer. Only the end of the transfer confirms them. */
  #whole: Map<number, Item> | null = null;
  /** Number of messages that were taken out of `#sent` so far: the position of the first one in it. */
  #first = 0;
  /** Position from which messages may not have left the process yet. */
  #leftUntil = 0;
  /** Sum of the bytes of these messages. */
  #keptBytes = 0;
  /** Position from which messages may not have been read by the other side yet. */
  #readUntil = 0;
  #question: Question | null = null;
  #added = 0;
  #lastPing = 0;
  /** Time at which this side began to close; `Infinity` before. The doubt is counted back from it. */
  #endingSince = Infinity;

  constructor(limits: ConfirmationLimits, host: ConfirmationHost) {
    this.#limits = limits;
    this.#host = host;
  }

  /** True if one more message may be sent. */
  get hasRoom(): boolean {
    const { maxMessages, maxBytes } = this.#limits;
    if (this.#length < maxMessages && this.#bytes < maxBytes) return true;
    const { proof } = this.#host;
    return proof !== "handled" && !(proof === "unknown" && this.#host.canFindOut);
  }

  /** True if the other side has confirmed everything that was sent, as far as it can confirm messages. */
  get isConfirmed(): boolean {
    const { proof } = this.#host;
    if (proof === "handled") return this.#length === 0;
    return proof !== "read" || this.#readUntil >= this.#end;
  }

  /** Returns a function that tells whether the other side has confirmed everything that was sent before this call. */
  confirmedSoFar(): () => boolean {
    const end = this.#end;
    const whole = [...this.#whole?.keys() ?? []];
    return () => this.#first >= end && !whole.some((id) => this.#whole?.has(id));
  }

  /** True if no answer to a ping is expected. */
  get isAnswered(): boolean {
    return this.#question === null;
  }

  get #length(): number {
    return this.#sent.length + (this.#whole?.size ?? 0);
  }

  /** Position behind the last message that was sent. */
  get #end(): number {
    return this.#first + this.#sent.length;
  }

  /** A message was sent in one frame. */
  add(item: Item): void {
    this.#sent.push(item);
    this.#bytes += item.bytes;
    this.#keptBytes += item.bytes;
    if (this.#sent.length > this.#limits.maxForeign + FORGET_BATCH) this.#forgetForeign();
    if (this.#question === null) this.#askEarly();
    if (++this.#added % FORGET_EVERY === 0) this.#forgetEarly();
  }

  /** Forgets the oldest messages that have left the process, down to `maxForeign`. */
  #forgetForeign(): void {
    if (this.#host.proof === "handled") return;
    this.#lookAtBuffer();
    while (this.#sent.length > this.#limits.maxForeign && this.#first < this.#leftUntil) this.#shift();
  }

  /** Does not wait for the next round if very much is sent at once. */
  #forgetEarly(): void {
    if (this.#host.proof === "handled") return;
    this.#lookAtBuffer();
    this.#forget(runtime.now());
  }

  /** A message was sent in chunks. `id` is the number of its transfer. */
  addWhole(id: number, item: Item): void {
    this.#whole ??= new Map();
    this.#whole.set(id, item);
    this.#bytes += item.bytes;
  }

  #askEarly(): void {
    const { maxMessages, maxBytes } = this.#limits;
    const isMuch = this.#sent.length >= maxMessages * ASK_SHARE || this.#bytes >= maxBytes * ASK_SHARE;
    if (!isMuch) return;
    if (this.#host.proof === "handled") this.ask({ isLast: false });
    if (this.#host.proof === "unknown") this.#host.findOut();
  }

  /**
   * Asks the other side to confirm everything that was sent so far. Does nothing if it was asked already.
   *
   * @returns False if the other side cannot be asked.
   */
  ask({ isLast }: { isLast: boolean }): boolean {
    const question = this.#question;
    if (question !== null && !isLast && question.position === this.#end) return true;
    const number = this.#lastPing + 1;
    if (!this.#host.sendPing(number, isLast)) return false;
    this.#lastPing = number;
    // The ping is queued behind these bytes, in this process and in the kernels of both sides.
    const upload = this.#bytes / MIN_UPLOAD_RATE * 1000;
    const deadline = question?.deadline ?? runtime.now() + this.#limits.timeout + upload;
    const received = question?.received ?? this.#host.received;
    this.#question = { number, position: this.#end, deadline, received };
    return true;
  }

  /** Expects no answer to the last ping any more. */
  forgetQuestion(): void {
    this.#question = null;
  }

  /** The other side has answered a ping. Returns false if no answer to a ping with this number was expected. */
  answer(number: number): boolean {
    const question = this.#question;
    if (question === null || question.number !== number) return false;
    this.#question = null;
    this.#readUntil = question.position;
    if (this.#host.proof === "handled") {
      while (this.#first < question.position && this.#sent.length > 0) this.#shift();
      this.#askEarly();
    }
    this.#host.confirmed();
    return true;
  }

  /** The transfer of a message that was sent in chunks has ended. Returns the message. */
  takeWhole(id: number): Item | undefined {
    const item = this.#whole?.get(id);
    if (item === undefined) return undefined;
    this.#whole?.delete(id);
    this.#bytes -= item.bytes;
    return item;
  }

  #shift(): void {
    const bytes = this.#sent.shift()?.bytes ?? 0;
    this.#bytes -= bytes;
    if (this.#first++ >= this.#leftUntil) this.#keptBytes -= bytes;
  }

  /** This side begins to close: what is in doubt is counted back from now, however long the end takes. */
  beginEnd(): void {
    this.#endingSince = Math.min(this.#endingSince, runtime.now());
  }

  /** Asks if it is time to ask, and forgets what is out of doubt. Returns true if this must be repeated soon. */
  round(now: number): boolean {
    this.#lookAtBuffer();
    if (this.#host.proof === "handled") {
      if (this.#question !== null && now > this.#question.deadline + this.#extraTime) this.#host.unanswered();
      if (this.#question === null && this.#length > 0) this.ask({ isLast: false });
      return this.#length > 0 || this.#question !== null;
    }
    if (this.#question === null && this.#readUntil < this.#end) this.ask({ isLast: false });
    this.#forget(now);
    const last = this.#sent.last;
    return last !== undefined && (last.sentAt >= now - this.#limits.doubt || this.#leftUntil < this.#end);
  }

  /**
   * Milliseconds after the deadline that a pong still has, because it may be queued behind what was received since the
   * question.
   */
  get #extraTime(): number {
    const { received } = this.#host;
    return (received - (this.#question?.received ?? received)) / MIN_UPLOAD_RATE * 1000;
  }

  /** Finds out which messages have left the process: all but the last ones, which make up the bytes in the buffer. */
  #lookAtBuffer(): void {
    const { bufferedAmount } = this.#host;
    let index = Math.max(this.#leftUntil, this.#first) - this.#first;
    // UTF-16 units are fewer than bytes, so more messages than these may have left, but not fewer.
    for (let item = this.#sent.at(index); item !== undefined; item = this.#sent.at(++index)) {
      const later = this.#keptBytes - item.bytes;
      if (later < bufferedAmount) break;
      this.#keptBytes = later;
    }
    this.#leftUntil = this.#first + index;
  }

  /**
   * Forgets messages that are not in doubt. Those that were sent after the other side was last heard are in doubt again
   * if it turns out to be silent; they are forgotten only if there are too many.
   */
  #forget(now: number): void {
    const { maxMessages, maxBytes, doubt } = this.#limits;
    const { proof, heardAt, canFindOut } = this.#host;
    if (proof === "unknown" && canFindOut) return; // no more is sent until it is known what the other side is
    const safeTime = Math.min(now, this.#endingSince) - doubt;
    const safePosition = proof === "read" ? Math.min(this.#leftUntil, this.#readUntil) : this.#leftUntil;
    for (let item = this.#sent.first; item !== undefined; item = this.#sent.first) {
      const isTooMuch = this.#sent.length > maxMessages || this.#bytes > maxBytes;
      if (item.sentAt >= safeTime || this.#first >= safePosition) return;
      if (!isTooMuch && (proof === "unknown" || item.sentAt >= heardAt)) return;
      this.#shift();
    }
  }

  /**
   * Takes out the messages that are in doubt because sending has ended, in the order in which they were sent.
   *
   * @param now The current time.
   * @param silentSince Time from which the other side was silent; `Infinity` if it was not silent.
   */
  takeInDoubt(now: number, silentSince: number): Item[] {
    const { proof } = this.#host;
    const first = this.#first;
    const items = this.#sent.drain();
    this.#first += items.length;
    this.#question = null;
    this.#bytes = this.#keptBytes = 0;
    const isAll = proof === "handled" || proof === "unknown";
    const start = Math.min(Math.min(now, this.#endingSince) - this.#limits.doubt, silentSince);
    const position = proof === "read" ? Math.min(this.#leftUntil, this.#readUntil) : this.#leftUntil;
    const found = items.filter((item, index) => isAll || item.sentAt >= start || first + index >= position);
    if (this.#whole === null || this.#whole.size === 0) return found;
    found.push(...this.#whole.values());
    this.#whole.clear();
    return found.sort((one, other) => one.sentAt - other.sentAt);
  }
}
