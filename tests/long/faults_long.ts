/**
 * The long run of the fault suite: loss counts against the Python server and our own, and 500 reconnects.
 *
 * Run: `deno task faults` (Deno, then Bun), or `deno run -A tests/long/faults_long.ts` for one runtime.
 * @module
 */

import process from "node:process";

import { countLoss, type LossOptions } from "../support/peers/loss.ts";
import { currentRuntime } from "../support/peers/process.ts";
import { countReconnects } from "../support/peers/reconnects.ts";

const [messages = "20000", kills = "30"] = process.argv.slice(2);
const say = (line: string): void => void process.stdout.write(`${line}\n`);

for (const server of ["python", "deno", "bun"] as const) {
  for (
    const [name, rate, inDoubt] of [["500/s", 500, "report"], ["unpaced", Infinity, "report"], [
      "500/s",
      500,
      "resend",
    ]] as const
  ) {
    const options: LossOptions = { server, rate, inDoubt, messages: Number(messages), kills: Number(kills) };
    say(`client ${currentRuntime}, server ${server}, ${name}, ${inDoubt}: ${JSON.stringify(await countLoss(options))}`);
  }
}
say(`client ${currentRuntime}: ${JSON.stringify(await countReconnects(500))}`);
process.exit(0);
