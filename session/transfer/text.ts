import { runtime } from "../../runtime/mod.ts";
import { MAX_BYTES, MessageEncodeError } from "../../codec/errors.ts";
import type { WireMessage } from "../../schema/types.ts";
import { CHUNK_LENGTH } from "./frames.ts";
import { isCustom } from "../../schema/guards.ts";
import { withoutInfoNulls } from "../../codec/nulls.ts";
import { base64Length, Budget, Pieces } from "../../codec/stream/blocks.ts";
import { type CutText, splitAtBinaries, type StreamMessage } from "../../codec/stream/message_text.ts";
import type { PieceSource } from "./outgoing.ts";
import type { SendStreamOptions } from "./transfers.ts";

/** Room for the last group of base64. */
const GROUP = 4;

/** Milliseconds a piece waits to be filled by a source that is slow. */
const LINGER = 20;

/** A message about to be sent piece by piece. */
export interface StreamText {
  readonly source: PieceSource;
  /** Bytes of the whole text, all ASCII; `null` where a stream does not tell its size. */
  readonly total: number | null;
}

function lengthOf({ parts, binaries }: CutText): number | null {
  let length = 0;
  for (const part of parts) length += part.length;
  for (const binary of binaries) {
    if (binary instanceof ReadableStream) return null;
    length += base64Length(binary instanceof Uint8Array ? binary.length : binary.size);
  }
  return length;
}

/** The other side hands a message out once it knows the envelope, whose essence must not stand behind the segments. */
function infoFirst(message: StreamMessage): StreamMessage {
  const { message_info, ...rest } = message;
  return { message_info, ...rest };
}

/** Pieces as long as they may be, however small the chunks of the sources. */
class FullPieces implements PieceSource {
  readonly #pieces: Pieces;
  /** The chunk that is under way. */
  #chunk: Promise<void> | null = null;

  constructor(pieces: Pieces) {
    this.#pieces = pieces;
  }

  async next(): Promise<string | null> {
    let piece = "";
    while (piece.length <= CHUNK_LENGTH - GROUP) {
      const more = this.#chunk === null ? this.#pieces.take(CHUNK_LENGTH - piece.length) : "";
      if (more === null) return piece === "" ? null : piece;
      if (more !== "") piece += more;
      else if (!await this.#wait(piece === "" ? Infinity : LINGER)) break;
    }
    return piece;
  }

  cancel(reason: unknown): void {
    this.#pieces.abandon(reason);
  }

  /** Waits for a chunk; false if there is none yet after some time. */
  async #wait(ms: number): Promise<boolean> {
    const chunk = this.#chunk ??= this.#pieces.wait();
    if (ms < Infinity) {
      const late = Promise.withResolvers<boolean>();
      const timer = runtime.after(ms, () => late.resolve(true));
      // A source that fails is heard of when its turn comes.
      const isLate = await Promise.race([late.promise, chunk.then(() => false, () => false)]);
      runtime.cancel(timer);
      if (isLate) return false;
    }
    this.#chunk = null;
    await chunk;
    return true;
  }
}

/**
 * Prepares a message for sending; takes the streams in it.
 *
 * @throws {MessageEncodeError} If it is too deep, breaks a rule of the wire or is not JSON.
 * @throws {TypeError} If a stream is locked, or it is a custom message.
 */
export function streamText(message: StreamMessage): StreamText {
  if (isCustom(message)) throw new TypeError("Cannot stream message as it must be ordinary: it is a custom one");
  const cut = splitAtBinaries(infoFirst(message), withoutInfoNulls, { isAscii: true });
  return { source: new FullPieces(new Pieces(cut, new Budget(Infinity))), total: lengthOf(cut) };
}

function tooLarge(): MessageEncodeError {
  return new MessageEncodeError(
    `Cannot encode message as it must take at most ${MAX_BYTES} bytes: the other side takes no chunks`,
    { code: "too_large", path: "$" },
  );
}

/**
 * Reads a whole message into memory, for a peer that takes it in one frame only. What is read counts as progress.
 *
 * @throws {MessageEncodeError} `too_large` if that frame would be, as soon as it is known.
 */
export async function wholeMessage(
  message: StreamMessage,
  { signal, onProgress }: SendStreamOptions,
): Promise<WireMessage> {
  const { source, total } = streamText(message);
  const abort = () => source.cancel(signal?.reason);
  signal?.addEventListener("abort", abort);
  try {
    signal?.throwIfAborted();
    if (total !== null && total > MAX_BYTES) throw tooLarge();
    const pieces: string[] = [];
    let length = 0;
    for (let piece = await source.next(); piece !== null; piece = await source.next()) {
      length += piece.length;
      if (length > MAX_BYTES) throw tooLarge();
      pieces.push(piece);
      onProgress?.({ sent: length, total });
    }
    signal?.throwIfAborted(); // the source ends early then
    return JSON.parse(pieces.join("")); // checked before it was written, and numbers stay what they are
  } catch (error) {
    source.cancel(error);
    throw error;
  } finally {
    signal?.removeEventListener("abort", abort);
  }
}
