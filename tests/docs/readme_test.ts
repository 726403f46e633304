import { assert, assertEquals } from "@std/assert";
import { describe, it } from "@std/testing/bdd";
import { copyFile, mkdir, mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { dirname, join, relative, sep } from "node:path";
import { fileURLToPath } from "node:url";

import { RULES } from "../../maibot/rules.ts";
import { entryPoints } from "../support/package.ts";
import { runtimeProgram, spawnLines } from "../support/peers/process.ts";
import { runtimeTest } from "../support/peers/skip.ts";

const ROOT = fileURLToPath(new URL("../../", import.meta.url));
const ENTRY_POINTS = [...entryPoints.values()];
const TIMEOUT = { timeoutMs: 120_000 };

async function readText(path: string): Promise<string> {
  return (await readFile(join(ROOT, path), "utf8")).replaceAll("\r\n", "\n");
}

// ---------------------------------------------------------------------------------------------- the two README

interface CodeBlock {
  readonly info: string;
  readonly code: string;
}

interface Page {
  /** One entry a heading: its level, as "##". */
  readonly levels: readonly string[];
  readonly blocks: readonly CodeBlock[];
  /** First two cells of every row of every table. */
  readonly rows: readonly (readonly [first: string, second: string])[];
}

const FENCE = /^```(.*)\n([\s\S]*?)^```$/gm;

async function readPage(path: string): Promise<Page> {
  const text = await readText(path);
  const blocks = [...text.matchAll(FENCE)].map(([, info = "", code = ""]) => ({ info, code }));
  const prose = text.replaceAll(FENCE, "");
  const levels = [...prose.matchAll(/^(#+) /gm)].map(([, level = ""]) => level);
  const rows = [...prose.matchAll(/^\|([^|]*)\|([^|]*)\|/gm)].map(([, first = "", second = ""]) => {
    return [first.trim(), second.trim()] as const;
  });
  return { levels, blocks, rows };
}

// A string of either quote, a template, or a comment; whichever starts first ends first.
const TEXT_IN_TS = /"(?:[^"\\\n]|\\.)*"|'(?:[^'\\\n]|\\.)*'|`(?:[^`\\]|\\.)*`|\/\/.*$|\/\*[\s\S]*?\*\//gm;
const COMMENT_IN_SHELL = /(^|\s)#.*$/gm;

/** What a block says apart from its language and line breaks: the code without strings, comments and spaces. */
function skeleton({ info, code }: CodeBlock): CodeBlock {
  if (!info.startsWith("ts")) return { info, code: code.replaceAll(COMMENT_IN_SHELL, "") };
  const bare = code.replaceAll(TEXT_IN_TS, (text) => text.startsWith("/") ? "" : '""');
  return { info, code: bare.replaceAll(/\s+/g, "").replaceAll(/,(?=[)\]}])/g, "") };
}

/** The flags that a program's `--help` lists. */
function flagsIn(help: RegExp, source: string): string[] {
  const [, text = ""] = help.exec(source) ?? [];
  return [...text.matchAll(/^ {2}(--\w+(?: [A-Z:]+)?) +/gm)].map(([, flag = ""]) => flag);
}

/** The members of a union of string literals in the source. */
function literals(source: string, union: string): string[] {
  const [, members = ""] = new RegExp(`export type ${union} =([^;]*);`).exec(source) ?? [];
  return [...members.matchAll(/"([^"]+)"/g)].map(([, name = ""]) => name);
}

const pages = await Promise.all(
  ["README.md", "README.zh.md"].map(async (name) => [name, await readPage(name)] as const),
);

