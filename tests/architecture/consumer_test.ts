import { assert, assertEquals } from "@std/assert";
import { describe } from "@std/testing/bdd";
import { copyFile, mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";

import { entryPoints, publishedModules, ROOT } from "../support/package.ts";
import { runtimeProgram, spawnLines } from "../support/peers/process.ts";
import { runtimeTest } from "../support/peers/skip.ts";

/**
 * What people have in the folder of their program. Beside a `deno.json`, Deno checks everything by it, a local clone of
 * this package included. A `lib` below ESNext, or without the types of the web or of Deno, cannot work: this package
 * uses `Uint8Array.prototype.toBase64`, `fetch` and streams.
 */
const CONFIGS: Readonly<Record<string, Readonly<Record<string, unknown>>>> = {
  "that is empty": {},
  "that is not strict, with the types of browsers": { strict: false, noImplicitAny: false, lib: ["esnext", "dom"] },
  "that is strict but for null, with the types of Deno alone": {
    ...{ strict: true, strictNullChecks: false, lib: ["deno.window"] },
  },
  "as bundlers want it": {
    ...{ strict: true, exactOptionalPropertyTypes: false, lib: ["esnext", "dom", "dom.iterable"], skipLibCheck: true },
    ...{ isolatedModules: true, verbatimModuleSyntax: true, erasableSyntaxOnly: true },
    ...{ useDefineForClassFields: false, experimentalDecorators: true },
  },
  "with every check there is": {
    ...{ strict: true, exactOptionalPropertyTypes: true, noUncheckedIndexedAccess: true, noImplicitOverride: true },
    ...{ noImplicitReturns: true, noFallthroughCasesInSwitch: true, noPropertyAccessFromIndexSignature: true },
    ...{ noUnusedLocals: true, noUnusedParameters: true, allowUnreachableCode: false, allowUnusedLabels: false },
    ...{ isolatedDeclarations: true, declaration: true },
  },
};

/** Every error by file and code: `client/client.ts TS2322`. */
async function checkAll(): Promise<Map<string, string[]>> {
  const folder = await mkdtemp(join(tmpdir(), "maim-consumer-"));
  try {
    for (const path of publishedModules) {
      await mkdir(dirname(join(folder, "clone", path)), { recursive: true });
      await copyFile(join(ROOT, path), join(folder, "clone", path));
    }
    const lines = [...entryPoints.values()].map((path, index) => `import * as m${index} from "../clone/${path}";`);
    const uses = `const all: readonly object[] = [${lines.map((_, index) => `m${index}`).join(", ")}];\nvoid all;\n`;
    const found = new Map<string, string[]>();
    for (const [index, [name, compilerOptions]] of Object.entries(CONFIGS).entries()) {
      const program = join(folder, `program${index}`);
      await mkdir(program);
      await writeFile(join(program, "deno.json"), "{}");
      await writeFile(join(program, "tsconfig.json"), JSON.stringify({ compilerOptions }));
      await writeFile(join(program, "main.ts"), `${lines.join("\n")}\n${uses}`);
      found.set(name, await check(program));
    }
    return found;
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

async function check(program: string): Promise<string[]> {
  await using child = spawnLines(runtimeProgram("deno"), ["check", "main.ts"], {
    cwd: program,
    env: { NO_COLOR: "1" },
  });
  child.endInput();
  const { code } = await child.exit({ timeoutMs: 120_000 });
  const output = child.lines.join("\n");
  const errors = [
    ...output.matchAll(/^(TS\d+) \[ERROR\][\s\S]*?^ {4}at file:\S+?\/(clone|program\d+)\/(\S+?):\d+:\d+$/gm),
  ]
    .map(([, id = "", folder = "", path = ""]) => `${folder === "clone" ? path : `main.ts: ${path}`} ${id}`);
  assert(code === 0 || errors.length > 0, output);
  return [...new Set(errors)].toSorted();
}

describe("A local clone", () => {
  let checked: Promise<Map<string, string[]>> | undefined;
  const errors = (): Promise<Map<string, string[]>> => checked ??= checkAll();

  for (const name of Object.keys(CONFIGS)) {
    runtimeTest("deno", `passes the type check of a program with a tsconfig.json ${name}`, async () => {
      assertEquals((await errors()).get(name), []);
    });
  }
});
