import type { OutboxSettings } from "./settings.ts";
import { runtime } from "../runtime/mod.ts";
import { encodeMessage } from "../codec/encode.ts";
import type { Timer } from "../runtime/clock.ts";
import type { WireMessage } from "../schema/types.ts";
import type { Drop, DropReason } from "../session/drops.ts";
import { MessageConnectionError } from "../util/connection_error.ts";
import { Queue } from "../util/queue.ts";
import { utf8Length } from "../util/utf8.ts";

/** What an answer of the server proves about the messages before the question: handled, only read, or nothing. */
export type Confirms = "handled" | "read" | "nothing";

/** The line, as far as an outbox needs it. */
export interface Line {
  readonly bufferedAmount: number;
  readonly confirms: Confirms;
  send(text: string, message: WireMessage): void;
  /** Asks for a confirmation; false if the line can not. */
  ask(): boolean;
}

/** What the end of a line says about the messages on it. */
export interface Fall {
  /** Since when the server had been silent although asked, on the clock of `performance`; `Infinity` if it had not. */
  readonly silentSince: number;
  /** What became of the messages in doubt, where it is known. */
  readonly verdict: "in_doubt" | "unauthorized" | "too_large" | "delivered";
  /** Whether another line is to come. */
  readonly mayResend: boolean;
}

interface Item {
  readonly message: WireMessage;
  /** Emptied once sent, unless it may have to be sent again. */
  text: string;
  /** UTF-8 bytes of one that waits; for one sent at once its units will do, to spare the count. */
  readonly bytes: number;
  readonly since: number;
  /** How often it has been sent. */
  tries: number;
  sentAt: number;
}

/** Bytes in the runtime's own buffer above which messages wait here instead, where they can still be counted. */
const MARK = 65_536;
/** Milliseconds between two looks at a full buffer: runtimes do not tell when it drains. */
const LOOK = { first: 1, last: 16 };
/** Milliseconds after a message at which a server that can confirm it is asked to. */
const CONFIRM = 100;
/** How many messages are remembered beyond the doubt, for a server that turns out to have been silent. */
const MEMORY = 10;

/** Counts what went out, as far as that can still be known: the caller may have altered the message since. */
function bytesOf({ text, message, bytes }: Item): number {
  if (text !== "") return utf8Length(text);
  try {
    return utf8Length(encodeMessage(message, { maxBytes: Infinity }));
  } catch {
    return bytes;
  }
}

/** The message of most bytes; those that were sent at once have never been counted before. */
function largestOf(items: readonly Item[]): Item | null {
  let largest: Item | null = null;
  let most = 0;
  for (const item of items) {
    // No text has fewer bytes than units, or more than three each.
    if (item.bytes * 3 <= most) continue;
    const bytes = bytesOf(item);
    if (bytes > most) [largest, most] = [item, bytes];
  }
  return largest;
}

/** Keeps messages in order while the line is down or slow, and knows which of those sent are in doubt. */
export class Outbox {
  readonly #options: OutboxSettings;
  readonly #drop: (drop: Drop) => void;
  readonly #waiting = new Queue<Item>();
  readonly #sent = new Queue<Item>();
  #waitingBytes = 0;
  #sentBytes = 0;
  #line: Line | null = null;
  /** The line while it says goodbye. */
  #held: Line | null = null;
  /** Last time the runtime's buffer was seen empty: what was sent before has left this process. */
  #emptyAt = -Infinity;
  /** What was sent before has been read by the server, if not yet handled. */
  #readAt = -Infinity;
  #look: Timer | undefined;
  #confirm: Timer | undefined;
  #expiry: Timer | undefined;
  #flushing: (() => void)[] = [];

  constructor(settings: OutboxSettings, drop: (drop: Drop) => void) {
    this.#options = settings;
    this.#drop = drop;
  }

  /** Messages handed to the runtime so far, those sent again included. */
  sent = 0;

  /** Messages that wait. */
  get length(): number {
    return this.#waiting.length;
  }

