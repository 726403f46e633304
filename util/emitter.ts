import { describeError } from "./display.ts";

/** Return value of a handler. A rejected promise becomes an `error` event. */
export type HandlerResult = void | Promise<void>;

/** Options of `on` and `onCustom`. */
export interface ListenOptions {
  /** Signal that removes the handler when it is aborted. */
  signal?: AbortSignal;
}

type Handler<Args extends readonly unknown[]> = (...args: Args) => unknown;

/** Result of an event: there was no handler, all handlers have returned, or the promise of a handler is pending. */
export type Heard = "unheard" | "done" | "pending";

/** The event for failed handlers, which every emitter has. */
export interface FailureEvents {
  error: readonly [error: unknown, ...rest: unknown[]];
}

/**
 * Handlers by event, called in the order in which they were added. If a handler is added or removed while an event is
 * being handled, the change takes effect at the next event.
 *
 * A handler that throws or rejects causes an `error` event; the other handlers still run.
 */
export class Emitter<Events extends { readonly [name: string]: readonly unknown[] } & FailureEvents> {
  readonly #lists = new Map<keyof Events, readonly { handler: Handler<never> }[]>();
  readonly #isExpected: (error: unknown) => boolean;

  /**
   * @param isExpected Returns true for an error of a handler that is not reported, such as the error of a `send` after
   * `close()`.
   */
  constructor(isExpected: (error: unknown) => boolean = () => false) {
    this.#isExpected = isExpected;
  }

  /** Adds a handler; returns the function that removes it. */
  on<Name extends keyof Events>(
    name: Name,
    handler: (...args: Events[Name]) => unknown,
    { signal }: ListenOptions = {},
  ): () => void {
    if (typeof handler !== "function") {
      throw new TypeError(`'handler' must be a function; received ${typeof handler}`);
    }
    if (signal?.aborted) return () => {};
    const entry = { handler: handler as Handler<never> };
    this.#lists.set(name, [...this.#lists.get(name) ?? [], entry]);
    const remove = () => {
      signal?.removeEventListener("abort", remove);
      const left = (this.#lists.get(name) ?? []).filter((other) => other !== entry);
      if (left.length > 0) this.#lists.set(name, left);
      else this.#lists.delete(name);
    };
    signal?.addEventListener("abort", remove);
    return remove;
  }

  /** Tells whether an event has a handler. */
  has(name: keyof Events): boolean {
    return this.#lists.has(name);
  }

  /** Calls the handlers of an event. */
  emit<Name extends keyof Events>(name: Name, ...args: Events[Name]): Heard {
    const list = this.#lists.get(name);
    if (list === undefined) return "unheard";
    let heard: Heard = "done";
    const fail = name === "error" ? (error: unknown) => reportUnheard("error", describeError(error)) : this.fail;
    for (const { handler } of list) {
      try {
        const result = (handler as Handler<Events[Name]>)(...args);
        if (!(result instanceof Promise)) continue;
        heard = "pending";
        result.catch(fail);
      } catch (error) {
        fail(error);
      }
    }
    return heard;
  }

  /** Reports a failure as an `error` event, or on the console if `error` has no handler. */
  readonly fail = (...failure: Events["error"]): void => {
    if (this.#isExpected(failure[0])) return;
    if (this.emit("error", ...failure) === "unheard") reportUnheard("error", describeError(failure[0]));
  };
}

/**
 * Prints one line for an important event that has no handler. Apart from the programs, only this function prints.
 *
 * @param event Name of the event.
 * @param text What happened. The caller has made the text safe to print with a function of `util/display.ts`.
 */
export function reportUnheard(event: "error" | "drop" | "warning", text: string): void {
  // deno-lint-ignore no-console
  console.error(`@maim/message: ${event} without a listener: ${text}`);
}
