/**
 * Waits for what a client, router or server of ours tells its handlers.
 * @module
 */

import type {
  CustomMessage,
  MessageClient,
  MessageClientEvents,
  MessageServer,
  MessageServerEvents,
  Router,
  RouterEvents,
} from "../../../mod.ts";
import { Inbox, type WaitOptions } from "./inbox.ts";

interface Listenable {
  on(...args: never[]): unknown;
}

/** What handlers were called with, in order, until somebody takes it. */
export class Heard<Args extends readonly unknown[]> {
  readonly #inbox = new Inbox<Args>();

  /** Registers a handler by `listen`, as `heard((handler) => client.on("message", handler))`. */
  constructor(listen: (handler: (...args: Args) => void) => unknown) {
    listen((...args) => this.#inbox.push(args));
  }

  /** Takes the next call that fits. */
  async next(isMatch: (...args: Args) => boolean = () => true, options: WaitOptions = {}): Promise<Args> {
    const call = await this.#inbox.take((args) => isMatch(...args), () => "a call of a handler", options);
    if (call === null) throw new Error("Cannot wait for a call as the inbox has ended");
    return call;
  }
}

/** Collects the calls of a handler of an event. */
export function heard<N extends keyof MessageClientEvents>(on: MessageClient, name: N): Heard<MessageClientEvents[N]>;
/** Collects the calls of a handler of an event. */
export function heard<N extends keyof MessageServerEvents>(on: MessageServer, name: N): Heard<MessageServerEvents[N]>;
/** Collects the calls of a handler of an event. */
export function heard<N extends keyof RouterEvents>(on: Router, name: N): Heard<RouterEvents[N]>;
export function heard(target: Listenable, name: string): Heard<unknown[]> {
  // The overloads have paired name and handler.
  return new Heard<unknown[]>((handler) => target.on(name as never, handler as never));
}

/** Collects the custom messages of one name. */
export function heardCustom(target: MessageClient | MessageServer | Router, name: string): Heard<[CustomMessage]> {
  return new Heard((handler) => target.onCustom(name, (message) => handler(message)));
}
