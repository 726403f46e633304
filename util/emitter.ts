/** What a handler may return; a promise is watched, so that its rejection is heard. */
export type HandlerResult = void | Promise<void>;

/** Options of `on` and `onCustom`. */
export interface ListenOptions {
  /** Removes the handler when aborted. */
  signal?: AbortSignal;
}

type Handler<Args extends readonly unknown[]> = (...args: Args) => unknown;

/** What became of an event: nobody listens, all handlers have returned, or one of them is still at work. */
export type Heard = "unheard" | "done" | "pending";

/** Every emitter has an event for failures; a listener of that one that fails can only be heard on the console. */
export interface FailureEvents {
  error: readonly [error: unknown, ...rest: unknown[]];
}

/**
 * Handlers by name, called in the order they were added, over the list as it stood when the event came.
 *
 * A handler that throws or rejects becomes an `error` event and breaks nothing.
 */
export class Emitter<Events extends { readonly [name: string]: readonly unknown[] } & FailureEvents> {
  readonly #lists = new Map<keyof Events, readonly { handler: Handler<never> }[]>();

  on<Name extends keyof Events>(
    name: Name,
    handler: (...args: Events[Name]) => unknown,
    { signal }: ListenOptions = {},
  ): () => void {
    if (typeof handler !== "function") {
      throw new TypeError(`Cannot listen as 'handler' must be a function: received ${typeof handler}`);
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

  /** Returns whether anybody listens. */
  has(name: keyof Events): boolean {
    return this.#lists.has(name);
  }

  emit<Name extends keyof Events>(name: Name, ...args: Events[Name]): Heard {
    const list = this.#lists.get(name);
    if (list === undefined) return "unheard";
    let heard: Heard = "done";
    const fail = name === "error" ? (error: unknown) => unheard("error", error) : this.fail;
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

  /** Tells of a failure: to the listeners of `error`, else on the console. */
  readonly fail = (...failure: Events["error"]): void => {
    if (this.emit("error", ...failure) === "unheard") unheard("error", failure[0]);
  };
}

/** An error and where it came from, on one line. */
function oneLine(what: unknown): string {
  if (typeof what === "string") return what;
  if (!(what instanceof Error)) return `a thrown ${what === null ? "null" : typeof what}`;
  const place = what.stack?.split("\n").find((line) => line.trimStart().startsWith("at "))?.trim();
  return `${what.name}: ${what.message}${place === undefined ? "" : ` (${place})`}`.replaceAll("\n", " ");
}

/** The one place where the library speaks on the console: an `error`, a `drop` or a `warning` that nobody listens to. */
export function unheard(event: "error" | "drop" | "warning", what: unknown): void {
  // deno-lint-ignore no-console
  console.error(`@maim/message: ${event} without a listener: ${oneLine(what)}`);
}
