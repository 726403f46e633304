/**
 * Checks the codec on many texts against an oracle, and against Python's `json` where there is a Python.
 *
 *     deno task fuzz [options]
 *
 *     --runs=N     so many texts (200,000)
 *     --seed=N     the number of the first one (1)
 *     --no-python  without Python
 *     --text=JSON  checks one text, given as a JSON string, as the line of a failure has it
 *
 * Prints what the codec said how often; a failing text is made smaller and printed as a line that checks it again. The
 * exit code is 1 then. Environment: `MAIM_PYTHON`. In Bun, once tests have written the file of paths:
 *
 *     bun --tsconfig-override=node_modules/.maim/tsconfig.bun.json tests/codec/fuzz/main.ts [options]
 *
 * @module
 */

import process from "node:process";
import { parseArgs } from "node:util";

import { pythonIssue } from "../../support/peers/python.ts";
import { Judge } from "./judge.ts";
import { describeFailures, failureOf, runFuzz } from "./run.ts";

const STEP = 5000;

const { values: { runs, seed, text, "no-python": isWithoutPython } } = parseArgs({
  options: {
    runs: { type: "string", default: "200000" },
    seed: { type: "string", default: "1" },
    text: { type: "string" },
    "no-python": { type: "boolean", default: false },
  },
});
const say = (line: string): void => void process.stdout.write(`${line}\n`);

async function replay(text: string): Promise<number> {
  const message = await failureOf({ text, seed: Number(seed) });
  say(message ?? "no difference");
  return message === null ? 0 : 1;
}

async function run(judge: Judge | null): Promise<number> {
  const counts: Record<string, number> = {};
  const began = performance.now();
  let failed = 0;
  for (let done = 0; done < Number(runs) && failed < 5; done += STEP) {
    const count = Math.min(STEP, Number(runs) - done);
    const summary = await runFuzz({
      from: Number(seed) + done,
      count,
      onChecked: (checked) => judge?.add(checked),
    });
    for (const [code, times] of Object.entries(summary.counts)) counts[code] = (counts[code] ?? 0) + times;
    if (summary.failures.length > 0) say(await describeFailures(summary.failures));
    failed += summary.failures.length;
    say(
      `${done + count} texts in ${Math.round((performance.now() - began) / 1000)} s: ${
        JSON.stringify(counts)
      }, ${failed} failed`,
    );
  }
  await judge?.flush();
  for (const fault of judge?.faults.slice(0, 20) ?? []) say(`Python: ${fault}`);
  say(
    judge === null
      ? "without Python"
      : `Python judged ${judge.judged} texts and holds ${judge.faults.length} against the codec`,
  );
  return failed + (judge?.faults.length ?? 0) === 0 ? 0 : 1;
}

async function main(): Promise<number> {
  if (text !== undefined) return await replay(JSON.parse(text));
  const issue = isWithoutPython ? "--no-python" : pythonIssue();
  if (issue !== null) {
    say(`SKIPPED: Python, as ${issue}`);
    return await run(null);
  }
  await using judge = new Judge();
  return await run(judge);
}

process.exitCode = await main();
