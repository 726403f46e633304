/** Compares two texts in a time that depends only on the length of `given`. */
function isSame(given: string, secret: string): boolean {
  let difference = given.length ^ secret.length;
  for (let index = 0; index < given.length; index++) {
    difference |= given.charCodeAt(index) ^ (index < secret.length ? secret.charCodeAt(index) : 0);
  }
  return difference === 0;
}

/** The tokens that a server accepts. If it is created without a list, it accepts every caller until the first `add`. */
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
   * Tells whether a caller with this `authorization` header is accepted. Python peers send only the token; other peers
   * may write `Bearer` before it. The header is always compared with all tokens, so that the time of the check reveals
   * nothing about the tokens.
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
