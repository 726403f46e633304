/**
 * A `MessageServer` that echoes, and on demand sends many large messages to one platform. Prints `url URL` first, and
 * `given up` whenever a peer is.
 * @module
 */

import process from "node:process";

import { createMessage, MessageConnectionError, MessageServer, seg, type ServerStats } from "../../../../mod.ts";
import { withTimeout } from "../../../support/peers/inbox.ts";
import { pause } from "../pause.ts";
import { answerWith } from "./answers.ts";

/** What is sent to whom. */
export interface Feed {
  readonly platform: string;
  readonly messages: number;
  /** Characters of each. */
  readonly size: number;
  /** Milliseconds from one to the next. */
  readonly everyMs: number;
  /** Whether a message without a route waits for one, at most ten seconds, and is then sent. */
  readonly isPatient: boolean;
}

/** What became of the messages. */
export interface Fed {
  /** Queued for the peer. */
  readonly queued: number;
  /** Reported by `drop`. */
  readonly dropped: number;
  /** Thrown with `no_route`. */
  readonly unrouted: number;
  readonly seconds: number;
}

/** What it answers. */
export interface FeederAnswers {
  feed(feed: Feed): Promise<Fed>;
  stats(): ServerStats;
}

const PATIENCE = 10_000;

const server = new MessageServer();
server.on("message", (message, peer) => peer.send(message));
let dropped = 0;
server.on("drop", () => {
  dropped++;
  process.stdout.write("given up\n");
});

async function arrival(platform: string): Promise<void> {
  if (server.peers.some((peer) => peer.platform === platform)) return;
  const { promise, resolve } = Promise.withResolvers<void>();
  const remove = server.on("open", (peer) => {
    if (peer.platform === platform) resolve();
  });
  await withTimeout(promise, PATIENCE, () => `${platform} to come back`).finally(remove);
}

function isSent(platform: string, text: string): boolean {
  try {
    server.send(createMessage({ platform, user: "1" }, seg.text(text)));
    return true;
  } catch (error) {
    if (error instanceof MessageConnectionError && error.code === "no_route") return false;
    throw error;
  }
}

async function feed({ platform, messages, size, everyMs, isPatient }: Feed): Promise<Fed> {
  const text = "x".repeat(size);
  const start = performance.now();
  const droppedBefore = dropped;
  let unrouted = 0;
  for (let sent = 0; sent < messages; sent++) {
    await pause(everyMs);
    if (isPatient) await arrival(platform);
    if (!isSent(platform, text)) unrouted++;
  }
  const lost = dropped - droppedBefore;
  const seconds = (performance.now() - start) / 1000;
  return { queued: messages - lost - unrouted, dropped: lost, unrouted, seconds };
}

process.stdout.write(`url ${server.listen({ port: 0 })}\n`);
await answerWith<FeederAnswers>({ feed, stats: () => server.stats() });
