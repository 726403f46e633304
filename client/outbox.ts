import { encodeMessage } from "../codec/encode.ts";
import { FIRST_POLL, nextPoll } from "../runtime/buffer_poll.ts";
import type { Timer } from "../runtime/clock.ts";
import { runtime } from "../runtime/mod.ts";
import type { WireMessage } from "../schema/types.ts";
import type { SentMessage } from "../session/confirmation.ts";
import type { Drop, DropReason } from "../session/drops.ts";
import { MessageConnectionError } from "../util/connection_error.ts";
import { Queue } from "../util/queue.ts";
import { utf8Length } from "../util/utf8.ts";
import type { OutboxSettings } from "./settings.ts";

/** The part of a link that the outbox uses. */
export interface OutboxLink {
  /** Bytes that the kernel has not taken yet. */
  readonly bufferedAmount: number;
  /** True if one more message may be sent. If false, too many messages are not confirmed. */
  readonly hasRoom: boolean;
  send(item: OutboxItem, text: string): void;
}

/** What happens to messages that were sent over a link that has ended, and that are in doubt. */
export interface SettleOptions {
  /** Reason of the end, if it tells what has become of them; otherwise `in_doubt`. */
  readonly sentMessages: "in_doubt" | "unauthorized" | "too_large";
  /** True if there will be another link. */
  readonly canResend: boolean;
}

/** A message in the outbox, or sent and not confirmed. */
export interface OutboxItem extends SentMessage {
  /**
   * The encoded message. It is set to `""` after the message was sent, unless the message may have to be sent again.
   */
  text: string;
  /** Time at which the message was given to the outbox. */
  readonly since: number;
  /** Number of times that the message was sent. */
  tries: number;
}

/** Maximum bytes in the link's buffer. Above it, messages wait in the outbox, where they can be counted and dropped. */
const MAX_LINK_BYTES = 65_536;

/** True if a message can be sent over a link now. */
function canSend(link: OutboxLink): boolean {
  return link.bufferedAmount <= MAX_LINK_BYTES && link.hasRoom;
}

/**
 * Counts the UTF-8 bytes of a sent message. If its text is gone, the message is encoded again; the result can differ,
 * because the user may have changed the message.
 */
function bytesOf({ text, message, bytes }: OutboxItem): number {
  if (text !== "") return utf8Length(text);
  try {
    return utf8Length(encodeMessage(message, { maxBytes: Infinity }));
  } catch {
    return bytes;
  }
}

/**
 * Finds the largest message. Counts the bytes of a message only if its number of UTF-16 units does not show already
 * that it is smaller.
 */
function largestOf(items: readonly OutboxItem[]): OutboxItem | null {
  let largest: OutboxItem | null = null;
  let most = 0;
  for (const item of items) {
    // Each UTF-16 unit of a text takes from one to three bytes.
    if (item.bytes * 3 <= most) continue;
    const bytes = bytesOf(item);
    if (bytes > most) [largest, most] = [item, bytes];
  }
  return largest;
}

/**
 * Sends messages in order. Keeps messages while there is no link, while the buffer of the link is full, or while too
 * many messages are not confirmed.
 */
export class Outbox {
  readonly #settings: OutboxSettings;
  readonly #drop: (drop: Drop) => void;
  readonly #waiting = new Queue<OutboxItem>();
  #waitingBytes = 0;
  /** The link that messages are sent over. */
  #link: OutboxLink | null = null;
  #pollTimer: Timer | undefined;
  #expiryTimer: Timer | undefined;
  #flushCallbacks: (() => void)[] = [];

  constructor(settings: OutboxSettings, drop: (drop: Drop) => void) {
    this.#settings = settings;
    this.#drop = drop;
  }

  /** Number of messages sent so far. A message that is sent twice counts twice. */
  sent = 0;

  /** Number of messages that wait. */
  get length(): number {
    return this.#waiting.length;
  }

  /** UTF-8 bytes of the messages that wait. */
  get bytes(): number {
    return this.#waitingBytes;
  }

  /**
   * Sends a message at once, or keeps it until it can be sent.
   *
   * @throws {MessageConnectionError} `queue_full` If there is no room.
   */
  send(message: WireMessage, text: string): void {
    const since = runtime.now();
    if (this.#link !== null && this.length === 0 && canSend(this.#link)) {
      this.#sendOver(this.#link, { message, text, bytes: text.length, since, tries: 0, sentAt: 0 });
      return;
    }
    const { maxMessages, maxBytes } = this.#settings;
    if (this.length >= maxMessages || this.bytes >= maxBytes) {
      throw new MessageConnectionError(
        "queue_full",
        `Outbox is full (${this.length} messages, ${this.bytes} bytes); send later, or raise the limits in 'outbox'`,
      );
    }
    const bytes = utf8Length(text);
    this.#waiting.push({ message, text, bytes, since, tries: 0, sentAt: 0 });
    this.#waitingBytes += bytes;
    this.#armExpiry();
    this.#armPoll(FIRST_POLL);
  }

