/**
 * Frames over the wire to a `FakeMaiBot`.
 * @module
 */

import { FakeMaiBot, type MaibotLogLine, type MaibotReceipt } from "../../../maibot/fake/mod.ts";
import type { MaibotVersion } from "../../../maibot/mod.ts";

/** What the fake makes of one frame. */
export interface FakeAnswer {
  readonly receipt: MaibotReceipt;
  /** What it logs of a frame that it takes. */
  readonly remarks: readonly MaibotLogLine[];
}

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
): Promise<FakeAnswer[]> {
  const answers: { receipt: MaibotReceipt; remarks: MaibotLogLine[] }[] = [];
  const { promise, resolve, reject } = Promise.withResolvers<void>();
  await using bot = new FakeMaiBot({ version, accounts, keep: 1 });
  bot.on("received", (receipt) => {
    // Why a frame is dropped is logged just before its receipt, and what else there is to say right after it.
    if (receipt.log !== null) answers.at(-1)?.remarks.pop();
    answers.push({ receipt, remarks: [] });
    if (answers.length === texts.length) resolve();
  });
  bot.on("log", (line) => void answers.at(-1)?.remarks.push(line));
  bot.on("error", reject);
  const socket = new WebSocket(bot.listen({ port: 0 }), { headers: { platform: "qq" } });
  const timer = setTimeout(() => socket.close(), TIME_LIMIT_MS);
  socket.onopen = () => texts.forEach((text) => socket.send(text));
  socket.onclose = ({ code }) =>
    reject(
      new Error(`Cannot compare as the fake must read every frame: ${answers.length} of ${texts.length}, ${code}`),
    );
  try {
    await promise;
    return answers.map(({ receipt, remarks }) => ({ receipt, remarks: [...remarks] })); // before the line of its end
  } finally {
    clearTimeout(timer);
    socket.close();
  }
}
