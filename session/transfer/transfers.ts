import { MessageDecodeError } from "../../codec/errors.ts";
import type { WireMessage } from "../../schema/types.ts";
import { chunkFault, type ChunkFrame, type RefusalReason } from "./frames.ts";
import { MessageConnectionError } from "../../util/connection_error.ts";
import { decodePieces, type SegmentReader } from "../../codec/stream/segment_decoder.ts";
import { type MessageEnvelope, toAscii } from "../../codec/stream/message_text.ts";
import { collector, IncomingTransfer, queueOf } from "./incoming.ts";
import { OutgoingTransfer, type PieceSource, wholeFrames } from "./outgoing.ts";

/** Bounds on the transfers of one connection. */
export interface TransferLimits {
  /** Unfinished ones that come in at the same time, beside one that is sent whole. */
  readonly transfers: number;
  /** Milliseconds one may stand still. */
  readonly timeout: number;
  /** Characters held of those that are collected, all together. */
  readonly maxBytes: number;
  readonly maxDepth: number;
}

/** What the transfers of one connection ask of it. */
export interface TransferHost {
  /** Sends one frame, if there is still a line. */
  post(frame: ChunkFrame): void;
  /** Bytes that the kernel has not taken yet. */
  buffered(): number;
  /** Whether somebody reads messages piece by piece. */
  wantsStreams(): boolean;
  stream(envelope: MessageEnvelope, segments: SegmentReader): void;
  /** A message has come in pieces that nobody wanted to read one by one; returns whether it was one. */
  text(text: string): boolean;
  /** A message that was to be streamed has no envelope. */
  invalid(error: MessageDecodeError): void;
  /** The other side will not have a message that was sent whole. */
  refused(message: WireMessage, error: MessageConnectionError): void;
}

/** Characters from which a message goes in pieces where agreed on: of UTF-8, Deno 2.9 takes no frame of 64 MiB. */
const LARGE = 16_777_216;

/** Bytes queued above which a piece waits, so that an outbox finds the line free from time to time. */
const ROOM = 32_000;

/** Whether a text had better go in pieces. */
export function isLarge(text: string): boolean {
  return text.length >= LARGE;
}

/** How far a message has got. */
export interface SendProgress {
  /** Bytes of its text that have left, or were read for one frame; base64 takes four for three. */
  sent: number;
  /** Bytes of the whole text, where every part of the message tells its size. */
  total: number | null;
}

/** How a message is streamed. */
export interface SendStreamOptions {
  /** Gives the transfer up; the other side is told. */
  signal?: AbortSignal;
  /** Called with each piece that leaves, or is read where the message goes in one frame; a throw gives it up. */
  onProgress?: (progress: SendProgress) => void;
}

const REFUSALS: Readonly<Record<RefusalReason, readonly [MessageConnectionError["code"], string]>> = {
  too_large: ["too_large", "the other side must have room for it, or listen to 'stream'"],
  too_many: ["queue_full", "the other side must have fewer unfinished transfers: wait for some to end"],
  timeout: ["timeout", "neither side may stand still: nothing moved for too long"],
  invalid: ["refused", "the other side must understand it: it found a fault in the transfer"],
  cancelled: ["refused", "the other side must go on reading: it stopped before the end"],
};

function refusalError(act: string, reason: RefusalReason, limit?: number): MessageConnectionError {
  const [code, need] = REFUSALS[reason];
  const bound = limit === undefined ? "" : `; it takes ${limit} bytes`;
  return new MessageConnectionError(code, `Cannot ${act} message as ${need}${bound}`);
}

/** What a transfer ends with when its line does. */
export function connectionEnded(why: string): MessageConnectionError {
  return new MessageConnectionError("closed", `Cannot go on with message as its line must stay to the end: ${why}`);
}

/** Pieces shorter than that count as messages: an honest sender fills them. */
const SHORT = 1024;

/** Messages sent whole that are remembered at a time: the other side need not answer. */
const MAX_WHOLE = 4;

/** Longest text there is on V8; longer ones are streamed or not at all. */
const MAX_TEXT = 2 ** 29 - 25;

/** All transfers of one connection, both ways. */
export class Transfers {
  readonly #host: TransferHost;
  readonly #limits: TransferLimits;
  readonly #incoming = new Map<number, IncomingTransfer>();
  readonly #outgoing = new Map<number, OutgoingTransfer>();
  /** Messages sent whole, until the other side has answered. */
  readonly #whole = new Map<number, WireMessage>();
  #lastOutgoing = 0;
  #lastIncoming = 0;
  #ended: MessageConnectionError | null = null;

  constructor(host: TransferHost, limits: TransferLimits) {
    this.#host = host;
    this.#limits = { ...limits, maxBytes: Math.min(limits.maxBytes, MAX_TEXT) };
  }

  // ---- out

