/** Compares two texts in a time that depends only on the length of `given`. */
function isSame(given: string, secret: string): boolean {
  let difference = given.length ^ secret.length;
  for (let index = 0; index < given.length; index++) {
    difference |= given.charCodeAt(index) ^ (index < secret.length ? secret.charCodeAt(index) : 0);
  }
  return difference === 0;
}

/** The tokens that a server accepts. Without a list, and before the first `add`, it accepts every caller. */
export class TokenSet {
  readonly #tokens: Set<string>;
  #enabled: boolean;

  constructor(tokens: readonly string[] | undefined) {
    this.#tokens = new Set(tokens);
    this.#enabled = tokens !== undefined;
  }

  add(token: string): void {
    this.#enabled = true;
    this.#tokens.add(token);
  }

  remove(token: string): void {
    this.#tokens.delete(token);
  }

  /**
   * Tells whether a caller with this `authorization` header is accepted. Python peers send the bare token, others may
   * write `Bearer` before it. Always compares with all tokens, so that the time tells nothing.
   */
  admits(header: string | null): boolean {
    if (!this.#enabled) return true;
    if (header === null) return false;
    const bare = header.replace(/^Bearer /i, "");
    let found = false;
    for (const token of this.#tokens) {
      if (isSame(header, token)) found = true;
      if (isSame(bare, token)) found = true;
    }
    return found;
  }
}