describe("README", () => {
  const [[, english], [, chinese]] = pages as [typeof pages[0], typeof pages[0]];

  it("has the same sequence of headings in both languages", () => {
    assert(english.levels.length > 10);
    assertEquals(chinese.levels, english.levels);
  });

  it("has the same code in both languages, but for strings and comments", () => {
    assert(english.blocks.length > 10);
    assertEquals(chinese.blocks.map(skeleton), english.blocks.map(skeleton));
  });

  it("has tables of the same lengths in both languages", () => {
    assertEquals(chinese.rows.length, english.rows.length);
  });

  for (const [name, { blocks, rows }] of pages) {
    for (const kind of ["Connection", "Decode", "Encode"]) {
      it(`lists every code of Message${kind}Error in ${name}`, async () => {
        const source = await readText(kind === "Connection" ? "util/connection_error.ts" : "codec/errors.ts");
        const codes = literals(source, `Message${kind}ErrorCode`);
        assert(codes.length > 2);
        const listed = rows.filter(([first]) => first === `\`Message${kind}Error\``).map(([, second]) => second);
        assertEquals(listed.toSorted(), codes.map((code) => `\`${code}\``).toSorted());
      });
    }

    it(`lists every reason of a drop in ${name}`, async () => {
      const reasons = literals(await readText("session/drops.ts"), "DropReason");
      assert(reasons.length > 3);
      const listed = rows.map(([first]) => first.replaceAll("`", ""));
      assertEquals(reasons.filter((reason) => !listed.includes(reason)), []);
    });

    it(`lists every flag of both programs in ${name}`, async () => {
      const server = flagsIn(/const HELP = `([^`]*)`/, await readText("server/program.ts"));
      const maibot = flagsIn(/EN: ProgramTexts = \{\s*help: `([^`]*)`/, await readText("maibot/fake/program_texts.ts"));
      assert(server.length > 5 && maibot.length > 5);
      const listed = rows.filter(([first]) => first.startsWith("`--")).map(([first]) => first);
      assertEquals(listed, [...server, ...maibot].map((flag) => `\`${flag}\``));
    });

    it(`says what to do for every rule by which MaiBot drops or never answers in ${name}`, () => {
      const listed = rows.flatMap(([, second]) => [...second.matchAll(/`([a-z0-9_]+)`/g)]).map(([, rule = ""]) => rule);
      const grave = Object.entries(RULES).filter(([, { level }]) => level === "drop" || level === "unanswered");
      assertEquals(grave.map(([rule]) => rule).filter((rule) => !listed.includes(rule)), []);
    });

    it(`names no rule that does not exist in ${name}`, async () => {
      const [, section = ""] = /\n## (?:Why does MaiBot|为什么 MaiBot)([\s\S]*?)\n## /.exec(await readText(name)) ?? [];
      const cells = [...section.matchAll(/^\|[^|]*\|([^|]*)\|/gm)].map(([, second = ""]) => second);
      const named = cells.flatMap((cell) => [...cell.matchAll(/`(\w+)`/g)]).map(([, rule = ""]) => rule);
      assert(named.length > 30);
      assertEquals(named.filter((rule) => !Object.hasOwn(RULES, rule)), []);
    });

    it(`says why a block is not run in ${name}`, async () => {
      const text = await readText(name);
      const ignored = blocks.filter(({ info }) => info.includes("ignore")).length;
      const reasons = [
        ...text.matchAll(/(?:not\s+run\s+as\s+a\s+test|不作为测试运行)[^\n]*(?:\n[^\n]+)*\n\n```ts ignore/g),
      ];
      assertEquals(reasons.length, ignored);
    });
  }
});

// ---------------------------------------------------------------------------------------------- the package

/** Runs a program to its end and gives what it printed; fails with that if it fails. */
async function run(command: string, args: readonly string[], cwd: string): Promise<string> {
  await using child = spawnLines(command, args, { cwd, env: { NO_COLOR: "1" } });
  child.endInput();
  const { code } = await child.exit(TIMEOUT);
  const output = child.lines.join("\n");
  assertEquals(code, 0, output);
  return output;
}

async function runDeno(args: readonly string[]): Promise<string> {
  const command = runtimeProgram("deno");
  return await run(command, args, ROOT);
}

interface Graph {
  readonly modules: readonly {
    readonly specifier: string;
    readonly error?: string;
    readonly dependencies?: readonly {
      readonly specifier: string;
      readonly isDynamic?: boolean;
      readonly code?: { readonly specifier?: string; readonly span: { readonly start: { readonly line: number } } };
    }[];
  }[];
}

async function readGraph(entryPoint: string): Promise<Graph> {
  const output = await runDeno(["info", "--json", entryPoint]);
  return JSON.parse(output.slice(output.indexOf("{"), output.lastIndexOf("}") + 1));
}

/** Says what a module may not be: anything but a file of the package. */
function isOutside(specifier: string): boolean {
  if (!specifier.startsWith("file:")) return true;
  const path = relative(ROOT, fileURLToPath(specifier)).split(sep);
  return ["..", "tests", "examples", "bench", "node_modules"].includes(path[0] ?? "..");
}

/** The files that would be published, relative to the root. */
async function publishedFiles(): Promise<string[]> {
  const output = await runDeno(["publish", "--dry-run", "--allow-dirty"]);
  return [...output.matchAll(/^\s*(file:\S+)/gm)].map(([, url = ""]) => relative(ROOT, fileURLToPath(url)));
}

const EXCHANGE = `
import { createReply, MessageClient, MessageServer, plainText, seg } from "../mod.ts";

await using server = new MessageServer();
server.on("message", (message, peer) => peer.send(createReply(message, seg.text("got " + plainText(message)))));
await using client = new MessageClient(server.listen({ port: 0 }), { platform: "qq" });
const answer = new Promise((resolve) => client.on("message", (message) => resolve(plainText(message))));
await client.connect();
client.sendText("hello", { user: "10001" });
console.log(await answer);
`;

describe("The published package", () => {
  for (const entryPoint of ENTRY_POINTS) {
    runtimeTest("deno", `imports nothing outside itself from ${entryPoint}`, async () => {
      const { modules } = await readGraph(entryPoint);
      const foreign = modules.map(({ specifier }) => specifier).filter((name) => !name.startsWith("node:"));
      assertEquals(foreign.filter(isOutside), []);
      assertEquals(modules.filter(({ error }) => error !== undefined), []);

      // Built-ins serve the programs and nothing else.
      for (const { specifier, dependencies = [] } of modules) {
        for (const dependency of dependencies.filter(({ specifier }) => !specifier.startsWith("."))) {
          assert(dependency.specifier.startsWith("node:"), `${specifier} imports ${dependency.specifier}`);
          assert(/\/(?:program|maibot\/main)\.ts$/.test(specifier), `${specifier} imports ${dependency.specifier}`);
          assert(dependency.isDynamic, dependency.specifier);
        }
      }
    });
  }

  const FLAGS = { deno: ["run", "-A", "--no-remote", "--no-npm"], bun: ["--no-install"] } as const;
  for (const runtime of ["deno", "bun"] as const) {
    runtimeTest(runtime, `exchanges a message in ${runtime} from its files alone`, async () => {
      const files = await publishedFiles();
      for (const name of [...ENTRY_POINTS, "deno.json", "README.md", "README.zh.md", "CHANGELOG.md", "LICENSE"]) {
        assert(files.includes(name), `${name} is not published: ${files.join(" ")}`);
      }
      assertEquals(files.filter((name) => /^(?:tests|bench|examples|\.)/.test(name)), []);
      const folder = await mkdtemp(join(tmpdir(), "maim-published-"));
      try {
        for (const name of files) {
          await mkdir(dirname(join(folder, name)), { recursive: true });
          await copyFile(join(ROOT, name), join(folder, name));
        }
        await writeFile(join(folder, "exchange.ts"), EXCHANGE);
        const command = runtimeProgram(runtime);
        const output = await run(command, [...FLAGS[runtime], "exchange.ts"], folder);
        // npx has its own say before it.
        assertEquals(output.split("\n").at(-1), "got hello");
      } finally {
        await rm(folder, { recursive: true, force: true });
      }
    });
  }
});
