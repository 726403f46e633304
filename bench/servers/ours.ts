/**
 * `MessageServer`, answering in one of the ways that are measured. Prints its port; ends with its standard input.
 *
 *     deno|bun run bench/servers/ours.ts echo|forward|broadcast|idle
 * @module
 */

import process from "node:process";

import { MessageServer } from "../../server.ts";
import { imageMessage, randomBytes } from "../samples.ts";
import { endWithInput, IDLE_SECONDS } from "./common.ts";

const mode = process.argv[2];
// Idle connections come from several load generators, which give the same names.
const idle = { idleTimeout: IDLE_SECONDS * 1000, duplicates: "share" } as const;
// A client that is to stall is not to be ended for it.
const stalling = { idleTimeout: Infinity } as const;
const server = new MessageServer(mode === "idle" ? idle : mode === "broadcast" ? stalling : {});
if (mode === "echo") server.on("message", (message, peer) => peer.send(message));
if (mode === "forward") server.on("message", (message, peer) => server.forward(peer.platform, message));
const megabytes = /^image(\d+)$/.exec(mode ?? "")?.[1];
if (megabytes !== undefined) {
  const image = randomBytes(Number(megabytes) * 1e6);
  server.on("message", (_message, peer) => peer.send(imageMessage(image)));
}
if (mode === "broadcast") {
  server.on("message", (message) => {
    server.broadcast(message);
    // deno-lint-ignore no-console -- this is a program.
    if (message.raw_message === "how much?") console.log(`queued ${server.stats().queuedBytes}`);
  });
}
// deno-lint-ignore no-console -- this is a program.
console.log(`port ${new URL(server.listen({ port: 0 })).port}`);
endWithInput();
