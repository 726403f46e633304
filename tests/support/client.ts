/**
 * A `MessageClient` that dials a raw server.
 * @module
 */

import { assert } from "@std/assert";

import { type ClientStatus, MessageClient, type MessageClientOptions, MessageConnectionError } from "../../mod.ts";
import { HI } from "./messages.ts";
import { type RawPeer, RawServer } from "./peers/raw.ts";

/** Options of a client that dials again at once. */
export const FAST = { minDelay: 5, maxDelay: 20 } as const;

/** A raw server, and a client that has dialled it. */
export interface Dialled extends AsyncDisposable {
  readonly client: MessageClient;
  readonly server: RawServer;
  /** The first connection. */
  readonly peer: RawPeer;
  /** What `connect()` ends with: undefined, or the error. */
  readonly connected: Promise<unknown>;
}

/** A raw server, and a client whose handshake it has read and not answered. */
export async function dialling(
  options: Partial<MessageClientOptions> = {},
  connect: { retry?: boolean } = {},
): Promise<Dialled> {
  const server = await RawServer.listen();
  const client = new MessageClient(server.url, { platform: "qq", reconnect: FAST, closeTimeout: 200, ...options });
  const connected = client.connect(connect).catch((error: unknown) => error);
  const peer = await server.next();
  const dispose = async () => {
    // In this order no close frame is waited for that a raw peer never answers.
    await server[Symbol.asyncDispose]();
    await client.close();
  };
  return { client, server, connected, peer, [Symbol.asyncDispose]: dispose };
}

/** A raw server, and a client that has been upgraded by it. */
export async function upgraded(
  options: Partial<MessageClientOptions> = {},
  connect: { retry?: boolean } = {},
): Promise<Dialled> {
  const dialled = await dialling(options, connect);
  dialled.peer.accept();
  return dialled;
}

/** A raw server, and a client that has been upgraded by it and has heard a first message. */
export async function usable(options: Partial<MessageClientOptions> = {}): Promise<Dialled> {
  const dialled = await upgraded(options);
  dialled.peer.text(HI);
  await dialled.connected;
  return dialled;
}

/** Accepts the next dial and makes it usable. */
export async function again(server: RawServer): Promise<RawPeer> {
  const peer = await server.next();
  peer.accept();
  peer.text(HI);
  return peer;
}

/** The connection error that `connected` ended with. */
export function connectionError(error: unknown): MessageConnectionError {
  assert(error instanceof MessageConnectionError, String(error));
  return error;
}

/** The reason of the next status of a kind. */
export async function reasonOf(
  status: { next(isMatch: (status: ClientStatus) => boolean): Promise<[ClientStatus]> },
  state: "waiting" | "closed" | "idle",
): Promise<MessageConnectionError> {
  const [found] = await status.next((each) => each.state === state);
  return connectionError("reason" in found ? found.reason : undefined);
}
