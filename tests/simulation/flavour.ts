/** What a runtime does in its own way, as far as the library can notice. Facts by experiment, November 2026. */
export interface Flavour {
  readonly name: "deno" | "bun" | "python";
  /** `Runtime.closeEndsInput`. */
  readonly closeEndsInput: boolean;
  /** A client can send protocol pings, a server too, and both are told of pongs. */
  readonly canPing: boolean;
  /** `send` hands to the kernel at once what it takes; otherwise this happens in a later turn of the loop. */
  readonly writesAtOnce: boolean;
  /** A message leaves `bufferedAmount` in one step, when its last byte is in the kernel. */
  readonly countsWholeFrames: boolean;
  /** A client that has called `close` still hears the messages that come before the answer. */
  readonly hearsWhileClosing: boolean;
  /** A server's `close` calls the handler of the end before it returns. */
  readonly endsAtOnce: boolean;
  /** A frame that comes in after the server's close frame ends TCP at once, and the close frame may be lost. */
  readonly closeIsFragile: boolean;
  /** A connection can be dropped. */
  readonly canTerminate: boolean;
  /** The code of a connection that ended without a close frame, on a client. */
  readonly abnormalCode: number;
}

const DENO: Flavour = {
  name: "deno",
  closeEndsInput: false,
  canPing: false,
  writesAtOnce: false,
  countsWholeFrames: true,
  hearsWhileClosing: true,
  endsAtOnce: false,
  closeIsFragile: true,
  canTerminate: false,
  abnormalCode: 0,
};

const BUN: Flavour = {
  name: "bun",
  closeEndsInput: true,
  canPing: true,
  writesAtOnce: true,
  countsWholeFrames: false,
  hearsWhileClosing: false,
  endsAtOnce: true,
  closeIsFragile: false,
  canTerminate: true,
  abnormalCode: 1006,
};

/** uvicorn with websockets: only as a server. */
const PYTHON: Flavour = {
  ...BUN,
  name: "python",
  closeEndsInput: false,
  endsAtOnce: false,
  hearsWhileClosing: true,
};

export const FLAVOURS: Readonly<Record<Flavour["name"], Flavour>> = { deno: DENO, bun: BUN, python: PYTHON };
