/**
 * A program: a `FakeMaiBot` that says of each message what MaiBot would make of it, in the reader's language.
 * `deno run -A maibot/main.ts --help`, or `bun maibot/main.ts --help`.
 *
 * @module
 */

import { runMaibot } from "./fake/program.ts";

if (import.meta.main) {
  const [util, { default: process }] = await Promise.all([import("node:util"), import("node:process")]);
  await runMaibot({ util, process });
}
