import type { Timer } from "../runtime/clock.ts";
import { runtime } from "../runtime/mod.ts";
import { MIN_UPLOAD_RATE } from "../session/confirmation.ts";
import type { HeartbeatSettings } from "./settings.ts";
import type { UploadProgress } from "./upload.ts";

/** The link that a heartbeat watches. */
export interface HeartbeatTarget {
  /** Asks the server for an answer; `signal` aborts the request. Returns false if there is no way to ask. */
  ask(signal: AbortSignal): boolean;
  /** How far the bytes that were sent have left this side. */
  readonly upload: UploadProgress;
  /** Time at which something was last received from the server. */
  readonly heardAt: number;
  /** The server has not answered in time. */
  dead(): void;
}

/** A question that the server has not answered yet. */
interface Question {
  readonly state: "asking";
  readonly timer: Timer;
  readonly request: AbortController;
  /** Time of the question. */
  readonly since: number;
  /** What was queued when the question was asked: the question is queued behind it. */
  readonly before: UploadProgress;
  /** Value of `left` when it was last seen to grow. */
  readonly left: number;
  /** Time at which it was last seen to grow; at first the time of the question. */
  readonly movedAt: number;
}

type Life =
  | { readonly state: "stopped" }
  | { readonly state: "listening"; readonly timer: Timer }
  | Question;

/** Bytes that the kernels of both sides may hold. On Linux, the defaults are 4 MiB to send and 6 MiB to receive. */
const KERNEL_BYTES = 10 * 2 ** 20;
/**
 * Milliseconds. If an answer has been missing for at least this time when the connection is lost, the server counts as
 * silent.
 */
const OVERDUE_AFTER = 1000;

/** Returns the milliseconds that the kernels' buffers take at the speed seen since a question; 0 if none was seen. */
function kernelTime({ since, before, left, movedAt }: Question): number {
  const moved = left - before.left;
  if (moved === 0) return 0;
  return Math.min((movedAt - since) / moved, 1000 / MIN_UPLOAD_RATE) * KERNEL_BYTES;
}

/**
 * Notices that the server no longer answers. Asks for an answer only if nothing was received for `interval`. The answer
 * must come within `timeout` after the bytes queued before the question have left. As long as they have not, they must
 * move within `timeout` and the time that the largest step of them takes at `MIN_UPLOAD_RATE`. If they have moved, both
 * waits are longer by the time that the kernels' buffers take at the speed that was seen.
 */
export class Heartbeat {
  readonly #interval: number;
  readonly #timeout: number;
  readonly #target: HeartbeatTarget;
  #life: Life = { state: "stopped" };

  constructor({ interval, timeout }: Pick<HeartbeatSettings, "interval" | "timeout">, target: HeartbeatTarget) {
    this.#interval = interval;
    this.#timeout = timeout;
    this.#target = target;
  }

  /** Starts to watch. */
  start(): void {
    this.#listen();
  }

  /** Asks at once, and not only when nothing was received for `interval`. */
  askNow(): void {
    if (this.#life.state !== "listening") return;
    runtime.cancel(this.#life.timer);
    this.#ask();
  }

  /** Stops for good: the target is not called any more. */
  stop(): void {
    if (this.#life.state !== "stopped") runtime.cancel(this.#life.timer);
    if (this.#life.state === "asking") this.#life.request.abort();
    this.#life = { state: "stopped" };
  }

  /** If an answer is overdue: the time at which something was last received. Otherwise `Infinity`. */
  get silentSince(): number {
    const isOverdue = this.#life.state === "asking" && this.#target.heardAt < this.#life.since &&
      runtime.now() - this.#life.since >= Math.min(OVERDUE_AFTER, this.#timeout);
    return isOverdue ? this.#target.heardAt : Infinity;
  }

  #listen(): void {
    const rest = this.#target.heardAt + this.#interval - runtime.now();
    this.#life = { state: "listening", timer: runtime.after(Math.max(0, rest), () => this.#askIfSilent()) };
  }

  #askIfSilent(): void {
    const now = runtime.now();
    if (now - this.#target.heardAt < this.#interval) return this.#listen();
    this.#ask();
  }

  #ask(): void {
    const now = runtime.now();
    const before = this.#target.upload;
    const request = new AbortController();
    const timer = this.#checkAfter(this.#timeout);
    this.#life = { state: "asking", timer, request, since: now, before, left: before.left, movedAt: now };
    if (!this.#target.ask(request.signal)) this.stop();
  }

  /** Checks again after at most `interval`, so that the next question is not late if the server answers soon. */
  #checkAfter(rest: number): Timer {
    return runtime.after(Math.min(rest, this.#timeout, this.#interval), () => this.#checkAnswer());
  }

  #checkAnswer(): void {
    if (this.#life.state !== "asking") return;
    const question = this.#life.left < this.#life.before.queued ? this.#lookAgain(this.#life) : this.#life;
    const { since, before, left, movedAt, request } = question;
    if (this.#target.heardAt >= since) {
      request.abort();
      return this.#listen();
    }
    const frameTime = left < before.queued ? before.step / MIN_UPLOAD_RATE * 1000 : 0;
    const rest = movedAt + this.#timeout + Math.max(frameTime, kernelTime(question)) - runtime.now();
    if (rest > 0) {
      this.#life = { ...question, timer: this.#checkAfter(rest) };
    } else {
      request.abort();
      // The state must stay "asking", because `silentSince` is read when the connection is lost.
      this.#target.dead();
    }
  }

  /** Looks how far the bytes queued before a question have left meanwhile. */
  #lookAgain(question: Question): Question {
    const { left } = this.#target.upload;
    return left > question.left ? { ...question, left, movedAt: runtime.now() } : question;
  }
}
