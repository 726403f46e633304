import { assertEquals } from "@std/assert";
import { describe, it } from "@std/testing/bdd";

import { filesIn, publishedFiles, publishedModules, readText } from "../support/package.ts";
import { countCodeLines, findImports, readSource } from "../support/source_code.ts";

const MAX_CODE_LINES = 300;

/** Files above {@linkcode MAX_CODE_LINES} that are being split. One that is gone has to go from this list, too. */
const TOO_LONG: readonly string[] = [];

/**
 * Programs: beside the files of `runtime/` only these may say `Deno.`, `Bun.` and `process`, and only these may import
 * a built-in of the runtime.
 */
const PROGRAMS: Readonly<Record<string, string>> = {
  "server.ts": "the line that starts the program",
  "server/program.ts": "the program of server.ts",
  "maibot/main.ts": "the line that starts the program",
  "maibot/fake/program.ts": "the program of maibot/main.ts",
  "util/program.ts": "what these programs share: flags, printing, signals, exit codes",
};

/** Identifiers that differ between runtimes, or do not exist in each. */
const RUNTIME_GLOBALS = /(?<![.\w$#])(?:globalThis\b|(?:Deno|Bun|process)(?=\s*(?:\.|\?\.|\[)))/g;

/** What the clock of the runtime seam stands for: a simulation has a clock of its own. */
const TIMERS = /(?<![.\w$#])(?:performance|(?:set|clear)(?:Timeout|Interval|Immediate))\b(?!\s*:)/g;

/** Folders of the repository that are not published. */
const UNPUBLISHED = /^(?:tests|bench|examples|coverage)\//;

const sources = publishedModules.map((file) => [file, readSource(readText(file))] as const);

/** Fails unless exactly the files on the list were found. */
function assertListed(found: readonly string[], list: readonly string[], advice: string): void {
  assertEquals(found.filter((file) => !list.includes(file)), [], advice);
  assertEquals(list.filter((file) => !found.includes(file)), [], "these are repaired: take them off the list");
}

describe("Published files", () => {
  it(`hold at most ${MAX_CODE_LINES} lines of code`, () => {
    const found = sources.filter(([, source]) => countCodeLines(source) > MAX_CODE_LINES).map(([file]) => file);
    assertListed(found, TOO_LONG, "these files are too long: split them by topic");
  });

  for (const [what, names] of [["global of one runtime", RUNTIME_GLOBALS], ["timer", TIMERS]] as const) {
    it(`use no ${what}, but for runtime/ and programs`, () => {
      const found = sources.flatMap(([file, { bare }]) => {
        if (file.startsWith("runtime/") || file in PROGRAMS) return [];
        return [...new Set([...bare.matchAll(names)].map(([name]) => `${file}: ${name}`))];
      });
      assertEquals(found, [], "reach it through the runtime seam: runtime/mod.ts");
    });
  }

  it("import nothing from outside the package, but for built-ins in programs", () => {
    const found = sources.flatMap(([file, source]) => {
      const { specifiers, computed } = findImports(source);
      const outside = specifiers.filter((name) => !name.startsWith("."));
      const wrong = file in PROGRAMS ? outside.filter((name) => !name.startsWith("node:")) : outside;
      return [...wrong, ...computed].map((name) => `${file}: ${name}`);
    });
    assertEquals(found, []);
  });

  it("are all files of the repository but tests, benches and examples", () => {
    const others = filesIn("").filter((file) => file.endsWith(".ts") && !UNPUBLISHED.test(file));
    assertEquals(others.filter((file) => !publishedModules.includes(file)), [], "add these to publish.include");
    assertEquals(publishedFiles.filter((file) => UNPUBLISHED.test(file)), [], "take these out of publish.include");
  });
});
