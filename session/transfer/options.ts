import { checkNumber, checkObject } from "../../util/checks.ts";

/** Bounds on the unfinished transfers of one connection. */
export interface ChunkOptions {
  /**
   * Unfinished transfers that may come in at the same time; more are refused.
   *
   * @default {8}
   */
  transfers?: number;
  /**
   * Milliseconds a transfer may stand still, waiting for either side.
   *
   * @default {30000}
   */
  timeout?: number;
}

/** Checks the options of chunked transfer, naming the one at fault. */
export function checkChunks(owner: string, given: ChunkOptions | false | undefined): void {
  if (given === undefined || given === false) return;
  checkObject(owner, "chunks", given);
  if (given.transfers !== undefined) checkNumber(owner, "chunks.transfers", given.transfers, 1);
  if (given.timeout !== undefined) checkNumber(owner, "chunks.timeout", given.timeout, 1);
}

/** Fills in the defaults. */
export function withDefaults(given: ChunkOptions | false | undefined): Required<ChunkOptions> {
  const { transfers = 8, timeout = 30_000 } = given || {};
  return { transfers, timeout };
}
