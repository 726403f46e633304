/**
 * A program that is mounted, not started: an echo at `/ws` beside routes of its own. Prints where it listens.
 *
 *     deno serve -A --host 127.0.0.1 --port 0 tests/support/peers/serve_fixture.ts
 *     bun tests/support/peers/serve_fixture.ts
 * @module
 */

import { createMessage, createReply, plainText, seg } from "../../../schema.ts";
import { type BunWebSocketHandlers, MessageServer } from "../../../server.ts";

/** Messages that go out at the very end. */
export const LAST_WORDS = 100;

/** Creates a server that answers every text with the caller's address before it. */
export function createEcho(): MessageServer {
  const server = new MessageServer();
  server.on("message", (message, peer) => {
    peer.send(createReply(message, seg.text(`${peer.address} ${plainText(message)}`)));
  });
  return server;
}

/** Sends {@linkcode LAST_WORDS} messages to "qq" and closes at once. */
export async function closeTalking(server: MessageServer): Promise<Response> {
  for (let index = 0; index < LAST_WORDS; index++) {
    server.send(createMessage({ platform: "qq", user: "1" }, seg.text(`${index}`)));
  }
  await server.close();
  return new Response("closed");
}

/** Answers `/health`, and `/close` by {@linkcode closeTalking}; everything else is the server's. */
export function handlerOf(server: MessageServer): (request: Request, info: unknown) => Promise<Response> {
  return async (request, info) => {
    const { pathname } = new URL(request.url);
    if (pathname === "/health") return new Response("fine");
    if (pathname === "/close") return await closeTalking(server);
    return await server.fetch(request, info);
  };
}

/** What `deno serve` and Bun look for in the program they are given; the last three are for Bun alone. */
interface Served {
  readonly fetch: (request: Request, info: unknown) => Promise<Response>;
  readonly websocket: BunWebSocketHandlers;
  readonly hostname: string;
  readonly port: number;
}

const server = createEcho();
const served: Served = { fetch: handlerOf(server), websocket: server.websocket, hostname: "127.0.0.1", port: 0 };
export default served;
