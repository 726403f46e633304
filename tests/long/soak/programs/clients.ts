/**
 * Clients of this library that send steadily, and now and then close and come back.
 * @module
 */

import { MessageClient, plainText } from "../../../../mod.ts";
import { pause } from "../pause.ts";
import { answerWith } from "./answers.ts";

/** How they send. */
export interface ClientsPlan {
  readonly url: string;
  readonly clients: number;
  /** Of all of them. */
  readonly perSecond: number;
  readonly seconds: number;
  readonly lifeSeconds: number;
}

/** What became of their messages. */
export interface ClientsResult {
  sent: number;
  echoed: number;
  /** By the event `drop`. */
  reported: number;
  /** Neither came back nor were reported. */
  lost: number;
  /** Came back twice, or were never sent. */
  wrong: number;
  lives: number;
}

/** What it answers. */
export interface ClientsAnswers {
  run(plan: ClientsPlan): Promise<ClientsResult>;
}

const PATIENCE = 10_000;

async function live(platform: string, plan: ClientsPlan, end: number, result: ClientsResult): Promise<void> {
  await using client = new MessageClient(plan.url, { platform });
  const open = new Set<string>();
  client.on("message", (message) => {
    if (open.delete(plainText(message))) result.echoed++;
    else result.wrong++;
  });
  client.on("drop", ({ message }) => {
    if ("message_info" in message && open.delete(plainText(message))) result.reported++;
  });
  await client.connect({ retry: true, signal: AbortSignal.timeout(PATIENCE) });
  const everyMs = 1000 * plan.clients / plan.perSecond;
  const start = performance.now();
  for (let count = 0; performance.now() < end; count++) {
    open.add(`${count}`);
    client.sendText(`${count}`, { user: "1" });
    result.sent++;
    // By the clock, so that one that was late catches up.
    await pause(Math.max(0, start + (count + 1) * everyMs - performance.now()));
  }
  const late = performance.now() + PATIENCE;
  while (open.size > 0 && performance.now() < late) await pause(5);
  await client.close();
  result.lost += open.size;
  result.lives++;
}

await answerWith<ClientsAnswers>({
  async run(plan) {
    const result = { sent: 0, echoed: 0, reported: 0, lost: 0, wrong: 0, lives: 0 };
    const end = performance.now() + plan.seconds * 1000;
    const run = async (index: number): Promise<void> => {
      // Not all at once: the first life is shorter for some.
      let life = plan.lifeSeconds * (index + 1) / plan.clients;
      while (performance.now() < end) {
        await live(`client-${index}`, plan, Math.min(end, performance.now() + life * 1000), result);
        life = plan.lifeSeconds;
      }
    };
    await Promise.all(Array.from({ length: plan.clients }, (_, index) => run(index)));
    return result;
  },
});
