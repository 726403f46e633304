/**
 * What is mutated, and which tests must notice.
 * @module
 */

import { filesIn } from "../../support/package.ts";

/** Files and folders whose code is mutated. A name that does not exist ends the run. */
export const TARGETS: readonly string[] = [
  ...["client/connection.ts", "client/link.ts", "client/outbox.ts", "client/heartbeat.ts", "client/reconnect.ts"],
  ...["client/close_rules.ts", "client/dial.ts", "client/dial_failure.ts"],
  "session/",
  ...["server/peer.ts", "server/admission.ts", "server/limits.ts", "server/routes.ts", "server/wrong_tokens.ts"],
  "schema/rules.ts",
  "codec/decode.ts",
];

/** Tests that must notice a mutant of a room: folders or files. Those of the room itself come first. */
const ROOM_TESTS: Readonly<Record<string, readonly string[]>> = {
  client: ["tests/client"],
  session: ["tests/session", "tests/client", "tests/server"],
  server: ["tests/server"],
  schema: ["tests/schema", "tests/codec"],
  codec: ["tests/codec"],
};

/** A run of the simulator that is short enough for each mutant. Left out while the file does not exist. */
export const SIMULATION = "tests/simulation/simulation_test.ts";

/** Tests that start programs or measure time or memory: slow, and of no use here. */
const LEFT_OUT: readonly string[] = ["tests/server/program_test.ts"];

const files = filesIn("");

/** The files of a name from {@linkcode TARGETS}. */
function filesOf(name: string): string[] {
  const found = files.filter((file) =>
    name.endsWith("/") ? file.startsWith(name) && file.endsWith(".ts") : file === name
  );
  if (found.length === 0) throw new Error(`Cannot mutate "${name}" as there is no such file; see targets.ts`);
  return found;
}

/** Every file that is mutated. */
export function targetFiles(): string[] {
  return [...new Set(TARGETS.flatMap(filesOf))];
}

/** Test files that may notice a mutant of a file, those of its own room first; then the simulation. */
export function testsOf(file: string, simulation: string): string[] {
  const folders = ROOM_TESTS[file.slice(0, file.indexOf("/"))];
  if (folders === undefined) {
    throw new Error(`Cannot test a mutant of "${file}" as its room has no tests; see targets.ts`);
  }
  const tests = folders.flatMap((folder) =>
    files.filter((each) => each.startsWith(folder) && each.endsWith("_test.ts"))
  );
  return [...tests.filter((test) => !LEFT_OUT.includes(test)), ...files.filter((each) => each === simulation)];
}
