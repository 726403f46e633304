/**
 * A program: dials with a wrong token, sends a burst as soon as it may, and prints what it read, run by run.
 *
 * Usage: burst.ts URL BURST RUNS. Prints one JSON line: `{ "native": { "1008 ...": runs }, "client": { "unauthorized": runs } }`.
 * @module
 */

import process from "node:process";

import { createMessage, MessageClient, MessageConnectionError, seg } from "../../../mod.ts";
import { withoutStall } from "./stalls.ts";

const [url = "", burst = "1", runs = "1"] = process.argv.slice(2);
const text = JSON.stringify(createMessage({ platform: "qq", user: "10001" }, seg.text("let me in")));

/** Deno, Bun and Node take headers like this; only Deno's types know it. */
const Native = WebSocket as new (url: string, options: { headers: Record<string, string> }) => WebSocket;

/** A client that does not wait to be welcome. */
function native(): Promise<string> {
  const { promise, resolve } = Promise.withResolvers<string>();
  const socket = new Native(url, { headers: { platform: "qq", authorization: "wrong" } });
  socket.onopen = () => {
    for (let sent = 0; sent < Number(burst); sent++) socket.send(text);
  };
  socket.onclose = ({ code, reason }) => resolve(`${code} ${reason}`);
  return promise;
}

/** A client of this library. */
async function ours(): Promise<string> {
  await using client = new MessageClient(url, { platform: "qq", token: "wrong" });
  try {
    await client.connect();
    return "open";
  } catch (error) {
    return error instanceof MessageConnectionError ? error.code : String(error);
  }
}

async function count(run: () => Promise<string>): Promise<Record<string, number>> {
  const counts: Record<string, number> = {};
  for (let done = 0; done < Number(runs); done++) {
    const outcome = await withoutStall(run);
    counts[outcome] = (counts[outcome] ?? 0) + 1;
  }
  return counts;
}

process.stdout.write(`${JSON.stringify({ native: await count(native), client: await count(ours) })}\n`);