  /** Sends a message as it is read; resolves when the other side has read it too. */
  async send(source: PieceSource, total: number | null, { signal, onProgress }: SendStreamOptions): Promise<void> {
    const id = ++this.#lastOutgoing;
    const transfer = new OutgoingTransfer({
      id,
      timeout: this.#limits.timeout,
      post: (frame) => this.#post(frame),
      isBusy: () => this.#host.buffered() > ROOM,
      progress: (sent) => onProgress?.({ sent, total }),
      late: () => refusalError("send", "timeout"),
    });
    this.#outgoing.set(id, transfer);
    const abort = () => transfer.fail(signal?.reason, false);
    signal?.addEventListener("abort", abort);
    if (signal?.aborted) abort();
    if (this.#ended !== null) transfer.fail(this.#ended, true);
    try {
      await transfer.run(source, total);
    } finally {
      signal?.removeEventListener("abort", abort);
      this.#outgoing.delete(id);
    }
  }

  /** The frames of a text that is too large for one, to be sent at once and in order with all other messages. */
  whole(text: string, message: WireMessage): Iterable<ChunkFrame> {
    const id = ++this.#lastOutgoing;
    this.#whole.set(id, message);
    const [oldest] = this.#whole.keys();
    if (this.#whole.size > MAX_WHOLE && oldest !== undefined) this.#whole.delete(oldest);
    return wholeFrames(id, toAscii(text));
  }

  // ---- in

  /** Whether a frame is one that a transfer can not do without, and so is no message of its own. */
  isDue(frame: ChunkFrame): boolean {
    const { op, id } = frame;
    if (op === "data") return frame.data.length >= SHORT && this.#incoming.has(id);
    if (op === "grant") return this.#outgoing.get(id)?.isDue(frame.n) ?? false;
    if (op === "end" || op === "abort") return this.#incoming.has(id);
    return op !== "open" && (this.#outgoing.has(id) || this.#whole.has(id));
  }

  /** Takes one frame; throws what is wrong with it. */
  take(frame: ChunkFrame): void {
    switch (frame.op) {
      case "open":
        return this.#open(frame);
      case "data":
        return this.#takeData(frame);
      case "end":
        return this.#known(frame.id)?.end(frame);
      case "abort":
        return this.#known(frame.id)?.fail(
          new MessageConnectionError("closed", "Cannot read message as the other side must send all of it: it gave up"),
        );
      default:
        this.#takeAnswer(frame);
    }
  }

  /** The line has gone, and everything that was under way with it. */
  end(error: MessageConnectionError): void {
    this.#ended ??= error;
    for (const transfer of [...this.#outgoing.values()]) transfer.fail(error, true);
    for (const transfer of [...this.#incoming.values()]) transfer.fail(error);
    this.#whole.clear();
  }

  #post(frame: ChunkFrame): void {
    if (this.#ended === null) this.#host.post(frame);
  }

  /** Frames of a transfer that was given up may still come: only one that never was is a fault. */
  #known(id: number): IncomingTransfer | undefined {
    if (id > this.#lastIncoming || id === 0) throw chunkFault("id", "that of a transfer", "another number");
    return this.#incoming.get(id);
  }

  #open(frame: ChunkFrame & { op: "open" }): void {
    const { id, flow, length = 0 } = frame;
    this.#incoming.get(id)?.openAgain();
    if (id <= this.#lastIncoming) throw chunkFault("id", `above ${this.#lastIncoming}`, "a smaller number");
    this.#lastIncoming = id;
    const { transfers, timeout, maxBytes } = this.#limits;
    const isStream = flow && this.#host.wantsStreams();
    if (this.#count(flow) >= (flow ? transfers : 1)) return this.#post({ op: "refuse", id, reason: "too_many" });
    if (!isStream && this.#collected() + length > maxBytes) {
      return this.#post({ op: "refuse", id, reason: "too_large", limit: maxBytes });
    }
    const transfer = new IncomingTransfer(frame, { isStream, timeout }, {
      post: (answer) => this.#post(answer),
      over: ({ id }) => void this.#incoming.delete(id),
      refusal: (reason) => refusalError("read", reason),
    });
    this.#incoming.set(id, transfer);
    if (isStream) this.#stream(transfer);
    else transfer.begin(collector(transfer, (text) => this.#host.text(text)));
  }

  #stream(transfer: IncomingTransfer): void {
    const pieces = queueOf(transfer);
    const segments = decodePieces(pieces, { maxDepth: this.#limits.maxDepth });
    transfer.begin(pieces);
    segments.envelope.then(
      (envelope) => this.#host.stream(envelope, segments),
      (error) => {
        // A transfer that was cut off before it said anything is no fault, and one of a frame has been told.
        if (error instanceof MessageDecodeError && error !== transfer.fault) this.#host.invalid(error);
      },
    );
  }

  /** Unfinished ones, of those that wait for grants or of those that do not. */
  #count(isFlowing: boolean): number {
    let count = 0;
    for (const transfer of this.#incoming.values()) if (transfer.isFlowing === isFlowing) count++;
    return count;
  }

  /** Characters that are held. */
  #collected(): number {
    let sum = 0;
    for (const { length, isStream } of this.#incoming.values()) if (!isStream) sum += length;
    return sum;
  }

  #takeData(frame: ChunkFrame & { op: "data" }): void {
    const transfer = this.#known(frame.id);
    if (transfer === undefined) return;
    const { maxBytes } = this.#limits;
    if (!transfer.isStream && this.#collected() + frame.data.length > maxBytes) {
      transfer.refuse("too_large", maxBytes);
    } else transfer.data(frame);
  }

  #takeAnswer(frame: ChunkFrame & { op: "grant" | "done" | "refuse" }): void {
    const { id } = frame;
    if (id > this.#lastOutgoing || id === 0) throw chunkFault("id", "that of a transfer", "another number");
    const transfer = this.#outgoing.get(id);
    if (frame.op === "grant") return transfer?.grant(frame.n);
    const message = this.#whole.get(id);
    this.#whole.delete(id);
    if (frame.op === "done") return transfer?.done();
    const error = refusalError("send", frame.reason, frame.limit);
    transfer?.fail(error, true);
    if (message !== undefined) this.#host.refused(message, error);
  }
}
