/**
 * `Router`: one adapter process for several platforms, with one client for each platform.
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
import { UnheardDrops } from "../session/drops.ts";
import { Rounds } from "../session/rounds.ts";
import { MessageConnectionError } from "../util/connection_error.ts";
import { oneLine } from "../util/display.ts";
import { Emitter, type HandlerResult, type ListenOptions } from "../util/emitter.ts";
import { type ConnectOptions, MessageClient, type MessageClientEvents } from "./client.ts";
import type { MessageClientOptions } from "./options.ts";
import { checkUrl } from "./settings.ts";
import { UnheardWarnings } from "./check_before_sending.ts";

/**
 * Options of {@linkcode Router.add}: the options of a client, except `platform`, which is the first argument of `add`.
 */
export type RouteOptions = Omit<MessageClientOptions, "platform">;

/** Configuration of one platform for {@linkcode Router.update}. */
export type RouteConfig = RouteOptions & {
  /** Address of the server, as in {@linkcode Router.add}. */
  url: ConstructorParameters<typeof MessageClient>[0];
};

/**
 * Events of {@linkcode Router}: the events of its clients. Each handler gets the client as an additional last argument.
 */
export type RouterEvents = {
  [Name in keyof MessageClientEvents]: [...args: MessageClientEvents[Name], client: MessageClient];
};

/**
 * The public events, and one event for each name of a custom message. If a handler of the router itself has failed, the
 * `error` event has no client.
 */
type Events = Omit<RouterEvents, "error"> & {
  error: [error: unknown, client?: MessageClient];
  [name: `custom:${string}`]: [message: CustomMessage, client: MessageClient];
};

/** The client of a platform, and the configuration from which it was created. */
interface Route {
  readonly platform: string;
  readonly client: MessageClient;
  readonly config: RouteConfig;
}

/** Compares two configurations by their members; two functions are equal only if they are the same object. */
function isSame(a: unknown, b: unknown): boolean {
  if (a === b) return true;
  if (typeof a !== "object" || typeof b !== "object" || a === null || b === null) return false;
  if (a instanceof URL || b instanceof URL) return String(a) === String(b);
  const keys = new Set([...Object.keys(a), ...Object.keys(b)]);
  return [...keys].every((key) => isSame((a as Record<string, unknown>)[key], (b as Record<string, unknown>)[key]));
}

