/**
 * A program that simulates MaiBot. For each message it prints what MaiBot would do with it, in English or Chinese.
 * `deno run -A maibot/main.ts --help`, or `bun maibot/main.ts --help`.
 *
 * @module
 */

import { runMaibot } from "./fake/program.ts";

if (import.meta.main) {
  const [util, { default: process }] = await Promise.all([import("node:util"), import("node:process")]);
  await runMaibot({ util, process });
}
