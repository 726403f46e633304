import { runtime } from "../runtime/mod.ts";

/**
 * Largest step in bytes in which the bytes leave if the runtime tells of parts of a frame: the kernel, too, takes them
 * in steps.
 */
const KERNEL_STEP = 131_072;

/** How far the bytes of a WebSocket have left this side. */
export interface UploadProgress {
  /** Bytes that were ever queued. Bytes that the kernel took at once may be left out. */
  readonly queued: number;
  /** Bytes of them that the kernel has taken. */
  readonly left: number;
  /** Largest number of bytes by which `left` grows at once. */
  readonly step: number;
}

/** Sends the frames of one WebSocket, and follows how their bytes leave this side. */
export class Upload {
  readonly #webSocket: WebSocket;
  #queued = 0;
  /** Bytes of the largest frame since the buffer was last empty. */
  #largestFrame = 0;

  constructor(webSocket: WebSocket) {
    this.#webSocket = webSocket;
  }

  /** Queues one text frame. */
  send(text: string): void {
    const before = this.#webSocket.bufferedAmount;
    this.#webSocket.send(text);
    const added = this.#webSocket.bufferedAmount - before;
    this.#queued += added;
    this.#largestFrame = before === 0 ? added : Math.max(this.#largestFrame, added);
  }

  get progress(): UploadProgress {
    const queued = this.#queued;
    const step = runtime.countsWholeFrames ? this.#largestFrame : Math.min(this.#largestFrame, KERNEL_STEP);
    return { queued, left: queued - this.#webSocket.bufferedAmount, step };
  }
}
