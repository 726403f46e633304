/**
 * A `MessageClient` that sends one image, waits for it to come back, and again. Prints `rate MB_PER_SECOND`. Gives up
 * 30 s after it should be done.
 *
 *     deno|bun run bench/servers/image_client.ts [compressed] URL BYTES WARM_MS RUN_MS
 * @module
 */

import process from "node:process";

import { MessageClient } from "../../client.ts";
import type { MessageBase } from "../../schema.ts";
import { imageText } from "../samples.ts";

const isCompressed = process.argv[2] === "compressed";
const [url = "", bytes = "0", warmMs = "0", runMs = "0"] = process.argv.slice(isCompressed ? 3 : 2);
setTimeout(() => {
  // deno-lint-ignore no-console -- this is a program.
  console.error("image_client.ts: the image has not come back in time");
  process.exit(1);
}, Number(warmMs) + Number(runMs) + 30_000);
const message: MessageBase = JSON.parse(imageText(Number(bytes)));
let resolveBack = () => {};

/** What a client is asked here. */
interface Client {
  connect(): Promise<unknown>;
  send(message: MessageBase): void;
  close(): unknown;
}

/** Bun's own WebSocket as it comes, which offers permessage-deflate. */
function plainClient(): Client {
  const socket = new (WebSocket as new (url: string, options: object) => WebSocket)(url, {
    headers: { platform: "qq" },
  });
  socket.onmessage = ({ data }) => {
    JSON.parse(data);
    resolveBack();
  };
  return {
    connect: () => new Promise((resolve) => socket.onopen = resolve),
    send: (message) => socket.send(JSON.stringify(message)),
    close: () => socket.close(),
  };
}

function ourClient(): Client {
  const client = new MessageClient(url, { platform: "qq" });
  client.on("message", () => resolveBack());
  return client;
}

const client = isCompressed ? plainClient() : ourClient();

async function roundTrip(): Promise<void> {
  const { promise, resolve } = Promise.withResolvers<void>();
  resolveBack = resolve;
  client.send(message);
  await promise;
}

async function roundTripsFor(ms: number): Promise<number> {
  const start = performance.now();
  let trips = 0;
  while (performance.now() - start < ms || trips === 0) {
    await roundTrip();
    trips++;
  }
  return trips / ((performance.now() - start) / 1000);
}

await client.connect();
await roundTripsFor(Number(warmMs));
const perSecond = await roundTripsFor(Number(runMs));
// deno-lint-ignore no-console -- this is a program.
console.log(`rate ${perSecond * Number(bytes) / 1e6}`);
await client.close();
process.exit(0);
