/**
 * Connections that stay, silent, until each is asked for one echo.
 * @module
 */

import { createMessage, seg } from "../../../../mod.ts";
import { pause } from "../pause.ts";
import { answerWith, openSocket } from "./answers.ts";

/** What it answers. */
export interface CrowdAnswers {
  /** Opens connections; gives how many were let in. */
  hold(plan: { readonly url: string; readonly connections: number }): Promise<number>;
  /** Asks every connection for one echo; gives how many came back within a minute. */
  echo(): Promise<number>;
  /** How many were lost. */
  lost(): number;
}

/** Handshakes at a time. */
const AT_ONCE = 50;
const PATIENCE = 60_000;

const sockets = new Map<string, WebSocket>();
let lost = 0;

async function open(url: string, platform: string): Promise<void> {
  const socket = await openSocket(url, { platform });
  socket.onclose = () => {
    sockets.delete(platform);
    lost++;
  };
  sockets.set(platform, socket);
}

await answerWith<CrowdAnswers>({
  async hold({ url, connections }) {
    for (let first = 0; first < connections; first += AT_ONCE) {
      const batch = Array.from({ length: Math.min(AT_ONCE, connections - first) }, (_, at) => `held-${first + at}`);
      await Promise.allSettled(batch.map((platform) => open(url, platform)));
    }
    return sockets.size;
  },
  async echo() {
    const echoed = new Set<string>();
    for (const [platform, socket] of sockets) {
      socket.onmessage = () => echoed.add(platform);
      socket.send(JSON.stringify(createMessage({ platform, user: "1" }, seg.text("still here"))));
    }
    const end = performance.now() + PATIENCE;
    while (echoed.size < sockets.size && performance.now() < end) await pause(50);
    return echoed.size;
  },
  lost: () => lost,
});
