/**
 * Attacks before there is a connection.
 * @module
 */

import { RawPeer } from "../../../support/peers/raw.ts";
import { pause } from "../pause.ts";
import { addressOf, type Attack, inTurns, Outcomes } from "./outcomes.ts";

const TRICKLING = 500;
const BOMBS = 200;
const BOMBS_AT_ONCE = 10;
const START = "GET /ws HTTP/1.1\r\nHost: 127.0.0.1\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n" +
  "Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: AAECAwQFBgcICQoLDA0ODw==\r\n";

/** Begins 500 handshakes and sends one byte a second on each. */
export const trickle: Attack = async ({ url, seconds }) => {
  const peers: RawPeer[] = [];
  let isOver = 0;
  await inTurns(TRICKLING, 50, async () => {
    const peer = await RawPeer.open(url, { localAddress: addressOf(1), timeoutMs: 10_000 });
    peers.push(peer);
    void peer.closed.then(() => isOver++); // never rejects
  });
  for (let at = 0; at < seconds; at++) {
    for (const peer of peers) peer.write(START[at % START.length] ?? "");
    await pause(1000);
  }
  const outcome = `${TRICKLING} connections with ${Math.ceil(seconds)} bytes each: ${isOver} ended by the server`;
  await Promise.all(peers.map((peer) => peer[Symbol.asyncDispose]()));
  return outcome;
};

async function bomb(url: string, raw: string, outcomes: Outcomes): Promise<void> {
  try {
    await using peer = await RawPeer.connect(url, { raw, localAddress: addressOf(1), timeoutMs: 10_000 });
    outcomes.add(peer.response.status === 101 ? "let in" : `refused with ${peer.response.status}`);
  } catch (error) {
    // Refused while we still write, the answer may be lost: then all there is to see is the end.
    outcomes.add(
      error instanceof Error && error.message.startsWith("Timed out") ? "left without an answer" : "dropped",
    );
  }
}

const BOMBS_BY_NAME: Readonly<Record<string, string>> = {
  "70 KB in a header": `${START}X-Bomb: ${"x".repeat(70_000)}\r\n\r\n`,
  "1 MB in a header": `${START}X-Bomb: ${"x".repeat(1_000_000)}\r\n\r\n`,
  "5,000 headers": `${START}${Array.from({ length: 5000 }, (_, at) => `X-${at}: y\r\n`).join("")}\r\n`,
  "100,000 headers": `${START}${Array.from({ length: 100_000 }, (_, at) => `X-${at}: y\r\n`).join("")}\r\n`,
  "1 MB of path": `GET /${"x".repeat(1_000_000)} HTTP/1.1\r\nHost: a\r\n\r\n`,
};

/** Sends heads that are far too large, 200 of each kind. */
export const headerBombs: Attack = async ({ url }) => {
  const told: string[] = [];
  for (const [name, raw] of Object.entries(BOMBS_BY_NAME)) {
    const outcomes = new Outcomes();
    await inTurns(BOMBS, BOMBS_AT_ONCE, () => bomb(url, raw, outcomes));
    told.push(`${name}: ${outcomes}`);
  }
  return told.join("; ");
};
