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

import { encodeMessage } from "../codec/encode.ts";
import { platformOf } from "../schema/guards.ts";
import type { CustomMessage, WireMessage } from "../schema/types.ts";
import { describeDrop } from "../session/drops.ts";
import { MessageConnectionError } from "../util/connection_error.ts";
import { Emitter, type HandlerResult, type ListenOptions, unheard } from "../util/emitter.ts";
import { type ConnectOptions, MessageClient, type MessageClientEvents } from "./client.ts";
import type { MessageClientOptions } from "./options.ts";
import { checkUrl } from "./settings.ts";
import { UnheardWarnings } from "./validation.ts";

/** Options of {@linkcode Router.add}: those of a client, whose platform is the first argument. */
export type RouteOptions = Omit<MessageClientOptions, "platform">;

/** What {@linkcode Router.update} wants for one platform. */
export type RouteConfig = RouteOptions & {
  /** Address of its server, as in {@linkcode Router.add}. */
  url: ConstructorParameters<typeof MessageClient>[0];
};

/** Events of {@linkcode Router}: those of its clients, with the client they come from. */
export type RouterEvents = {
  [Name in keyof MessageClientEvents]: [...args: MessageClientEvents[Name], client: MessageClient];
};

/** An error may also come from a handler of the router itself. */
type Events = Omit<RouterEvents, "error"> & {
  error: [error: unknown, client?: MessageClient];
  [name: `custom:${string}`]: [message: CustomMessage, client: MessageClient];
};

/** A platform's client, and what it was made from. */
interface Route {
  readonly platform: string;
  readonly client: MessageClient;
  readonly config: RouteConfig;
}

