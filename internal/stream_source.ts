import { decodeMessage, MessageEncodeError } from "../codec.ts";
import type { WireMessage } from "../schema.ts";
import { CHUNK_LENGTH } from "./chunk_frames.ts";
import { withoutInfoNulls } from "./nulls.ts";
import { Budget, Pieces } from "./pieces.ts";
import { type CutText, splitAtBinaries, type StreamMessage } from "./segment_text.ts";
import type { PieceSource } from "./transfer_out.ts";

/** Bytes of one frame to a peer that takes no chunks; the deployed peers take no more. */
const ONE_FRAME = 104_857_600;

/** Room for the last group of base64. */
const GROUP = 4;

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
    length += Math.ceil((binary instanceof Uint8Array ? binary.length : binary.size) / 3) * GROUP;
  }
  return length;
}

/**
 * Prepares a message for sending; takes the streams in it.
 *
 * @throws {MessageEncodeError} If it is too deep, breaks a rule of the wire or is not JSON.
 * @throws {TypeError} If a stream is locked.
 */
export function streamText(message: StreamMessage): StreamText {
  const cut = splitAtBinaries(message, withoutInfoNulls, { isAscii: true });
  const pieces = new Pieces(cut, new Budget(Infinity));
  const source: PieceSource = {
    async next() {
      let piece = pieces.take(CHUNK_LENGTH);
      for (; piece === ""; piece = pieces.take(CHUNK_LENGTH)) await pieces.wait();
      while (piece !== null && piece.length <= CHUNK_LENGTH - GROUP) {
        const more = pieces.take(CHUNK_LENGTH - piece.length);
        if (more === null || more === "") break;
        piece += more;
      }
      return piece;
    },
    cancel: (reason) => pieces.abandon(reason),
  };
  return { source, total: lengthOf(cut) };
}

function tooLarge(): MessageEncodeError {
  return new MessageEncodeError(
    `Cannot encode message as it must take at most ${ONE_FRAME} bytes: the other side takes no chunks`,
    { code: "too_large", path: "$" },
  );
}

/**
 * Reads a whole message into memory, for a peer that takes it in one frame only.
 *
 * @throws {MessageEncodeError} `too_large` if that frame would be, as soon as it is known.
 */
export async function wholeMessage(message: StreamMessage, signal: AbortSignal | undefined): Promise<WireMessage> {
  signal?.throwIfAborted();
  const { source, total } = streamText(message);
  const abort = () => source.cancel(signal?.reason);
  signal?.addEventListener("abort", abort);
  try {
    if (total !== null && total > ONE_FRAME) throw tooLarge();
    const pieces: string[] = [];
    let length = 0;
    for (let piece = await source.next(); piece !== null; piece = await source.next()) {
      length += piece.length;
      if (length > ONE_FRAME) throw tooLarge();
      pieces.push(piece);
    }
    signal?.throwIfAborted(); // the source ends early then
    return decodeMessage(pieces.join(""), { maxSegments: Infinity });
  } catch (error) {
    source.cancel(error);
    throw error;
  } finally {
    signal?.removeEventListener("abort", abort);
  }
}