  /** Bytes of the messages that wait. */
  get bytes(): number {
    return this.#waitingBytes;
  }

  /** Sends a message now or keeps it; throws when there is no room. */
  accept(message: WireMessage, text: string): void {
    const since = runtime.now();
    if (this.#line !== null && this.length === 0 && this.#line.bufferedAmount <= MARK) {
      this.#send(this.#line, { message, text, bytes: text.length, since, tries: 0, sentAt: 0 });
      return;
    }
    const bytes = utf8Length(text);
    const { maxMessages, maxBytes } = this.#options;
    const hasRoom = this.length === 0 ? maxMessages > 0 : this.length < maxMessages && this.bytes + bytes <= maxBytes;
    if (!hasRoom) {
      throw new MessageConnectionError(
        "queue_full",
        `Cannot keep message as the outbox must have room: ${this.length} messages, ${this.bytes} bytes wait`,
      );
    }
    this.#waiting.push({ message, text, bytes, since, tries: 0, sentAt: 0 });
    this.#waitingBytes += bytes;
    this.#armExpiry();
    this.#armLook(LOOK.first);
  }

  /** Sends what waits over a line that has become usable, and what comes, until {@linkcode Outbox.detach}. */
  attach(line: Line): void {
    this.#line = line;
    this.#emptyAt = this.#readAt = runtime.now();
    this.#pump(LOOK.first);
  }

