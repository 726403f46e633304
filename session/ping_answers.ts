import { Rate } from "./rate.ts";

/** Maximum number of pongs per second. A later pong also answers all earlier pings. */
const MAX_PONGS = 20;
/** Maximum number of pings that may come before the next pong is due. A peer of this library sends one at a time. */
const MAX_SKIPPED = 20;

/** Answers the pings of one connection. Pongs are cumulative, so only the newest ping needs one. */
export class PingAnswers {
  readonly #answer: (number: number) => void;
  readonly #rate = new Rate(MAX_PONGS);
  /** The newest ping that is not answered yet. */
  #waiting: number | null = null;
  #skipped = 0;

  /** @param answer Sends a pong with the number of a ping. */
  constructor(answer: (number: number) => void) {
    this.#answer = answer;
  }

  /** Answers a ping now or later. `flood` means that the other side has sent far too many. */
  receive(number: number): "now" | "later" | "flood" {
    if (this.#rate.take()) {
      this.#waiting = null;
      this.#skipped = 0;
      this.#answer(number);
      return "now";
    }
    this.#waiting = number;
    return ++this.#skipped > MAX_SKIPPED ? "flood" : "later";
  }

  /** Answers the newest ping that waits. Returns true if it must wait longer. */
  answerLate(): boolean {
    if (this.#waiting !== null) this.receive(this.#waiting);
    return this.#waiting !== null;
  }
}
