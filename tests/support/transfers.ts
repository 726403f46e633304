/**
 * Two ends between which large messages and streams travel: two of ours, or one of ours and one by hand.
 * @module
 */

import { assert, assertEquals } from "@std/assert";
import { it } from "@std/testing/bdd";

import {
  type MessageBase,
  MessageClient,
  type MessageClientOptions,
  MessageConnectionError,
  type MessageDecodeError,
  type MessageEnvelope,
  MessageServer,
  type MessageServerOptions,
  type Peer,
  type SegmentReader,
  type SendStreamOptions,
  type StreamMessage,
} from "../../mod.ts";
import { noise } from "./messages.ts";
import { ChunkPeer } from "./peers/chunk_peer.ts";
import { soon } from "./peers/inbox.ts";
import { Heard, heard } from "./peers/listen.ts";
import { Proxy } from "./peers/proxy.ts";
import { RawServer } from "./peers/raw.ts";
import { base64Of, messageOf, readSegments } from "./streams.ts";

const WAYS = ["client to server", "server to client"] as const;
/** Who sends to whom. */
export type Way = typeof WAYS[number];
/** Options that client and server have in common. */
export type Options = Pick<MessageClientOptions & MessageServerOptions, "chunks" | "decode" | "closeTimeout">;

/** The receiving end, whichever it is. */
export interface Receiver {
  messages(): Heard<[MessageBase]>;
  streams(): Heard<[MessageEnvelope, SegmentReader]>;
  stats(): { received: number; invalid: number };
}

/** A client and a server of ours, connected. */
export interface Pair extends AsyncDisposable {
  readonly client: MessageClient;
  readonly server: MessageServer;
  readonly peer: Peer;
  readonly receiver: Receiver;
  readonly proxy: Proxy;
  /** Streams a message to the receiver. */
  stream(message: StreamMessage, options?: SendStreamOptions): Promise<void>;
  /** Sends a message to the receiver. */
  send(message: MessageBase): void;
  /** Sends one message to the receiver, and one back: all that was under way before has passed. */
  roundTrip(): Promise<void>;
}

/** A server and a client with a proxy between them, as sender and receiver. */
export async function pairOf(
  way: Way,
  { sender = {}, receiver = {} }: { sender?: Options; receiver?: Options } = {},
): Promise<Pair> {
  const isUp = way === "client to server";
  const server = new MessageServer({ closeTimeout: 1000, ...(isUp ? receiver : sender) });
  const opened = heard(server, "open");
  const proxy = await Proxy.listen(server.listen({ port: 0 }));
  const client = new MessageClient(proxy.url, {
    ...{ platform: "qq", reconnect: false, closeTimeout: 1000 },
    ...(isUp ? sender : receiver),
  });
  client.on("drop", () => {});
  await client.connect();
  const [peer] = await opened.next();
  const pongs = new Heard<[]>((handler) => client.onCustom("pong", () => handler()));
  const pings = new Heard<[]>((handler) => server.onCustom("ping", () => handler()));
  return {
    ...{ client, server, peer, proxy },
    receiver: {
      messages: () =>
        new Heard((handler) =>
          isUp
            ? server.on("message", (message) => handler(message))
            : client.on("message", (message) => handler(message))
        ),
      streams: () =>
        new Heard((handler) =>
          isUp
            ? server.on("stream", (envelope, segments) => handler(envelope, segments))
            : client.on("stream", (envelope, segments) => handler(envelope, segments))
        ),
      stats: () => isUp ? server.stats() : client.stats,
    },
    stream: (message, options) => watched((isUp ? client : peer).sendStream(message, options)),
    send: (message) => isUp ? client.send(message) : peer.send(message),
    async roundTrip() {
      client.sendCustom("ping", null);
      await pings.next();
      peer.sendCustom("pong", null);
      await pongs.next();
    },
    async [Symbol.asyncDispose]() {
      await client.close();
      await server.close();
      await proxy[Symbol.asyncDispose]();
    },
  };
}

/** A promise that may fail before anybody waits for it. */
function watched<T>(promise: Promise<T>): Promise<T> {
  promise.catch(() => {}); // whoever waits hears of it
  return promise;
}

/** Declares a test that runs once for each way. */
export function both(name: string, test: (way: Way) => Promise<void>): void {
  for (const way of WAYS) it(`${name}, ${way}`, () => test(way));
}

/** The error a promise ends with, from now on; fails when there is none. */
export function errorOf(promise: Promise<unknown>): Promise<unknown> {
  return watched(promise.then(() => Promise.reject(new Error("Did not fail")), (error: unknown) => error));
}

/** The code of the connection error that {@linkcode errorOf} gives. */
export async function codeOf(error: Promise<unknown>): Promise<string> {
  const found = await soon(error);
  assert(found instanceof MessageConnectionError, `no connection error: ${found}`);
  return found.code;
}

/** Checks that a message of several frames still comes through. */
export async function passes(pair: Pair): Promise<void> {
  const streams = pair.receiver.streams();
  const sent = pair.stream(messageOf({ type: "image", data: noise(200_000, 9) }));
  const [, segments] = await streams.next();
  const read = await soon(readSegments(segments));
  assertEquals<unknown>(read, [{ type: "image", data: base64Of(noise(200_000, 9)) }]);
  await soon(sent);
  assertEquals(pair.receiver.stats().invalid, 0);
}

/** An end of ours, and one that speaks `maim_chunk` by hand. */
export interface ByHand extends AsyncDisposable {
  readonly chunks: ChunkPeer;
  stream(message: StreamMessage, options?: SendStreamOptions): Promise<void>;
  send(message: MessageBase): void;
  readonly invalid: Heard<[MessageDecodeError]>;
  readonly client: MessageClient | null;
  readonly server: MessageServer | null;
}

/** A sender of ours and a receiver by hand. */
export async function byHand(
  way: Way,
  options: Options & Pick<MessageServerOptions, "limits"> = {},
  features: readonly string[] | null = ["chunks", "ping"],
): Promise<ByHand> {
  if (way === "server to client") {
    const server = new MessageServer({ closeTimeout: 50, ...options });
    const opened = heard(server, "open");
    const chunks = await ChunkPeer.connect(server.listen({ port: 0 }), `1; ${features?.join(", ") ?? ""}`);
    const [peer] = await opened.next();
    return {
      ...{ chunks, server, client: null },
      invalid: new Heard((handler) => server.on("invalid", (error) => handler(error))),
      stream: (message, options) => watched(peer.sendStream(message, options)),
      send: (message) => peer.send(message),
      [Symbol.asyncDispose]: async () => {
        await chunks[Symbol.asyncDispose]();
        await server.close();
      },
    };
  }
  const { limits: _limits, ...rest } = options;
  const raw = await RawServer.listen();
  const client = new MessageClient(raw.url, { platform: "qq", reconnect: false, closeTimeout: 50, ...rest });
  client.on("drop", () => {});
  const connected = client.connect();
  const chunks = await ChunkPeer.accept(raw, features);
  await connected;
  return {
    ...{ chunks, client, server: null },
    invalid: new Heard((handler) => client.on("invalid", (error) => handler(error))),
    stream: (message, options) => watched(client.sendStream(message, options)),
    send: (message) => client.send(message),
    [Symbol.asyncDispose]: async () => {
      await client.close();
      await raw[Symbol.asyncDispose]();
    },
  };
}