  /** Starts to send over an open link: first the messages that wait, then new messages. */
  attach(link: OutboxLink): void {
    this.#link = link;
    this.#sendWaiting(FIRST_POLL);
  }

  /** The link has confirmed messages, so there may be room for more of them. */
  roomAgain(): void {
    if (this.length > 0) this.#sendWaiting(FIRST_POLL);
  }

  /** Stops sending: the link is about to be closed, or has ended. */
  stopSending(): void {
    this.#link = null;
    runtime.cancel(this.#pollTimer);
    this.#pollTimer = undefined;
    if (this.#isFlushed) this.#callFlushed();
  }

  /** Drops all messages that wait. */
  dropWaiting(reason: DropReason): void {
    runtime.cancel(this.#expiryTimer);
    this.#expiryTimer = undefined;
    this.#waitingBytes = 0;
    for (const item of this.#waiting.drain()) this.#dropItem(item, reason);
    this.#callFlushed();
  }

  /**
   * Calls `callback` once: when no message waits and the kernel has taken every byte, or when nothing can be sent any
   * more.
   *
   * @returns A function that removes the callback.
   */
  whenFlushed(callback: () => void): () => void {
    this.#flushCallbacks.push(callback);
    if (this.#isFlushed) this.#callFlushed();
    else this.#armPoll(FIRST_POLL);
    return () => this.#flushCallbacks = this.#flushCallbacks.filter((other) => other !== callback);
  }

  get #isFlushed(): boolean {
    return this.length === 0 && (this.#link === null || this.#link.bufferedAmount === 0);
  }

  #callFlushed(): void {
    const callbacks = this.#flushCallbacks;
    this.#flushCallbacks = [];
    for (const callback of callbacks) callback();
  }

  #sendOver(link: OutboxLink, item: OutboxItem): void {
    link.send(item, item.text);
    if (this.#settings.inDoubt === "report") item.text = "";
    this.sent++;
    item.tries++;
    this.#armPoll(FIRST_POLL);
  }

  /** Sends waiting messages until the link's buffer is full. Checks the buffer again after `pollDelay` milliseconds. */
  #sendWaiting(pollDelay: number): void {
    const link = this.#link;
    if (link === null) return;
    const before = this.length;
    while (this.#waiting.first !== undefined && canSend(link)) {
      this.#sendOver(link, this.#shiftWaiting());
    }
    if (this.#isFlushed) this.#callFlushed();
    if (link.bufferedAmount > 0) this.#armPoll(this.length < before ? FIRST_POLL : pollDelay);
  }

  #shiftWaiting(): OutboxItem {
    const item = this.#waiting.shift()!; // the caller has checked that a message waits
    this.#waitingBytes -= item.bytes;
    this.#armExpiry();
    return item;
  }

  #armPoll(delay: number): void {
    if (this.#link !== null) {
      this.#pollTimer ??= runtime.after(delay, () => {
        this.#pollTimer = undefined;
        this.#sendWaiting(nextPoll(delay));
      });
    }
  }

  /** Sets the timer that drops the oldest waiting message when it has expired. */
  #armExpiry(): void {
    const first = this.#waiting.first;
    if (first === undefined) {
      runtime.cancel(this.#expiryTimer);
      this.#expiryTimer = undefined;
    } else {
      this.#expiryTimer ??= runtime.after(Math.max(0, first.since + this.#settings.maxAge - runtime.now()), () => {
        this.#expiryTimer = undefined;
        this.#dropExpired();
      });
    }
  }

  #dropExpired(): void {
    const limit = runtime.now() - this.#settings.maxAge;
    while (this.#waiting.first !== undefined && this.#waiting.first.since <= limit) {
      this.#dropItem(this.#shiftWaiting(), "expired");
    }
    this.#armExpiry();
    if (this.#isFlushed) this.#callFlushed();
  }

  /** Reports a waiting message as lost. If it was sent before, it may have arrived. */
  #dropItem({ message, tries }: OutboxItem, reason: DropReason): void {
    this.#drop({ message, reason: tries > 0 ? "unconfirmed" : reason });
  }

  /**
   * Decides for each message that was sent over the ended link and is in doubt: sends it again, or reports it as lost.
   * Messages that are sent again go before those that wait.
   */
  settle(items: readonly OutboxItem[], { sentMessages, canResend }: SettleOptions): void {
    const resends = canResend && this.#settings.inDoubt === "resend";
    // The server has refused one message because of its size. This must have been the largest message.
    const largest = sentMessages === "too_large" ? largestOf(items) : null;
    const again: OutboxItem[] = [];
    for (const item of items) {
      const reason = item === largest ? "too_large" : sentMessages === "unauthorized" ? sentMessages : null;
      if (reason === null && resends && item.tries < 2) again.push(item);
      else this.#drop({ message: item.message, reason: reason === null || item.tries > 1 ? "unconfirmed" : reason });
    }
    this.#waiting.prepend(again);
    for (const { bytes } of again) this.#waitingBytes += bytes;
    this.#armExpiry();
  }
}