/** Compares options as they were given: functions are the same or not, all else is compared by what it holds. */
function isSame(a: unknown, b: unknown): boolean {
  if (a === b) return true;
  if (typeof a !== "object" || typeof b !== "object" || a === null || b === null) return false;
  if (a instanceof URL || b instanceof URL) return String(a) === String(b);
  const keys = new Set([...Object.keys(a), ...Object.keys(b)]);
  return [...keys].every((key) => isSame((a as Record<string, unknown>)[key], (b as Record<string, unknown>)[key]));
}

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
  readonly #routes = new Map<string, Route>();
  readonly #emitter = new Emitter<Events>();
  readonly #unheardWarnings = new UnheardWarnings();
  #state: "idle" | "running" | "closed" = "idle";
  /** Whether somebody has asked for streams: a client that hears them collects no more. */
  #hearsStreams = false;

  /** The clients by platform. */
  get clients(): ReadonlyMap<string, MessageClient> {
    return new Map([...this.#routes].map(([platform, { client }]) => [platform, client]));
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
    if (event === "stream" && !this.#hearsStreams) {
      this.#hearsStreams = true;
      for (const { client } of this.#routes.values()) this.#hearStreams(client);
    }
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
    this.#refuseClosed();
    if (this.#routes.has(platform)) {
      throw new TypeError(`Cannot add platform as "${platform}" must be new: remove it first`);
    }
    return this.#install(this.#create(platform, { ...options, url }));
  }

  /**
   * Closes a platform's client and forgets it; an unknown platform is none to forget.
   *
   * @param platform The name it was added by.
   * @returns Resolves when its connection is gone.
   */
  async remove(platform: string): Promise<void> {
    const route = this.#routes.get(platform);
    this.#routes.delete(platform);
    await route?.client.close();
  }

  /**
   * Makes the platforms what a configuration says: adds, removes, and reconnects only those that changed.
   *
   * The reference calls this `update_config`. A platform whose configuration is the same is not touched.
   *
   * @param config What is wanted, by platform.
   * @returns Resolves when the connections that are no longer wanted are gone. New ones do not delay it.
   * @throws {TypeError} If an option is of the wrong kind; then nothing has changed.
   *
   * @example Another token for one platform
   * ```ts
   * import { Router } from "@maim/message";
   *
   * await using router = new Router();
   * await router.update({ qq: { url: "ws://127.0.0.1:8000/ws" }, telegram: { url: "ws://127.0.0.1:8000/ws" } });
   * const telegram = router.clients.get("telegram");
   * await router.update({
   *   qq: { url: "ws://127.0.0.1:8000/ws", token: "new" },
   *   telegram: { url: "ws://127.0.0.1:8000/ws" },
   * });
   * console.log(router.clients.get("telegram") === telegram); // true
   * ```
   */
  async update(config: Readonly<Record<string, RouteConfig>>): Promise<void> {
    this.#refuseClosed();
    const isKept = ([platform, route]: [string, Route]) => {
      return Object.hasOwn(config, platform) && isSame(config[platform], route.config);
    };
    const leaving = new Map([...this.#routes].filter((entry) => !isKept(entry)));
    // Created, and so checked, before anything is touched.
    const created = Object.entries(config)
      .filter(([platform]) => leaving.has(platform) || !this.#routes.has(platform))
      .map(([platform, wanted]) => this.#create(platform, wanted, leaving.get(platform)?.client));
    const closed = [...leaving.keys()].map((platform) => this.remove(platform));
    for (const route of created) this.#install(route);
    await Promise.all(closed);
  }

  /**
   * Connects every platform, all at once: a dead server delays nobody.
   *
   * @param options As for a client.
   * @throws {AggregateError} If some failed; the others stay connected. Each error is a `MessageConnectionError`.
   */
  async connect(options: ConnectOptions = {}): Promise<void> {
    this.#refuseClosed();
    this.#state = "running";
    const results = await Promise.allSettled([...this.#routes.values()].map(({ client }) => client.connect(options)));
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
   * @throws {MessageEncodeError} If the message can not be written.
   */
  send(message: WireMessage): void {
    const platform = platformOf(message);
    if (platform === "") encodeMessage(message); // says what is wrong with it, if that is not all
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
    await Promise.all([...this.#routes.values()].map(({ client }) => client.close()));
  }

  /** Calls {@linkcode Router.close}. */
  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  #refuseClosed(): void {
    if (this.#state !== "closed") return;
    throw new MessageConnectionError("closed", "Cannot use router as it must not be closed: create a new one");
  }

  /** Makes a client that dials only once the one before it has gone: a server lets the newest win. */
  #create(platform: string, config: RouteConfig, before?: MessageClient): Route {
    const { url, ...options } = config;
    const dialled = before === undefined ? url : async () => {
      await before.close();
      return typeof url === "function" ? await url() : String(url);
    };
    if (before !== undefined && typeof url !== "function") checkUrl(String(url));
    return { platform, client: new MessageClient(dialled, { ...options, platform }), config };
  }

  #install(route: Route): MessageClient {
    const { platform, client } = route;
    this.#routes.set(platform, route);
    this.#listen(client);
    // Its failures are `status` events of the client; only a fatal one rejects.
    if (this.#state === "running") client.connect({ retry: true }).catch(() => {});
    return client;
  }

  #client(platform: string): MessageClient {
    const route = this.#routes.get(platform);
    if (route !== undefined) return route.client;
    const added = [...this.#routes.keys()].slice(0, 10).map((name) => `"${name}"`).join(", ") || "none";
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
    client.on("warning", (message, issues) => {
      if (this.#emitter.emit("warning", message, issues, client) === "unheard") this.#unheardWarnings.tell(issues);
    });
    client.on("invalid", (error) => void this.#emitter.emit("invalid", error, client));
    client.on("drop", (drop) => {
      if (this.#emitter.emit("drop", drop, client) === "unheard") unheard("drop", describeDrop(drop));
    });
    client.on("error", (error) => this.#emitter.fail(error, client));
    if (this.#hearsStreams) this.#hearStreams(client);
  }

  #hearStreams(client: MessageClient): void {
    client.on("stream", (envelope, segments) => {
      if (this.#emitter.emit("stream", envelope, segments, client) === "unheard") void segments.return(); // never rejects
    });
  }
}
