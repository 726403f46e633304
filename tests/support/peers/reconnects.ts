/**
 * Counts what many reconnects leave behind in one process.
 * @module
 */

import { readdirSync } from "node:fs";
import process from "node:process";

import { MessageClient } from "../../../mod.ts";
import { RawServer } from "./raw.ts";

/** What was there after a tenth of the reconnects, and at the end. */
export interface ReconnectResult {
  readonly reconnects: number;
  /** Open file descriptors of this process, where the system tells. */
  readonly descriptors: readonly [early: number, late: number];
  /** Resident memory, MiB. */
  readonly rss: readonly [early: number, late: number];
}

function descriptors(): number {
  try {
    return readdirSync("/proc/self/fd").length;
  } catch {
    return 0;
  }
}

function collect(): void {
  const { gc, Bun } = globalThis as { gc?: () => void; Bun?: { gc(force: boolean): void } };
  if (Bun !== undefined) Bun.gc(true);
  else gc?.();
}

function look(): [descriptors: number, rss: number] {
  collect();
  return [descriptors(), Math.round(process.memoryUsage().rss / 2 ** 20)];
}

const HELLO = '{"message_info":{"platform":"qq"},"message_segment":{"type":"text","data":"hi"}}';

/** Lets the server fall in turns by RST, FIN and close frames. */
export async function countReconnects(reconnects: number): Promise<ReconnectResult> {
  await using server = await RawServer.listen();
  await using client = new MessageClient(server.url, {
    platform: "qq",
    reconnect: { delay: () => 0 },
    closeTimeout: 200,
  });
  const connected = client.connect();
  let early: [number, number] = [0, 0];
  for (let fall = 0; fall < reconnects; fall++) {
    if (fall === Math.ceil(reconnects / 10)) early = look();
    const peer = await server.next();
    peer.accept();
    peer.text(HELLO);
    await connected;
    if (fall % 3 === 0) peer.reset();
    else if (fall % 3 === 1) peer.end();
    else peer.close(1012);
    await peer.closed;
  }
  const last = await server.next();
  last.accept();
  last.text(HELLO);
  const late = look();
  return { reconnects: client.stats.opened, descriptors: [early[0], late[0]], rss: [early[1], late[1]] };
}
