/**
 * What a `MessageServer` tells, kept until a test asks for it.
 * @module
 */

import type { MessageServer, MessageServerEvents } from "../../../server.ts";
import { Inbox, type WaitOptions } from "./inbox.ts";

/** All but `stream`, as listening to that changes what comes, and `refused`, which tests of refusals listen to. */
type EventName = Exclude<keyof MessageServerEvents, "stream" | "refused">;
type Inboxes = { readonly [Name in EventName]: Inbox<MessageServerEvents[Name]> };

/** Listens to the events of a server from its creation on. */
export class ServerEvents {
  /** The names of the events in the order they came. */
  readonly names: EventName[] = [];
  readonly #inboxes: Inboxes = {
    message: new Inbox(),
    custom: new Inbox(),
    open: new Inbox(),
    close: new Inbox(),
    invalid: new Inbox(),
    drop: new Inbox(),
    limit: new Inbox(),
    error: new Inbox(),
  };

  /** Adds a listener for each event. */
  constructor(server: MessageServer) {
    this.#listen(server, "message");
    this.#listen(server, "custom");
    this.#listen(server, "open");
    this.#listen(server, "close");
    this.#listen(server, "invalid");
    this.#listen(server, "drop");
    this.#listen(server, "limit");
    this.#listen(server, "error");
  }

  /** Takes the next event of a name, waiting for it if need be. */
  async next<Name extends EventName>(
    name: Name,
    { timeoutMs = 5000 }: WaitOptions = {},
  ): Promise<MessageServerEvents[Name]> {
    const args = await this.#inboxes[name].take(() => true, () => `the event "${name}"`, { timeoutMs });
    if (args === null) throw new Error(`Cannot wait for the event "${name}": nothing more comes`);
    return args;
  }

  /** Counts the events of a name so far, taken or not. */
  count(name: keyof MessageServerEvents): number {
    return this.names.filter((other) => other === name).length;
  }

  #listen<Name extends EventName>(server: MessageServer, name: Name): void {
    server.on(name, (...args) => {
      this.names.push(name);
      this.#inboxes[name].push(args);
    });
  }
}
