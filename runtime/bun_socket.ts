import { Queue } from "../util/queue.ts";
import { utf8Length } from "../util/utf8.ts";
import { systemClock, type Timer } from "./clock.ts";
import type { Attach, BunSocket, ServerSocket, SocketEvents } from "./types.ts";

declare const Bun: { gc(isSynchronous: boolean): void };

/**
 * If Bun's buffer holds this many bytes, further frames wait in the backlog. A buffer of this size keeps the kernel
 * busy and is cheap to copy.
 */
const MAX_BUN_BYTES = 16 * 2 ** 20;

/** Milliseconds between two checks of a full buffer. Bun does not always report that its buffer has room again. */
const DRAIN_POLL = 100;

/**
 * If a discarded backlog held more bytes than this, garbage is collected at once. Otherwise JavaScriptCore would
 * collect garbage only after about three more backlogs of this size.
 */
const COLLECT_BYTES = 16 * 2 ** 20;

/** Frames that wait until Bun's buffer has room. */
interface Backlog {
  readonly frames: Queue<{ readonly text: string; readonly bytes: number }>;
  bytes: number;
  timer: Timer;
}

/**
 * A socket of Bun, created at the upgrade. It is stored as the `data` of Bun's own socket, which saves memory for idle
 * connections.
 *
 * Bun 1.4 keeps all bytes that the kernel does not take in one buffer. To grow this buffer, Bun doubles its size and
 * copies it. 64 MiB queued to a peer that does not read took 200 MiB of memory and delayed all other peers by 37 ms.
 * Therefore Bun's buffer gets only about `MAX_BUN_BYTES`, and the rest waits in the backlog as strings.
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
    this.#attach = null; // frees the memory of the request, which is not needed any more
    this.#events?.opened();
  }

  send(text: string): void {
    if (this.#backlog !== null) {
      const bytes = utf8Length(text);
      this.#backlog.frames.push({ text, bytes });
      this.#backlog.bytes += bytes;
    } else if (this.#socket?.sendText(text) === -1 && this.#socket.getBufferedAmount() >= MAX_BUN_BYTES) {
      this.#backlog = { frames: new Queue(), bytes: 0, timer: this.#pollLater() };
    }
  }

  /** Gives Bun the next frames until Bun's buffer is full again. Called when Bun's buffer has room. */
  drain(): void {
    const backlog = this.#backlog;
    if (backlog === null || this.#socket === null) return;
    while (this.#socket.getBufferedAmount() < MAX_BUN_BYTES) {
      const frame = backlog.frames.shift();
      if (frame === undefined) return this.#discardBacklog();
      backlog.bytes -= frame.bytes;
      this.#socket.sendText(frame.text);
    }
  }

  /**
   * Starts the timer of the next check. The checks are necessary, because Bun does not call `drain` once its buffer is
   * empty.
   */
  #pollLater(): Timer {
    return systemClock.after(DRAIN_POLL, () => {
      if (this.#backlog === null) return;
      this.#backlog.timer = this.#pollLater();
      this.drain();
    });
  }

  #discardBacklog(): void {
    if (this.#backlog === null) return;
    systemClock.cancel(this.#backlog.timer);
    const { bytes } = this.#backlog;
    this.#backlog = null;
    if (bytes > COLLECT_BYTES) Bun.gc(false);
  }

  close(code: number, reason: string): void {
    this.#discardBacklog();
    this.#socket?.close(code, reason);
  }

  terminate(): void {
    this.#discardBacklog();
    this.#socket?.terminate();
  }

  ping(payload: string = ""): void {
    this.#socket?.ping(payload);
  }

  ended(code: number, reason: string): void {
    this.#discardBacklog();
    this.#events?.ended(code, reason);
  }
}