/**
 * A set of clients, with one {@linkcode MessageClient} for each platform. A message is sent through the client of its
 * platform.
 *
 * @example Handlers also serve platforms that are added later
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
  readonly #unheardDrops = new UnheardDrops(new Rounds());
  #state: "idle" | "running" | "closed" = "idle";
  /** True after the first handler for `stream` was added. Until then, the clients collect streams in memory. */
  #hearsStreams = false;

  /** The clients by platform. */
  get clients(): ReadonlyMap<string, MessageClient> {
    return new Map([...this.#routes].map(([platform, { client }]) => [platform, client]));
  }

  /**
   * Adds a handler for all clients, including clients that are added later.
   *
   * @param event Name of the event.
   * @param handler Function that is called with the arguments of the event, and then the client.
   * @param options A signal that removes the handler.
   * @returns A function that removes the handler.
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
   * Adds a handler for custom messages of one name, for all clients.
   *
   * @param name The `message_type_name`.
   * @param handler Function that is called with the whole message, not only with its `content`, and then the client.
   * @param options A signal that removes the handler.
   * @returns A function that removes the handler.
   */
  onCustom(
    name: string,
    handler: (message: CustomMessage, client: MessageClient) => HandlerResult,
    options?: ListenOptions,
  ): () => void {
    return this.#emitter.on(`custom:${name}`, handler, options);
  }

  /**
   * Adds a platform. If {@linkcode Router.connect} was called before, the new client connects at once, and retries
   * after a failure.
   *
   * @param platform Name of the platform. Messages are routed by this name.
   * @param url Address of the server, `ws://` or `wss://`; or a function that returns the address and is called for
   * each dial.
   * @param options The options of the new client.
   * @returns The new client.
   * @throws {MessageConnectionError} `closed` If the router is closed.
   * @throws {TypeError} If the platform was added already, or an option has the wrong type.
   * @throws {RangeError} If an option is out of range.
   */
  add(
    platform: string,
    url: ConstructorParameters<typeof MessageClient>[0],
    options: RouteOptions = {},
  ): MessageClient {
    this.#refuseClosed();
    if (this.#routes.has(platform)) {
      throw new TypeError(`Platform "${platform}" was added already; remove it first, or use update()`);
    }
    return this.#install(this.#create(platform, { ...options, url }));
  }

  /**
   * Closes the client of a platform and removes it. Does nothing if the platform was not added.
   *
   * @param platform The name under which it was added.
   * @returns Resolves when its connection has ended.
   */
  async remove(platform: string): Promise<void> {
    const route = this.#routes.get(platform);
    this.#routes.delete(platform);
    await route?.client.close();
  }

  /**
   * Applies a configuration: adds platforms that are new in it, removes platforms that are missing in it, and
   * reconnects platforms whose configuration has changed. A platform with the same configuration keeps its connection.
   *
   * In the reference library, the name of this method is `update_config`.
   *
   * @param config The configuration of all platforms.
   * @returns Resolves when the old connections have ended. Does not wait for the new connections.
   * @throws {MessageConnectionError} `closed` If the router is closed.
   * @throws {TypeError} If an option has the wrong type. In this case nothing was changed.
   * @throws {RangeError} If an option is out of range. In this case nothing was changed.
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
    // All clients are created, and their options checked, before anything changes.
    const created = Object.entries(config)
      .filter(([platform]) => leaving.has(platform) || !this.#routes.has(platform))
      .map(([platform, wanted]) => this.#create(platform, wanted, leaving.get(platform)?.client));
    const closed = [...leaving.keys()].map((platform) => this.remove(platform));
    for (const route of created) this.#install(route);
    await Promise.all(closed);
  }

  /**
   * Connects all platforms at the same time. A server that does not answer delays only its own platform.
   *
   * @param options The same options as for {@linkcode MessageClient.connect}.
   * @returns Resolves when all platforms are connected.
   * @throws {MessageConnectionError} `closed` If the router is closed.
   * @throws {AggregateError} If some platforms could not connect; the others stay connected. `errors` holds the
   * `MessageConnectionError` of each failed platform.
   */
  async connect(options: ConnectOptions = {}): Promise<void> {
    this.#refuseClosed();
    this.#state = "running";
    const results = await Promise.allSettled([...this.#routes.values()].map(({ client }) => client.connect(options)));
    const failed = results.filter((result) => result.status === "rejected").map((result) => result.reason);
    if (failed.length > 0) {
      throw new AggregateError(
        failed,
        `${failed.length} of ${results.length} platforms could not connect; see 'errors' of this error`,
      );
    }
  }

  /**
   * Sends one message through the client of its platform.
   *
   * @param message The message. Its `message_info.platform` selects the client; if it is a custom message, its
   * `platform` does.
   * @throws {MessageConnectionError} `no_route` If the platform was not added; otherwise the same errors as
   * `MessageClient.send`.
   * @throws {MessageEncodeError} If the message cannot be encoded.
   */
  send(message: WireMessage): void {
    const platform = platformOf(message);
    if (platform === "") encodeMessage(message); // if more than the platform is wrong, this error says so
    this.#client(platform).send(message);
  }

  /**
   * Sends a custom message through the client of a platform.
   *
   * @param platform The platform.
   * @param name The `message_type_name`, which selects the handler on the other side.
   * @param content Any JSON value.
   * @throws {MessageConnectionError} `no_route` If the platform was not added; otherwise the same errors as
   * `MessageClient.send`.
   */
  sendCustom(platform: string, name: string, content: unknown): void {
    this.#client(platform).sendCustom(name, content);
  }

  /**
   * Closes all clients. The router cannot be used any more.
   *
   * @returns Resolves when all connections have ended.
   */
  async close(): Promise<void> {
    this.#state = "closed";
    await Promise.all([...this.#routes.values()].map(({ client }) => client.close()));
    this.#unheardDrops.printNow();
  }

  /** Calls {@linkcode Router.close}. */
  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  #refuseClosed(): void {
    if (this.#state !== "closed") return;
    throw new MessageConnectionError("closed", "Router is closed; create a new one");
  }

  /**
   * Creates a client. If it replaces the client `before`, it connects only after `before` is closed, because servers
   * keep only the newest connection of a platform.
   */
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
    // The rejection can be ignored: each failure is also a `status` event of the client.
    if (this.#state === "running") client.connect({ retry: true }).catch(() => {});
    return client;
  }

  #client(platform: string): MessageClient {
    const route = this.#routes.get(platform);
    if (route !== undefined) return route.client;
    const added = [...this.#routes.keys()].slice(0, 10).map((name) => `"${name}"`).join(", ") || "none";
    throw new MessageConnectionError(
      "no_route",
      `Platform "${oneLine(platform)}" was not added; added platforms: ${added}`,
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
      if (this.#emitter.emit("warning", message, issues, client) === "unheard") this.#unheardWarnings.print(issues);
    });
    client.on("invalid", (error) => void this.#emitter.emit("invalid", error, client));
    client.on("drop", (drop) => {
      if (this.#emitter.emit("drop", drop, client) === "unheard") this.#unheardDrops.add(drop);
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
