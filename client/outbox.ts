import { encodeMessage } from "../codec/encode.ts";
import { FIRST_POLL, nextPoll } from "../runtime/buffer_poll.ts";
import type { Timer } from "../runtime/clock.ts";
import { runtime } from "../runtime/mod.ts";
import type { WireMessage } from "../schema/types.ts";
import type { Drop, DropReason } from "../session/drops.ts";
import { MessageConnectionError } from "../util/connection_error.ts";
import { Queue } from "../util/queue.ts";
import { utf8Length } from "../util/utf8.ts";
import type { OutboxSettings } from "./settings.ts";

/**
 * Proof that a pong gives about the messages sent before its ping: the server has handled them, has only read them, or
 * nothing is proved.
 */
export type PongProof = "handled" | "read" | "nothing";

/** The part of a link that the outbox uses. */
export interface OutboxLink {
  /** Bytes that the kernel has not taken yet. */
  readonly bufferedAmount: number;
  readonly pongProof: PongProof;
  send(message: WireMessage, text: string): void;
  /** Sends a ping. Returns false if the link cannot send one. */
  ping(): boolean;
}

/** Facts about the end of a link. They decide what happens to the messages that were sent over the link. */
export interface LinkOutcome {
  /**
   * Time from which the server did not answer any more, on the runtime's clock; `Infinity` if the server was not
   * silent.
   */
  readonly silentSince: number;
  /** Result for the messages that are in doubt; `in_doubt` if the result is not known. */
  readonly sentMessages: "in_doubt" | "unauthorized" | "too_large" | "delivered";
  /** True if there will be another link. */
  readonly canResend: boolean;
}

interface Item {
  readonly message: WireMessage;
  /**
   * The encoded message. It is set to `""` after the message was sent, unless the message may have to be sent again.
   */
  text: string;
  /** UTF-8 bytes of the text. If the message never waited: UTF-16 units, because counting bytes would cost too much. */
  readonly bytes: number;
  readonly since: number;
  /** Number of times that the message was sent. */
  tries: number;
  sentAt: number;
}

/** Maximum bytes in the link's buffer. Above it, messages wait in the outbox, where they can be counted and dropped. */
const MAX_LINK_BYTES = 65_536;
/** Milliseconds between sending a message and asking the server to confirm it, if the server can confirm messages. */
const CONFIRM_DELAY = 100;
/**
 * Sent messages are remembered up to this multiple of `maxMessages`, even if they are out of doubt: if the server turns
 * out to be silent, they are in doubt again.
 */
const REMEMBERED_MULTIPLE = 10;

/**
 * Counts the UTF-8 bytes of a sent message. If its text is gone, the message is encoded again; the result can differ,
 * because the user may have changed the message.
 */
