import { MessageDecodeError } from "../../codec/errors.ts";
import { MAX_STRING_LENGTH } from "../../codec/limits.ts";
import { toAscii } from "../../codec/ascii.ts";
import type { MessageEnvelope } from "../../codec/stream/types.ts";
import { decodeTextBlocks, type SegmentReader } from "../../codec/stream/segment_decoder.ts";
import { MessageConnectionError } from "../../util/connection_error.ts";
import { TransferBudget } from "./budget.ts";
import { chunkFault, type ChunkFrame, type RefusalReason } from "./frames.ts";
import { collectText, IncomingTransfer, queueChunks } from "./incoming.ts";
import { type ChunkSource, framesOfText, OutgoingTransfer } from "./outgoing.ts";

/** Limits on the transfers of one connection. */
export interface TransferLimits {
  /**
   * Maximum number of incoming transfers whose sender waits for grants. In addition, there may be one transfer whose
   * sender does not wait.
   */
  readonly transfers: number;
  /** Milliseconds without progress after which a transfer is aborted. */
  readonly timeout: number;
  /** Maximum characters in memory, for all incoming transfers together that are collected and not read as a stream. */
  readonly maxBytes: number;
  readonly maxDepth: number;
  /** Bounds the memory of the incoming transfers of all connections together. Default: no bound. */
  readonly budget?: TransferBudget;
}

/** The session that the transfers of one connection belong to. */
export interface TransferHost {
  /** Sends one frame, if the connection is still open. */
  sendFrame(frame: ChunkFrame): void;
  /** Returns the bytes that the kernel has not taken yet. */
  buffered(): number;
  /** Returns true if a handler reads messages as streams. */
  wantsStreams(): boolean;
  /** A message that is read as a stream has begun to arrive. */
  streamed(envelope: MessageEnvelope, segments: SegmentReader): void;
  /** A whole text was received. Returns true if it was a message. */
  collected(text: string): boolean;
  /** A message that was to be read as a stream has no valid envelope. */
  invalid(error: MessageDecodeError): void;
  /** The other side has handled a message that was sent without waiting for grants; or has refused it with an error. */
  answered(id: number, error: MessageConnectionError | null): void;
  /** An incoming transfer was refused, because those of all connections hold too much text. */
  full(): void;
}

/**
 * Minimum characters of a message that is sent in chunks, if chunks were agreed on. A much larger frame could be
 * refused: Deno 2.9 accepts no frame of 64 MiB.
 */
const LARGE_LENGTH = 16_777_216;

/**
 * Maximum queued bytes. Above it, the next chunk waits, so that other messages find an empty buffer from time to time.
 */
const BUSY_BYTES = 32_000;

/** Returns true if the text of a message is so large that it is sent in chunks, if chunks were agreed on. */
export function isLarge(text: string): boolean {
  return text.length >= LARGE_LENGTH;
}

/** Progress of a message that is being sent. */
export interface SendProgress {
  /**
   * Bytes of the message's text that were sent so far. If the message goes out as one frame instead of chunks: bytes
   * read into memory for this frame. Binary data counts in its base64 form, 4 bytes of text for every 3 bytes.
   */
  sent: number;
  /** Bytes of the whole text; `null` if the message holds a stream of unknown size. */
  total: number | null;
}

/** Options of `sendStream`. */
export interface SendStreamOptions {
  /** Signal that aborts the transfer. */
  signal?: AbortSignal;
  /**
   * Function that is called after each chunk was sent. If the message goes out as one frame instead of chunks: after
   * each part was read into memory. If the function throws, the transfer ends.
   */
  onProgress?: (progress: SendProgress) => void;
}

const REFUSALS: Readonly<Record<RefusalReason, readonly [MessageConnectionError["code"], string]>> = {
  too_large: ["too_large", "it is too large for the other side, which can read larger ones by listening to 'stream'"],
  too_many: ["queue_full", "the other side has too many unfinished transfers; wait until some have ended"],
  timeout: ["timeout", "nothing moved for too long; check that the other side reads, or raise 'chunks.timeout'"],
  invalid: ["refused", "the other side found a fault in the transfer; send it again"],
  cancelled: ["refused", "the other side stopped reading before the end"],
};

/** Creates the error that the sender gets for a transfer that the other side has refused. */
function sendError(reason: RefusalReason, limit?: number): MessageConnectionError {
  const [code, text] = REFUSALS[reason];
  const bound = limit === undefined ? "" : ` (it accepts ${limit} bytes)`;
  return new MessageConnectionError(code, `Message was not sent: ${text}${bound}`);
}

