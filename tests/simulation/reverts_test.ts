import { spawnSync } from "node:child_process";
import { cpSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, relative } from "node:path";

import { assert, assertEquals, assertStringIncludes } from "@std/assert";
import { describe, it } from "@std/testing/bdd";

import { ROOT } from "../support/package.ts";
import { currentRuntime, runtimeCommand } from "../support/peers/process.ts";
import { KEPT } from "./kept.ts";
import { type Change, REVERTS } from "./reverts.ts";

const NOT_COPIED = /^(?:\.git|node_modules|coverage|bench|tests\/(?!simulation|support))(?:[/\\]|$)/;

/** A copy of the repository, which a test may change. */
class Copy implements Disposable {
  readonly folder = mkdtempSync(join(tmpdir(), "maim-reverts-"));

  constructor() {
    cpSync(ROOT, this.folder, { recursive: true, filter: (path) => !NOT_COPIED.test(relative(ROOT, path)) });
  }

  apply({ file, find, replace }: Change): void {
    const path = join(this.folder, file);
    const parts = readFileSync(path, "utf8").split(find);
    assertEquals(parts.length, 2, `${file} has once: ${find}`);
    writeFileSync(path, parts.join(replace));
  }

  /** Runs a kept scenario; gives what it printed. */
  run(kept: string): string {
    const script = join(this.folder, "tests/simulation/run.ts");
    const [command, args] = runtimeCommand(currentRuntime, script, [`--kept=${kept}`, `--runtime=${currentRuntime}`]);
    const { stdout, stderr } = spawnSync(command, args, { encoding: "utf8", cwd: this.folder, timeout: 60_000 });
    return `${stdout}${stderr}`;
  }

  [Symbol.dispose](): void {
    rmSync(this.folder, { recursive: true, force: true });
  }
}

describe("The simulator finds the fault again when", () => {
  for (const { what, kept, changes } of REVERTS) {
    it(what, () => {
      using copy = new Copy();
      for (const change of changes) copy.apply(change);
      for (const name of kept) {
        const rule = KEPT.find((scenario) => scenario.name === name)?.rule;
        assert(rule !== undefined, `there is a kept scenario ${name}`);
        assertStringIncludes(copy.run(name), `BROKEN ${rule}`);
      }
    });
  }
});