function bytesOf({ text, message, bytes }: Item): number {
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
function largestOf(items: readonly Item[]): Item | null {
  let largest: Item | null = null;
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
 * Sends messages in order. Keeps messages while there is no link, or while the buffer of the link is full. Remembers
 * sent messages until they are out of doubt.
 */
export class Outbox {
  readonly #settings: OutboxSettings;
  readonly #drop: (drop: Drop) => void;
  readonly #waiting = new Queue<Item>();
  readonly #sent = new Queue<Item>();
  #waitingBytes = 0;
  #sentBytes = 0;
  /** The link that messages are sent over. */
  #link: OutboxLink | null = null;
  /** A link over which nothing more is sent. It is kept here until it has ended. */
  #stoppedLink: OutboxLink | null = null;
  /** Last time at which the link's buffer was empty: everything sent before this time has left the process. */
  #emptyAt = -Infinity;
  /** The server has read everything that was sent before this time. */
  #readAt = -Infinity;
  #pollTimer: Timer | undefined;
  #confirmTimer: Timer | undefined;
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
    if (this.#link !== null && this.length === 0 && this.#link.bufferedAmount <= MAX_LINK_BYTES) {
      this.#sendOver(this.#link, { message, text, bytes: text.length, since, tries: 0, sentAt: 0 });
      return;
    }
    const bytes = utf8Length(text);
    const { maxMessages, maxBytes } = this.#settings;
    const hasRoom = this.length === 0 ? maxMessages > 0 : this.length < maxMessages && this.bytes + bytes <= maxBytes;
    if (!hasRoom) {
      throw new MessageConnectionError(
        "queue_full",
        `Outbox is full (${this.length} messages, ${this.bytes} bytes); send later, or raise the limits in 'outbox'`,
      );
    }
    this.#waiting.push({ message, text, bytes, since, tries: 0, sentAt: 0 });
    this.#waitingBytes += bytes;
    this.#armExpiry();
    this.#armPoll(FIRST_POLL);
  }

  /** Starts to send over an open link: first the messages that wait, then new messages. */
  attach(link: OutboxLink): void {
    this.#link = link;
    this.#emptyAt = this.#readAt = runtime.now();
    this.#sendWaiting(FIRST_POLL);
  }

  /** Stops sending: the link is about to be closed, or has ended. */
  stopSending(): void {
    this.#stoppedLink ??= this.#link;
    this.#link = null;
    runtime.cancel(this.#pollTimer);
    runtime.cancel(this.#confirmTimer);
    this.#pollTimer = this.#confirmTimer = undefined;
  }

  /** The link has ended: drops the messages in doubt, or puts them back to be sent again. */
  detach({ silentSince, sentMessages, canResend }: LinkOutcome): void {
    this.stopSending();
    const doubtStart = this.#doubtStart(silentSince);
    const items = this.#sent.drain().filter((item) => item.sentAt >= doubtStart);
    this.#sentBytes = 0;
    this.#stoppedLink = null;
    if (sentMessages !== "delivered") this.#settleUnconfirmed(items, { sentMessages, canResend });
    if (this.#isFlushed) this.#callFlushed();
  }

  /** Returns a time: if the link ends now, the messages sent at this time or later are in doubt. */
  #doubtStart(silentSince: number): number {
    const proof = (this.#link ?? this.#stoppedLink)?.pongProof ?? "nothing";
    // Messages that were handled have been confirmed and forgotten, so every message still remembered is in doubt.
    if (proof === "handled") return -Infinity;
    const read = proof === "read" ? this.#readAt : Infinity;
    return Math.min(runtime.now() - this.#settings.doubt, this.#emptyAt, silentSince, read);
  }

  /** Drops all messages that wait. */
  dropWaiting(reason: DropReason): void {
    runtime.cancel(this.#expiryTimer);
    this.#expiryTimer = undefined;
    this.#waitingBytes = 0;
    for (const { message } of this.#waiting.drain()) this.#drop({ message, reason });
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

  #sendOver(link: OutboxLink, item: Item): void {
    const now = runtime.now();
    if (link.bufferedAmount === 0) this.#emptyAt = now;
    link.send(item.message, item.text);
    this.sent++;
    item.tries++;
    item.sentAt = now;
    if (this.#settings.inDoubt === "report") item.text = "";
    this.#sent.push(item);
    this.#sentBytes += item.bytes;
    this.#forgetOldSent();
    this.#armPoll(FIRST_POLL);
    this.#armConfirm();
  }

  /**
   * Forgets the oldest sent messages that are out of doubt. A limited number of them is kept, because they are in doubt
   * again if the server turns out to be silent.
   */
  #forgetOldSent(): void {
    const { maxMessages, maxBytes } = this.#settings;
    const safe = this.#doubtStart(Infinity);
    for (let first = this.#sent.first; first !== undefined && first.sentAt < safe; first = this.#sent.first) {
      if (this.#sent.length <= REMEMBERED_MULTIPLE * maxMessages && this.#sentBytes <= maxBytes) return;
      this.#sentBytes -= first.bytes;
      this.#sent.shift();
    }
  }

  /** Drops a sent message that the server has refused. */
  dropSent(message: WireMessage, reason: DropReason): void {
    const others = this.#sent.drain().filter((item) => item.message !== message);
    this.#sentBytes = 0;
    for (const item of others) {
      this.#sent.push(item);
      this.#sentBytes += item.bytes;
    }
    this.#drop({ message, reason });
  }

  /**
   * The server has answered a ping: it has read, and perhaps handled, every message sent before the time `sentBefore`.
   */
  confirm(sentBefore: number): void {
    this.#readAt = Math.max(this.#readAt, sentBefore);
    if (this.#link?.pongProof !== "handled") return;
    for (let first = this.#sent.first; first !== undefined && first.sentAt < sentBefore; first = this.#sent.first) {
      this.#sentBytes -= first.bytes;
      this.#sent.shift();
    }
  }

  /** Pings the server from time to time, as long as a sent message is not confirmed. */
  #armConfirm(): void {
    this.#confirmTimer ??= runtime.after(CONFIRM_DELAY, () => {
      this.#confirmTimer = undefined;
      const last = this.#sent.last;
      if (last !== undefined && last.sentAt >= this.#readAt && this.#link?.ping()) this.#armConfirm();
    });
  }

  /** Sends waiting messages until the link's buffer is full. Checks the buffer again after `pollDelay` milliseconds. */
  #sendWaiting(pollDelay: number): void {
    const link = this.#link;
    if (link === null) return;
    const before = this.length;
    while (this.#waiting.first !== undefined && link.bufferedAmount <= MAX_LINK_BYTES) {
      this.#sendOver(link, this.#shiftWaiting());
    }
    if (this.#isFlushed) this.#callFlushed();
    if (link.bufferedAmount === 0) this.#emptyAt = runtime.now();
    else this.#armPoll(this.length < before ? FIRST_POLL : pollDelay);
  }

  #shiftWaiting(): Item {
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
      this.#drop({ message: this.#shiftWaiting().message, reason: "expired" });
    }
    this.#armExpiry();
    if (this.#isFlushed) this.#callFlushed();
  }

  /** Decides for each message in doubt whether it is sent again, or dropped and for which reason. */
  #settleUnconfirmed(items: Item[], { sentMessages, canResend }: Omit<LinkOutcome, "silentSince">): void {
    const resends = canResend && this.#settings.inDoubt === "resend";
    // The server has refused one message because of its size. This must have been the largest message.
    const largest = sentMessages === "too_large" ? largestOf(items) : null;
    const again: Item[] = [];
    for (const item of items) {
      if (item === largest) this.#drop({ message: item.message, reason: "too_large" });
      else if (sentMessages === "unauthorized") this.#drop({ message: item.message, reason: "unauthorized" });
      else if (resends && item.tries < 2) again.push(item);
      else this.#drop({ message: item.message, reason: "unconfirmed" });
    }
    this.#waiting.prepend(again);
    for (const { bytes } of again) this.#waitingBytes += bytes;
    this.#armExpiry();
  }
}
