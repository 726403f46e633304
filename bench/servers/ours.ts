/**
 * `MessageServer`, answering in one of the ways that are measured. Prints its port.
 *
 *     deno|bun run bench/servers/ours.ts echo|forward|broadcast|idle
 * @module
 */

import process from "node:process";

import { MessageServer } from "../../server.ts";

const mode = process.argv[2];
const server = new MessageServer();
if (mode === "echo") server.on("message", (message, peer) => peer.send(message));
if (mode === "forward") server.on("message", (message, peer) => server.forward(peer.platform, message));
if (mode === "broadcast") server.on("message", (message) => void server.broadcast(message));
// deno-lint-ignore no-console -- this is a program.
console.log(`port ${new URL(server.listen({ port: 0 })).port}`);
