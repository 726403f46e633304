/**
 * What somebody would write by hand on the bare runtime; the same file for Deno and Bun. Prints its port; ends with its
 * standard input.
 *
 *     deno|bun run bench/servers/plain.ts bare|json|guard|broadcast|idle|image1|image10
 * @module
 */

import process from "node:process";

import { isMessageBase } from "../../schema.ts";
import { imageMessage, randomBytes } from "../samples.ts";
import { endWithInput, IDLE_SECONDS } from "./common.ts";

/** The part of a socket both runtimes have. */
interface Sender {
  send(text: string): unknown;
}
interface BunSocketHandlers {
  idleTimeout: number;
  open(socket: Sender): void;
  message(socket: Sender, data: string | Uint8Array): void;
  close(socket: Sender): void;
}
interface BunServer {
  readonly port: number;
  upgrade(request: Request): boolean;
}
declare const Bun: {
  serve(
    options: { port: number; fetch(request: Request, server: BunServer): Response; websocket: BunSocketHandlers },
  ): BunServer;
};

const sockets = new Set<Sender>();

/** Builds the message anew each time, as a bot does with each picture. */
function sendImage(length: number): (socket: Sender) => void {
  let image: Uint8Array | undefined;
  return (socket) => {
    image ??= randomBytes(length);
    socket.send(JSON.stringify(imageMessage(image.toBase64())));
  };
}

const ANSWERS: Readonly<Record<string, (socket: Sender, text: string) => void>> = {
  bare: (socket, text) => void socket.send(text),
  json: (socket, text) => void socket.send(JSON.stringify(JSON.parse(text))),
  guard: (socket, text) => {
    if (isMessageBase(JSON.parse(text))) socket.send(text);
  },
  broadcast: (_socket, text) => {
    const message: unknown = JSON.parse(text);
    if (!isMessageBase(message)) return;
    const encoded = JSON.stringify(message);
    for (const socket of sockets) socket.send(encoded);
  },
  idle: () => {},
  image1: sendImage(1e6),
  image10: sendImage(1e7),
};

const mode = process.argv[2] ?? "";
const answer = ANSWERS[mode];
if (answer === undefined) throw new TypeError(`Expected one of ${Object.keys(ANSWERS).join(", ")}`);

function listenOnDeno(): number {
  const server = Deno.serve({ hostname: "127.0.0.1", port: 0, onListen() {} }, (request) => {
    const { socket, response } = Deno.upgradeWebSocket(request, mode === "idle" ? { idleTimeout: IDLE_SECONDS } : {});
    socket.onopen = () => sockets.add(socket);
    socket.onmessage = ({ data }) => answer?.(socket, data);
    socket.onclose = () => sockets.delete(socket);
    return response;
  });
  return server.addr.port;
}

function listenOnBun(): number {
  const server = Bun.serve({
    port: 0,
    fetch: (request, server) => {
      return server.upgrade(request) ? new Response(null, { status: 101 }) : new Response(null, { status: 426 });
    },
    websocket: {
      idleTimeout: mode === "idle" ? IDLE_SECONDS : 120,
      open: (socket) => void sockets.add(socket),
      message: (socket, data) => answer?.(socket, data as string), // the load generator sends text only
      close: (socket) => void sockets.delete(socket),
    },
  });
  return server.port;
}

// deno-lint-ignore no-console -- this is a program.
console.log(`port ${"Deno" in globalThis ? listenOnDeno() : listenOnBun()}`);
endWithInput();
