/**
 * One adapter process for several platforms: `Router`, a client for each.
 *
 * ```ts
 * import { createMessage, MessageServer, Router, seg } from "@maim/message";
 *
 * await using server = new MessageServer();
 * const url = server.listen({ port: 0 });
 *
 * await using router = new Router();
 * router.add("qq", url);
 * router.add("telegram", url);
 * await router.connect();
 * router.send(createMessage({ platform: "telegram", user: "10001" }, seg.text("hello")));
 * ```
 *
 * @module
 */

import { type ConnectOptions, MessageClient, type MessageClientEvents, type MessageClientOptions } from "./client.ts";
import { Emitter, type HandlerResult, type ListenOptions, unheard } from "./internal/emitter.ts";
import { MessageConnectionError } from "./internal/errors.ts";
import { describeDrop } from "./internal/outbox.ts";
import { type CustomMessage, isCustomMessage, type WireMessage } from "./schema.ts";

/** Options of {@linkcode Router.add}: those of a client, whose platform is the first argument. */
export type RouteOptions = Omit<MessageClientOptions, "platform">;

/** Events of {@linkcode Router}: those of its clients, with the client they come from. */
export type RouterEvents = {
  [Name in keyof MessageClientEvents]: [...args: MessageClientEvents[Name], client: MessageClient];
};

/** An error may also come from a handler of the router itself. */
type Events = Omit<RouterEvents, "error"> & {
  error: [error: unknown, client?: MessageClient];
  [name: `custom:${string}`]: [message: CustomMessage, client: MessageClient];
};

/**
 * Keeps one {@linkcode MessageClient} for each platform and sends every message through the one it belongs to.
 *
 * @example Handlers serve every platform, present and to come
 * ```ts
 * import { Router } from "@maim/message";
 *
 * await using router = new Router();
 * router.on("message", (message, client) => console.log(client.platform, message.raw_message));
 * router.add("qq", "ws://127.0.0.1:8000/ws", { token: "secret" });
 * console.log([...router.clients.keys()]); // [ "qq" ]
 * ```
 */
export class Router {
  readonly #clients = new Map<string, MessageClient>();
  readonly #emitter = new Emitter<Events>();
  #state: "idle" | "running" | "closed" = "idle";

  /** The clients by platform. */
  get clients(): ReadonlyMap<string, MessageClient> {
    return this.#clients;
  }

  /**
   * Adds a handler for every client, present and to come.
   *
   * @param event Name of the event.
   * @param handler Called with what the event tells, and the client.
   * @param options A signal that removes it.
   * @returns Removes the handler.
   */
  on<Name extends keyof RouterEvents>(
    event: Name,
    handler: (...args: RouterEvents[Name]) => HandlerResult,
    options?: ListenOptions,
  ): () => void {
    return this.#emitter.on(event, handler as (...args: Events[Name]) => HandlerResult, options);
  }

  /**
   * Adds a handler for custom messages of one name from every client.
   *
   * @param name The `message_type_name`.
   * @param handler Called with the whole envelope, and the client.
   * @param options A signal that removes it.
   * @returns Removes the handler.
   */
  onCustom(
    name: string,
    handler: (message: CustomMessage, client: MessageClient) => HandlerResult,
    options?: ListenOptions,
  ): () => void {
    return this.#emitter.on(`custom:${name}`, handler, options);
  }

  /**
   * Adds a platform. Once {@linkcode Router.connect} was called it is dialled at once and until it answers.
   *
   * @param platform The name to route by.
   * @param url Address of its server.
   * @param options As for a client.
   * @returns The new client.
   * @throws {TypeError} If the platform is there already, or an option is of the wrong kind.
   */
  add(
    platform: string,
    url: ConstructorParameters<typeof MessageClient>[0],
    options: RouteOptions = {},
  ): MessageClient {
    if (this.#state === "closed") {
      throw new MessageConnectionError(
        "closed",
        "Cannot add platform as the router must not be closed: create a new one",
      );
    }
    if (this.#clients.has(platform)) {
      throw new TypeError(`Cannot add platform as "${platform}" must be new: remove it first`);
    }
    const client = new MessageClient(url, { ...options, platform });
    this.#clients.set(platform, client);
    this.#listen(client);
    // Its failures are `status` events of the client; only a fatal one rejects.
    if (this.#state === "running") client.connect({ retry: true }).catch(() => {});
    return client;
  }

  /**
   * Closes a platform's client and forgets it; an unknown platform is none to forget.
   *
   * @param platform The name it was added by.
   * @returns Resolves when its connection is gone.
   */
  async remove(platform: string): Promise<void> {
    const client = this.#clients.get(platform);
    this.#clients.delete(platform);
    await client?.close();
  }

  /**
   * Connects every platform, all at once: a dead server delays nobody.
   *
   * @param options As for a client.
   * @throws {AggregateError} If some failed; the others stay connected. Each error is a `MessageConnectionError`.
   */
  async connect(options: ConnectOptions = {}): Promise<void> {
    if (this.#state === "closed") {
      throw new MessageConnectionError("closed", "Cannot connect as the router must not be closed: create a new one");
    }
    this.#state = "running";
    const results = await Promise.allSettled([...this.#clients.values()].map((client) => client.connect(options)));
    const failed = results.filter((result) => result.status === "rejected").map((result) => result.reason);
    if (failed.length > 0) {
      throw new AggregateError(failed, `Cannot connect ${failed.length} of ${results.length} platforms: see errors`);
    }
  }

  /**
   * Sends one message through the client of its platform.
   *
   * @param message The message; `message_info.platform`, or a custom message's `platform`, picks the client.
   * @throws {MessageConnectionError} `no_route` If the platform was not added; else as `MessageClient.send`.
   */
  send(message: WireMessage): void {
    const platform = isCustomMessage(message) ? message.platform ?? "" : message.message_info.platform;
    this.#client(platform).send(message);
  }

  /**
   * Sends a custom message through the client of a platform.
   *
   * @param platform The platform it was added by.
   * @param name The `message_type_name` that picks the handler on the other side.
   * @param content Any JSON.
   * @throws {MessageConnectionError} `no_route` If the platform was not added; else as `MessageClient.send`.
   */
  sendCustom(platform: string, name: string, content: unknown): void {
    this.#client(platform).sendCustom(name, content);
  }

  /**
   * Closes every client and stays closed.
   *
   * @returns Resolves when all connections are gone.
   */
  async close(): Promise<void> {
    this.#state = "closed";
    await Promise.all([...this.#clients.values()].map((client) => client.close()));
  }

  /** Calls {@linkcode Router.close}. */
  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  #client(platform: string): MessageClient {
    const client = this.#clients.get(platform);
    if (client !== undefined) return client;
    const added = [...this.#clients.keys()].slice(0, 10).map((name) => `"${name}"`).join(", ") || "none";
    throw new MessageConnectionError(
      "no_route",
      `Cannot send message as platform "${platform}" must be added first: added is ${added}`,
    );
  }

  #listen(client: MessageClient): void {
    client.on("message", (message) => void this.#emitter.emit("message", message, client));
    client.on("custom", (message) => {
      this.#emitter.emit("custom", message, client);
      this.#emitter.emit(`custom:${message.message_type_name}`, message, client);
    });
    client.on("status", (status) => void this.#emitter.emit("status", status, client));
    client.on("invalid", (error) => void this.#emitter.emit("invalid", error, client));
    client.on("drop", (drop) => {
      if (!this.#emitter.emit("drop", drop, client)) unheard("drop", describeDrop(drop));
    });
    client.on("error", (error) => this.#emitter.fail(error, client));
  }
}
