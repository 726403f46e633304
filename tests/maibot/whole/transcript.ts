/**
 * What a person reads of the conversations, and the count of those that held.
 * @module
 */

/** The end of a run. */
export interface Totals {
  readonly passed: number;
  readonly failed: number;
}

const MAX_LINE = 160;

function shortened(text: string): string {
  const line = text.replaceAll("\n", "⏎");
  return line.length <= MAX_LINE ? line : `${line.slice(0, MAX_LINE)}…`;
}

/** Prints conversations as they are held. */
export class Transcript {
  readonly #print: (line: string) => void;
  /** Is asked for lines that explain a failure. */
  readonly #explain: () => readonly string[];
  #passed = 0;
  #failed = 0;
  #lastSaid = 0;

  constructor(print: (line: string) => void, explain: () => readonly string[]) {
    this.#print = print;
    this.#explain = explain;
  }

  /** How many conversations held so far, and how many did not. */
  get totals(): Totals {
    return { passed: this.#passed, failed: this.#failed };
  }

  /** Prints what has happened. */
  line(who: string, what: string): void {
    this.#print(shortened(`    ${who}: ${what}`));
  }

  /** Prints what a user has written. */
  said(platform: string, user: string, group: string | undefined, what: string): void {
    this.#lastSaid = performance.now();
    this.line(`${platform}, user ${user}${group === undefined ? "" : ` in group ${group}`}`, what);
  }

  /** Prints what MaiBot has said, and how long after the last user. */
  heard(platform: string, to: string, what: string): void {
    this.line(`${platform}, MaiBot to ${to} after ${((performance.now() - this.#lastSaid) / 1000).toFixed(1)} s`, what);
  }

  /** Holds one conversation, which has failed if it throws; returns whether it held. */
  async hold(name: string, conversation: () => Promise<unknown>): Promise<boolean> {
    this.#print(`\n${name}`);
    const start = performance.now();
    const seconds = () => `${((performance.now() - start) / 1000).toFixed(1)} s`;
    try {
      await conversation();
      this.#passed++;
      this.#print(`  ok (${seconds()})`);
      return true;
    } catch (error) {
      this.#failed++;
      this.#print(`  FAILED (${seconds()}): ${error instanceof Error ? error.message : error}`);
      for (const line of this.#explain()) this.#print(`  | ${line}`);
      return false;
    }
  }
}
