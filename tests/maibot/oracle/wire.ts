/**
 * Frames over the wire to a `FakeMaiBot`.
 * @module
 */

import type { MaibotVersion } from "../../../maibot/mod.ts";
import { FakeMaiBot, type MaibotReceipt } from "../../../maibot/fake/mod.ts";

/** Waits at most so long for the fake to read all frames. */
const TIME_LIMIT_MS = 120_000;

/** Splits `qq:777,tp:888`; as in MaiBot the first account is that of its platform, else the last one named. */
export function accountsOf(text: string): Record<string, string> {
  const pairs = text.split(",").map((pair) => pair.split(":"));
  return Object.fromEntries(
    [...pairs, ...pairs.slice(0, 1)].map(([platform = "", account = ""]) => [platform, account]),
  );
}

/** Sends frames as they stand, and gives what the fake makes of each. */
export async function sendToFake(
  texts: readonly string[],
  accounts: Record<string, string>,
  version: MaibotVersion,
): Promise<MaibotReceipt[]> {
  const receipts: MaibotReceipt[] = [];
  const { promise, resolve, reject } = Promise.withResolvers<void>();
  await using bot = new FakeMaiBot({ version, accounts, keep: 1 });
  bot.on("received", (receipt) => {
    receipts.push(receipt);
    if (receipts.length === texts.length) resolve();
  });
  bot.on("error", reject);
  const socket = new WebSocket(bot.listen({ port: 0 }), { headers: { platform: "qq" } });
  const timer = setTimeout(() => socket.close(), TIME_LIMIT_MS);
  socket.onopen = () => texts.forEach((text) => socket.send(text));
  socket.onclose = ({ code }) =>
    reject(
      new Error(`Cannot compare as the fake must read every frame: ${receipts.length} of ${texts.length}, ${code}`),
    );
  try {
    await promise;
    return receipts;
  } finally {
    clearTimeout(timer);
    socket.close();
  }
}
