/** Lines kept; the oldest go first. */
const MAX_LINES = 4000;
const MAX_LINE = 240;

/** What happened in a run, for a person who reads why it failed. Off, it costs nothing. */
export class Trace {
  readonly isOn: boolean;
  readonly #lines: string[] = [];
  #omitted = 0;

  constructor(isOn: boolean) {
    this.isOn = isOn;
  }

  add(at: number, who: string, text: string): void {
    if (!this.isOn) return;
    this.#lines.push(`${at.toFixed(1).padStart(9)}  ${who.padEnd(9)} ${text.slice(0, MAX_LINE)}`);
    if (this.#lines.length > MAX_LINES) this.#omitted += this.#lines.splice(0, 500).length;
  }

  get lines(): readonly string[] {
    return this.#omitted === 0 ? this.#lines : [`... ${this.#omitted} lines before`, ...this.#lines];
  }
}
