import { Queue } from "../util/queue.ts";
import type { Attach, BunSocket, ServerSocket, SocketEvents } from "./types.ts";
import { systemClock, type Timer } from "./clock.ts";
import { utf8Length } from "../util/utf8.ts";

declare const Bun: { gc(isSynchronous: boolean): void };

/** Bytes that Bun may hold before frames wait here: enough to keep the kernel busy, little enough to copy. */
const MARK = 16 * 2 ** 20;

/** Milliseconds between two looks at a full socket, should Bun not tell that it has room again. */
const LOOK = 100;

/** Bytes after which a forgotten backlog is worth a collection: JSC would let three more of them grow before. */
const COLLECT_FROM = 16 * 2 ** 20;

/** Frames that wait until the kernel has taken the one before. */
interface Backlog {
  readonly frames: Queue<{ readonly text: string; readonly bytes: number }>;
  bytes: number;
  timer: Timer;
}

/**
 * What the library sees of a socket of Bun, from the upgrade on; it is the socket's `data`, as many are idle.
 *
 * Bun 1.4 keeps what the kernel does not take in one buffer, which it doubles and copies: 64 MiB for a peer that does
 * not read were 200 MiB, and all others waited 37 ms. So it is given a part, and the rest is kept here, as the strings
 * that they are.
 */
export class BunAcceptedSocket implements ServerSocket {
  #attach: Attach | null;
  #socket: BunSocket | null = null;
  #events: SocketEvents | null = null;
  #backlog: Backlog | null = null;

  constructor(attach: Attach) {
    this.#attach = attach;
  }

  get events(): SocketEvents | null {
    return this.#events;
  }

  get buffered(): number {
    return (this.#socket?.getBufferedAmount() ?? 0) + (this.#backlog?.bytes ?? 0);
  }

  open(socket: BunSocket): void {
    this.#socket = socket;
    this.#events = this.#attach?.(this) ?? null;
    this.#attach = null; // what it holds of the request is not needed any more
    this.#events?.opened();
  }

  send(text: string): void {
    if (this.#backlog !== null) {
      const bytes = utf8Length(text);
      this.#backlog.frames.push({ text, bytes });
      this.#backlog.bytes += bytes;
    } else if (this.#socket?.sendText(text) === -1 && this.#socket.getBufferedAmount() >= MARK) {
      this.#backlog = { frames: new Queue(), bytes: 0, timer: this.#lookLater() };
    }
  }

  /** The kernel has taken something: sends on, until Bun holds enough again. */
  drain(): void {
    const backlog = this.#backlog;
    if (backlog === null || this.#socket === null) return;
    while (this.#socket.getBufferedAmount() < MARK) {
      const frame = backlog.frames.shift();
      if (frame === undefined) return this.#forget();
      backlog.bytes -= frame.bytes;
      this.#socket.sendText(frame.text);
    }
  }

  /** Bun tells of room as long as it holds something; when it does not, nothing will be told. */
  #lookLater(): Timer {
    return systemClock.after(LOOK, () => {
      if (this.#backlog === null) return;
      this.#backlog.timer = this.#lookLater();
      this.drain();
    });
  }

  #forget(): void {
    if (this.#backlog === null) return;
    systemClock.cancel(this.#backlog.timer);
    const { bytes } = this.#backlog;
    this.#backlog = null;
    if (bytes > COLLECT_FROM) Bun.gc(false);
  }

  close(code: number, reason: string): void {
    this.#forget();
    this.#socket?.close(code, reason);
  }

  terminate(): void {
    this.#forget();
    this.#socket?.terminate();
  }

  ping(): void {
    this.#socket?.ping();
  }

  ended(code: number, reason: string): void {
    this.#forget();
    this.#events?.ended(code, reason);
  }
}