/** Creates the error that the reader gets for a transfer that this side has refused. */
function readError(reason: RefusalReason): MessageConnectionError {
  const text = reason === "timeout"
    ? "nothing moved for too long; read its segments without long pauses, or raise 'chunks.timeout'"
    : `this side refused it (${reason})`;
  return new MessageConnectionError(REFUSALS[reason][0], `Message was not read to its end: ${text}`);
}

/** Creates the error for a transfer whose connection has ended. */
export function connectionEnded(why: string): MessageConnectionError {
  return new MessageConnectionError("closed", `Message was cut off: ${why}; it has to be sent again`);
}

/**
 * Minimum characters of a chunk that does not count as a message of its own. An honest sender fills its chunks, so the
 * limit hardly affects it.
 */
const MIN_FREE_CHUNK = 1024;

/** All transfers of one connection, in both directions. */
export class Transfers {
  readonly #host: TransferHost;
  readonly #limits: TransferLimits;
  readonly #budget: TransferBudget;
  readonly #incoming = new Map<number, IncomingTransfer>();
  readonly #outgoing = new Map<number, OutgoingTransfer>();
  /**
   * Transfers that were sent without waiting for grants and are not answered yet. Their number is limited, because no
   * message is sent while too many bytes are not confirmed.
   */
  readonly #unanswered = new Set<number>();
  #lastOutgoing = 0;
  #lastIncoming = 0;
  #ended: MessageConnectionError | null = null;

