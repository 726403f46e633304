import type { GetOptions, HttpAnswer } from "../../runtime/types.ts";
import { connectTcp } from "./connect.ts";
import { End } from "./end.ts";
import type { Frame } from "./frames.ts";
import type { Process } from "./process.ts";
import { sim } from "./simulation.ts";

/** An HTTP request over a connection of its own. */
class GetEnd extends End {
  readonly #answered: PromiseWithResolvers<HttpAnswer> = Promise.withResolvers();
  readonly #signal: AbortSignal;
  readonly #abort = (): void => this.#fail(this.#signal.reason);

  constructor(process: Process, url: string, { headers, signal }: GetOptions) {
    super(process);
    this.#signal = signal;
    signal.addEventListener("abort", this.#abort);
    const request = { kind: "request", head: { url, headers } } as const;
    connectTcp(this, url, () => this.write(request), (error) => this.#fail(error));
  }

  get answer(): Promise<HttpAnswer> {
    return this.#answered.promise;
  }

  #fail(error: unknown): void {
    this.#signal.removeEventListener("abort", this.#abort);
    this.drop("reset");
    this.#answered.reject(error);
  }

  receive(frame: Frame): void {
    if (frame.kind !== "response") return this.#fail(new Error("connection closed before message completed"));
    this.#signal.removeEventListener("abort", this.#abort);
    sim.observer.clientRead(this.process, null);
    this.drop("fin");
    this.#answered.resolve({ status: frame.status, serves: frame.serves, text: frame.body });
  }
}

/** Asks a server, as `Runtime.get`. */
export function get(process: Process, url: string, options: GetOptions): Promise<HttpAnswer> {
  if (options.signal.aborted) return Promise.reject(options.signal.reason);
  return new GetEnd(process, url, options).answer;
}
