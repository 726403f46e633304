import { checkObject, type NumberOption, numbersOf } from "../../util/checks.ts";

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

/** The numbers of `chunks`. */
const CHUNKS: Readonly<Record<keyof ChunkOptions, NumberOption>> = {
  transfers: { default: 8, least: 1 },
  timeout: { default: 30_000, least: 1 },
};

/**
 * Checks the options of transfers in chunks, and fills in what is not given.
 *
 * @param owner Name of the class that is created.
 * @param given What the user gave.
 * @returns The settings; `null` when there are to be no transfers.
 */
export function chunkSettings(owner: string, given: ChunkOptions | false | undefined): Required<ChunkOptions> | null {
  if (given === false) return null;
  if (given !== undefined) checkObject(owner, "chunks", given);
  return numbersOf(owner, given ?? {}, CHUNKS, "chunks.");
}

/** For a connection over which nothing goes in chunks. */
export const NO_TRANSFERS: Required<ChunkOptions> = { transfers: 0, timeout: 0 };