  constructor(host: TransferHost, limits: TransferLimits) {
    this.#host = host;
    this.#budget = limits.budget ?? new TransferBudget(Infinity);
    // A text that does not fit in a string can only be read as a stream. A refusal names the limit as a whole number.
    const maxBytes = Math.floor(Math.min(limits.maxBytes, MAX_STRING_LENGTH, this.#budget.max));
    this.#limits = { ...limits, maxBytes };
  }

  // ---- outgoing

  /** Sends a text while it is read from its source. Resolves when the other side has read the whole text. */
  async sendStream(
    source: ChunkSource,
    total: number | null,
    { signal, onProgress }: SendStreamOptions,
  ): Promise<void> {
    const id = ++this.#lastOutgoing;
    const transfer = new OutgoingTransfer({
      id,
      timeout: this.#limits.timeout,
      sendFrame: (frame) => this.#sendFrame(frame),
      isBusy: () => this.#host.buffered() > BUSY_BYTES,
      progress: (sent) => onProgress?.({ sent, total }),
      timeoutError: () => sendError("timeout"),
    });
    this.#outgoing.set(id, transfer);
    const abort = () => transfer.abort(signal?.reason);
    signal?.addEventListener("abort", abort);
    if (signal?.aborted) abort();
    if (this.#ended !== null) transfer.fail(this.#ended);
    try {
      await transfer.run(source, total);
    } finally {
      signal?.removeEventListener("abort", abort);
      this.#outgoing.delete(id);
    }
  }

  /**
   * Cuts a text that is too large for one frame into frames. All of them are sent at once, so messages stay in order.
   */
  wholeText(text: string): { id: number; frames: Iterable<ChunkFrame> } {
    const id = ++this.#lastOutgoing;
    this.#unanswered.add(id);
    return { id, frames: framesOfText(id, toAscii(text)) };
  }

  // ---- incoming

  /** Returns true if a transfer cannot continue without this frame. Such a frame does not count as a message. */
  needsFrame(frame: ChunkFrame): boolean {
    const { op, id } = frame;
    if (op === "data") return frame.data.length >= MIN_FREE_CHUNK && this.#incoming.has(id);
    if (op === "grant") return this.#outgoing.get(id)?.isUsefulGrant(frame.n) ?? false;
    if (op === "end" || op === "abort") return this.#incoming.has(id);
    return op !== "open" && (this.#outgoing.has(id) || this.#unanswered.has(id));
  }

  /** Handles one frame; throws if it is wrong. */
  receive(frame: ChunkFrame): void {
    switch (frame.op) {
      case "open":
        return this.#receiveOpen(frame);
      case "data":
        return this.#receiveData(frame);
      case "end":
        return this.#findIncoming(frame.id)?.end(frame);
      case "abort":
        return this.#findIncoming(frame.id)?.fail(
          new MessageConnectionError("closed", "Message is incomplete: the sender gave up before its end"),
        );
      default:
        this.#receiveAnswer(frame);
    }
  }

  /** Ends all transfers, because the connection has ended. */
  end(error: MessageConnectionError): void {
    this.#ended ??= error;
    for (const transfer of [...this.#outgoing.values()]) transfer.fail(error);
    for (const transfer of [...this.#incoming.values()]) transfer.fail(error);
    this.#unanswered.clear();
  }

  #sendFrame(frame: ChunkFrame): void {
    if (this.#ended === null) this.#host.sendFrame(frame);
  }

  /**
   * Finds a transfer; throws if its id was never opened. Returns `undefined` for a transfer that has ended, because its
   * frames may still arrive.
   */
  #findIncoming(id: number): IncomingTransfer | undefined {
    if (id > this.#lastIncoming || id === 0) throw chunkFault("id", "the id of a transfer", "another number");
    return this.#incoming.get(id);
  }

  #receiveOpen(frame: ChunkFrame & { op: "open" }): void {
    const { id, flow, length = 0 } = frame;
    this.#incoming.get(id)?.rejectSecondOpen();
    if (id <= this.#lastIncoming) throw chunkFault("id", `above ${this.#lastIncoming}`, "a smaller number");
    this.#lastIncoming = id;
    const { transfers, timeout, maxBytes } = this.#limits;
    const isStream = flow && this.#host.wantsStreams();
    if (this.#countIncoming({ waitsForGrants: flow }) >= (flow ? transfers : 1)) {
      return this.#sendFrame({ op: "refuse", id, reason: "too_many" });
    }
    if (!isStream && this.#collectedLength() + length > maxBytes) {
      return this.#sendFrame({ op: "refuse", id, reason: "too_large", limit: maxBytes });
    }
    if (!this.#budget.hasRoom(isStream ? 1 : Math.max(1, length))) {
      this.#sendFrame({ op: "refuse", id, reason: "too_many" });
      return this.#host.full();
    }
    const transfer = new IncomingTransfer(frame, { isStream, timeout, budget: this.#budget }, {
      sendFrame: (answer) => this.#sendFrame(answer),
      over: ({ id }) => void this.#incoming.delete(id),
      refusal: readError,
      full: () => this.#host.full(),
    });
    this.#incoming.set(id, transfer);
    if (isStream) this.#beginStream(transfer);
    else transfer.begin(collectText(transfer, (text) => this.#host.collected(text)));
  }

  #beginStream(transfer: IncomingTransfer): void {
    const chunks = queueChunks(transfer);
    const segments = decodeTextBlocks(chunks, { maxDepth: this.#limits.maxDepth });
    transfer.begin(chunks);
    segments.envelope.then(
      (envelope) => this.#host.streamed(envelope, segments),
      (error) => {
        // Two errors are not reported here: a transfer that was cut off early is not a fault of the message, and a
        // wrong frame was reported already.
        if (error instanceof MessageDecodeError && error !== transfer.fault) this.#host.invalid(error);
      },
    );
  }

  #countIncoming({ waitsForGrants }: { waitsForGrants: boolean }): number {
    let count = 0;
    for (const transfer of this.#incoming.values()) if (transfer.waitsForGrants === waitsForGrants) count++;
    return count;
  }

  /** Characters in memory, for all collected transfers together. */
  #collectedLength(): number {
    let sum = 0;
    for (const { length, isStream } of this.#incoming.values()) if (!isStream) sum += length;
    return sum;
  }

  #receiveData(frame: ChunkFrame & { op: "data" }): void {
    const transfer = this.#findIncoming(frame.id);
    if (transfer === undefined) return;
    const { maxBytes } = this.#limits;
    if (!transfer.isStream && this.#collectedLength() + frame.data.length > maxBytes) {
      transfer.refuse("too_large", maxBytes);
    } else transfer.data(frame);
  }

  #receiveAnswer(frame: ChunkFrame & { op: "grant" | "done" | "refuse" }): void {
    const { id } = frame;
    if (id > this.#lastOutgoing || id === 0) throw chunkFault("id", "the id of a transfer", "another number");
    const transfer = this.#outgoing.get(id);
    if (frame.op === "grant") return transfer?.grant(frame.n);
    const error = frame.op === "done" ? null : sendError(frame.reason, frame.limit);
    if (this.#unanswered.delete(id)) this.#host.answered(id, error);
    else if (error === null) transfer?.done();
    else transfer?.fail(error);
  }
}
