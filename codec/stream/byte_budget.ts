import { encodeErrors } from "../errors.ts";

/** Limits the size of a text that is made block by block. */
export class ByteBudget {
  readonly #maxBytes: number;
  #left: number;

  /** @param maxBytes Limit on the bytes of the text. */
  constructor(maxBytes: number) {
    this.#maxBytes = maxBytes;
    this.#left = maxBytes;
  }

  /** True if there is no limit. Bytes then need not be counted. */
  get isUnlimited(): boolean {
    return this.#maxBytes === Infinity;
  }

  /**
   * Subtracts bytes from the budget. Throws a `MessageEncodeError` with the code `too_large` if fewer bytes are left.
   */
  spend(bytes: number): void {
    this.#left -= bytes;
    if (this.#left < 0) throw encodeErrors.tooManyBytes(this.#maxBytes);
  }
}
