/**
 * A `MessageServer` seen from a raw client.
 * @module
 */

import { MessageServer, type ServerStats } from "../../server.ts";
import { textOf, wireText } from "./messages.ts";
import type { Header } from "./peers/handshake.ts";
import type { WaitOptions } from "./peers/inbox.ts";
import { RawPeer } from "./peers/raw.ts";

/** Reason of the close frame (1000) of a server that closes. */
export const CLOSING = "服务器关闭";
/** Reason of the close frame (1000) of a platform that connected again. */
export const REPLACED = "新的连接已建立";
/** Reason of the close frame (1008) for a wrong token. */
export const DENIED = "Invalid or missing token";

/** One line with its end. */
export const ONE_LINE: RegExp = /^[^\n]+\n$/;

/** The handshake headers of a platform. */
export function headers(platform: string, token?: string): Header[] {
  return [["platform", platform], ...(token === undefined ? [] : [["Authorization", token] as const])];
}

/** Connects a raw client under a name. */
export async function dial(url: string, platform: string, token?: string): Promise<RawPeer> {
  return await RawPeer.connect(url, { headers: headers(platform, token) });
}

/** The text of the message a raw client gets next. */
export async function nextText(peer: RawPeer): Promise<string> {
  return textOf(await peer.message());
}

/** Code and reason of the close frame a raw client gets; answers it. */
export async function closeOf(peer: RawPeer, { timeoutMs = 5000 }: WaitOptions = {}): Promise<[number, string]> {
  const frame = await peer.frame({ opcode: 8, timeoutMs });
  if (frame === null) throw new Error("Ended without a close frame");
  peer.close(frame.code ?? undefined, frame.reason);
  return [frame.code ?? 0, frame.reason];
}

/** Asks for a path without a WebSocket. */
export async function get(url: string, path: string): Promise<{ status: number; body: string; response: Response }> {
  const response = await fetch(new URL(path, url.replace(/^ws/, "http")));
  return { status: response.status, body: await response.text(), response };
}

/** Figures of a server of which nothing else is to be told; a connection is counted for each peer. */
export function statsOf(figures: Partial<ServerStats>): ServerStats {
  const { peers = 0, unauthorized = 0 } = figures;
  const gauges = { turnedOut: 0, authorizing: 0, queuedBytes: 0, transferBytes: 0 };
  const others = { ...gauges, refused: unauthorized, unauthorized, dropped: 0, limited: 0 };
  return { peers, connections: peers, received: 0, sent: 0, invalid: 0, foreign: 0, ...others, ...figures };
}

/** A server with one raw client, ready for messages. */
export async function withPeer(run: (server: MessageServer, peer: RawPeer) => Promise<void>): Promise<void> {
  await using server = new MessageServer();
  await using peer = await dial(server.listen({ port: 0 }), "qq");
  await run(server, peer);
}

/** Has a server send back what it gets, and gives what came back to a raw client. */
export async function echoes(server: MessageServer, url: string): Promise<string> {
  server.on("message", (message, peer) => peer.send(message));
  await using peer = await dial(url, "qq");
  peer.text(wireText("there and back"));
  return await nextText(peer);
}
