/** Compares in a time that depends on the length of `given` only. */
function isSame(given: string, secret: string): boolean {
  let difference = given.length ^ secret.length;
  for (let index = 0; index < given.length; index++) {
    difference |= given.charCodeAt(index) ^ (index < secret.length ? secret.charCodeAt(index) : 0);
  }
  return difference === 0;
}

/** The tokens a server lets in; off until the first is added or a list is given. */
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

  /** Compares every token, whichever fits. The deployed peers send it raw, others write `Bearer` before it. */
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
