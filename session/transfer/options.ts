import { checkObject, type NumberOption, numbersOf } from "../../util/checks.ts";

/** Limits on the unfinished transfers of one connection. */
export interface ChunkOptions {
  /**
   * Maximum number of incoming transfers at the same time; further transfers are refused.
   *
   * @default {8}
   */
  transfers?: number;
  /**
   * If a transfer makes no progress for this many milliseconds, this side aborts it, as the sender or as the receiver.
   *
   * @default {30000}
   */
  timeout?: number;
}

/** Defaults and minimums of `chunks`. */
const CHUNKS: Readonly<Record<keyof ChunkOptions, NumberOption>> = {
  transfers: { default: 8, least: 1 },
  timeout: { default: 30_000, least: 1 },
};

/**
 * Checks the option `chunks` and fills in defaults.
 *
 * @param owner Name of the class that is created.
 * @param given The option as the user gave it.
 * @returns The settings; `null` if transfers are turned off.
 */
export function chunkSettings(owner: string, given: ChunkOptions | false | undefined): Required<ChunkOptions> | null {
  if (given === false) return null;
  if (given !== undefined) checkObject(owner, "chunks", given);
  return numbersOf(owner, given ?? {}, CHUNKS, "chunks.");
}

/** Settings of a connection that uses no transfers. */
export const NO_TRANSFERS: Required<ChunkOptions> = { transfers: 0, timeout: 0 };