  /** Sends nothing more over the line, which is about to be closed. */
  hold(): void {
    this.#held ??= this.#line;
    this.#line = null;
    runtime.cancel(this.#look);
    runtime.cancel(this.#confirm);
    this.#look = this.#confirm = undefined;
  }

  /** Tells what became of the messages on the line that has ended. */
  detach({ silentSince, verdict, mayResend }: Fall): void {
    this.hold();
    const doubtful = this.#doubtful(silentSince);
    const items = this.#sent.drain().filter((item) => item.sentAt >= doubtful);
    this.#sentBytes = 0;
    this.#held = null;
    if (verdict !== "delivered") this.#judge(items, verdict, mayResend && this.#options.inDoubt === "resend");
    if (this.#isFlushed) this.#settleFlush();
  }

  /** The moment from which on messages sent are in doubt, if the line ends now. */
  #doubtful(silentSince: number): number {
    const confirms = (this.#line ?? this.#held)?.confirms ?? "nothing";
    // What was handled is confirmed and no longer here, so all the rest is in doubt.
    if (confirms === "handled") return -Infinity;
    const read = confirms === "read" ? this.#readAt : Infinity;
    return Math.min(runtime.now() - this.#options.doubt, this.#emptyAt, silentSince, read);
  }

  /** Gives up everything that waits. */
  clear(reason: DropReason): void {
    runtime.cancel(this.#expiry);
    this.#expiry = undefined;
    this.#waitingBytes = 0;
    for (const { message } of this.#waiting.drain()) this.#drop({ message, reason });
    this.#settleFlush();
  }

  /** Calls back once when nothing waits and the kernel has taken everything, or nothing will move any more. */
  whenFlushed(callback: () => void): () => void {
    this.#flushing.push(callback);
    if (this.#isFlushed) this.#settleFlush();
    else this.#armLook(LOOK.first);
    return () => this.#flushing = this.#flushing.filter((other) => other !== callback);
  }

  get #isFlushed(): boolean {
    return this.length === 0 && (this.#line === null || this.#line.bufferedAmount === 0);
  }

  #settleFlush(): void {
    const callbacks = this.#flushing;
    this.#flushing = [];
    for (const callback of callbacks) callback();
  }

  #send(line: Line, item: Item): void {
    const now = runtime.now();
    if (line.bufferedAmount === 0) this.#emptyAt = now;
    line.send(item.text, item.message);
    this.sent++;
    item.tries++;
    item.sentAt = now;
    if (this.#options.inDoubt === "report") item.text = "";
    this.#sent.push(item);
    this.#sentBytes += item.bytes;
    this.#forget();
    this.#armLook(LOOK.first);
    this.#armConfirm();
  }

  /** Lets go of what is out of doubt, and is not needed for a server that turns out to have been silent. */
  #forget(): void {
    const { maxMessages, maxBytes } = this.#options;
    const safe = this.#doubtful(Infinity);
    for (let first = this.#sent.first; first !== undefined && first.sentAt < safe; first = this.#sent.first) {
      if (this.#sent.length <= MEMORY * maxMessages && this.#sentBytes <= maxBytes) return;
      this.#sentBytes -= first.bytes;
      this.#sent.shift();
    }
  }

  /** The server will not have a message: it is in doubt no more. */
  refuse(message: WireMessage, reason: DropReason): void {
    const others = this.#sent.drain().filter((item) => item.message !== message);
    this.#sentBytes = 0;
    for (const item of others) {
      this.#sent.push(item);
      this.#sentBytes += item.bytes;
    }
    this.#drop({ message, reason });
  }

  /** The server has answered a question: what was sent before it has been read, or even handled. */
  confirm(before: number): void {
    this.#readAt = Math.max(this.#readAt, before);
    if (this.#line?.confirms !== "handled") return;
    for (let first = this.#sent.first; first !== undefined && first.sentAt < before; first = this.#sent.first) {
      this.#sentBytes -= first.bytes;
      this.#sent.shift();
    }
  }

  /** Asks for a confirmation from time to time, as long as there is something to confirm. */
  #armConfirm(): void {
    this.#confirm ??= runtime.after(CONFIRM, () => {
      this.#confirm = undefined;
      const last = this.#sent.last;
      if (last !== undefined && last.sentAt >= this.#readAt && this.#line?.ask()) this.#armConfirm();
    });
  }

  #pump(next: number): void {
    const line = this.#line;
    if (line === null) return;
    const before = this.length;
    while (this.#waiting.first !== undefined && line.bufferedAmount <= MARK) this.#send(line, this.#take());
    if (this.#isFlushed) this.#settleFlush();
    if (line.bufferedAmount === 0) this.#emptyAt = runtime.now();
    else this.#armLook(this.length < before ? LOOK.first : next);
  }

  #take(): Item {
    const item = this.#waiting.shift()!; // the caller has looked
    this.#waitingBytes -= item.bytes;
    this.#armExpiry();
    return item;
  }

  #armLook(delay: number): void {
    if (this.#line !== null) {
      this.#look ??= runtime.after(delay, () => {
        this.#look = undefined;
        this.#pump(Math.min(delay * 2, LOOK.last));
      });
    }
  }

  /** One timer, for the oldest message that waits. */
  #armExpiry(): void {
    const first = this.#waiting.first;
    if (first === undefined) {
      runtime.cancel(this.#expiry);
      this.#expiry = undefined;
    } else {
      this.#expiry ??= runtime.after(Math.max(0, first.since + this.#options.maxAge - runtime.now()), () => {
        this.#expiry = undefined;
        this.#expire();
      });
    }
  }

  #expire(): void {
    const limit = runtime.now() - this.#options.maxAge;
    while (this.#waiting.first !== undefined && this.#waiting.first.since <= limit) {
      this.#drop({ message: this.#take().message, reason: "expired" });
    }
    this.#armExpiry();
    if (this.#isFlushed) this.#settleFlush();
  }

  #judge(items: Item[], verdict: Exclude<Fall["verdict"], "delivered">, mayResend: boolean): void {
    // The server refuses a message by its size alone, so the largest is the one it means.
    const largest = verdict === "too_large" ? largestOf(items) : null;
    const again: Item[] = [];
    for (const item of items) {
      if (item === largest) this.#drop({ message: item.message, reason: "too_large" });
      else if (verdict === "unauthorized") this.#drop({ message: item.message, reason: "unauthorized" });
      else if (mayResend && item.tries < 2) again.push(item);
      else this.#drop({ message: item.message, reason: "unconfirmed" });
    }
    this.#waiting.prepend(again);
    for (const { bytes } of again) this.#waitingBytes += bytes;
    this.#armExpiry();
  }
}
