/**
 * Runs a deno subcommand with the packages of JSR, or with the stand-ins beside this file where JSR does not answer:
 *
 *     deno run -A tests/support/std/run.ts test|bench|run|check [arguments]
 *     deno run -A tests/support/std/run.ts all [test files]
 *
 * `all` runs the tests and the examples of the documentation in Deno, then the tests in Bun, and ends with one line
 * that counts both. Environment: `JSR_URL`, `MAIM_BUN` (the program), `MAIM_PEERS=required` (nothing may be missing).
 * @module
 */

import { existsSync } from "node:fs";
import { fileURLToPath } from "node:url";

import { runtimeIssue, runtimeProgram } from "../peers/process.ts";
import { addCounts, type Counts, formatCounts, judgeRun, readBunSummary, readDenoSummary } from "./summary.ts";

const SUBCOMMANDS = ["test", "bench", "run", "check"];
const PROBE_TIMEOUT_MS = 3000;
const RUN_LIMIT_MS = 30 * 60_000;
const ROOT = fileURLToPath(new URL("../../../", import.meta.url));
const IMPORT_MAP = fileURLToPath(new URL("import_map.json", import.meta.url));
const BUN_CONFIG = "tests/support/std/tsconfig.bun.json";
const DOCUMENTED = [
  "mod",
  "schema",
  "schema/rules",
  "codec",
  "client",
  "client/client",
  "client/router",
  "server",
  "server/server",
  ...["decode", "encode", "split", "stream/segment_bytes", "stream/segment_decoder", "stream/segment_encoder"].map((
    name,
  ) => `codec/${name}`),
  ...["mod", "config", "echo", "fake/fake", "issues", "reply_target"].map((name) => `maibot/${name}`),
].map((name) => `${name}.ts`);
const READMES = ["README.md", "README.zh.md"];

function print(line: string): void {
  // deno-lint-ignore no-console -- this is a program.
  console.log(line);
}

/** Tells whether JSR serves packages to this machine. */
async function isJsrReachable(): Promise<boolean> {
  const base = Deno.env.get("JSR_URL") ?? "https://jsr.io/";
  try {
    const response = await fetch(new URL("@std/assert/meta.json", base), {
      signal: AbortSignal.timeout(PROBE_TIMEOUT_MS),
    });
    const text = await response.text();
    return response.ok && text.includes('"versions"');
  } catch {
    // Unresolved, refused, too slow or not HTTP: all the same to us.
    return false;
  }
}

/** Says which packages are used and gives the options that make it so. */
async function chooseImports(): Promise<string[]> {
  const isReachable = await isJsrReachable();
  print(isReachable ? "@std: from JSR" : "@std: the stand-ins in tests/support/std, as JSR does not answer");
  return isReachable ? [] : [`--import-map=${IMPORT_MAP}`];
}

/** Runs a program on our own terminal and gives its exit code. */
async function runInherited(command: string, args: readonly string[]): Promise<number> {
  // Ctrl-C reaches the child as well; it ends in its own way, and we after it.
  const ignore = () => {};
  Deno.addSignalListener("SIGINT", ignore);
  try {
    return (await new Deno.Command(command, { args: [...args], stdin: "inherit" }).spawn().status).code;
  } finally {
    Deno.removeSignalListener("SIGINT", ignore);
  }
}

/** Runs a program, shows what it prints and keeps it. */
async function runRecorded(command: string, args: readonly string[]): Promise<{ output: string; isSuccess: boolean }> {
  print(`$ ${[command, ...args].join(" ")}`);
  const child = new Deno.Command(command, {
    args: [...args],
    cwd: ROOT,
    // What runs in Bun finds this very Deno, even where none is on the PATH.
    env: { MAIM_DENO: Deno.env.get("MAIM_DENO") ?? Deno.execPath() },
    stdin: "null",
    stdout: "piped",
    stderr: "piped",
    signal: AbortSignal.timeout(RUN_LIMIT_MS),
  }).spawn();
  const terminal = Deno.stdout.writable.getWriter();
  const record = async (stream: ReadableStream<Uint8Array>): Promise<string> => {
    let text = "";
    const decoder = new TextDecoder();
    for await (const chunk of stream) {
      await terminal.write(chunk);
      text += decoder.decode(chunk, { stream: true });
    }
    return text;
  };
  const [stdout, stderr, { success }] = await Promise.all([record(child.stdout), record(child.stderr), child.status]);
  terminal.releaseLock();
  return { output: `${stdout}\n${stderr}`, isSuccess: success };
}

async function testInDeno(files: readonly string[]): Promise<Counts> {
  const everything = ["tests/", ...[...DOCUMENTED, ...READMES].filter((name) => existsSync(ROOT + name))];
  const { output, isSuccess } = await runRecorded(Deno.execPath(), [
    "test",
    "-A",
    "--node-modules-dir=auto",
    ...await chooseImports(),
    "--doc",
    ...(files.length === 0 ? everything : files),
  ]);
  return judgeRun(readDenoSummary(output), isSuccess);
}

async function testInBun(files: readonly string[]): Promise<Counts> {
  const tests = files.filter((file) => !/\.md$|^(?:\.\/)?\w+\.ts$/.test(file));
  if (files.length > 0 && tests.length === 0) return { passed: 0, failed: 0, skipped: 0 };
  const issue = runtimeIssue("bun");
  if (issue !== null) {
    const isRequired = Deno.env.get("MAIM_PEERS") === "required";
    print(`${isRequired ? "FAILED" : "SKIPPED"}: Bun, as ${issue}`);
    return { passed: 0, failed: isRequired ? 1 : 0, skipped: isRequired ? 0 : 1 };
  }
  const command = runtimeProgram("bun");
  const { output, isSuccess } = await runRecorded(command, [
    "test",
    `--tsconfig-override=${BUN_CONFIG}`,
    "--timeout",
    "120000",
    ...(files.length === 0 ? ["./tests/"] : tests.map((file) => /^\.?\//.test(file) ? file : `./${file}`)),
  ]);
  return judgeRun(readBunSummary(output), isSuccess);
}

async function testAll(files: readonly string[]): Promise<number> {
  const counts = addCounts([await testInDeno(files), await testInBun(files)]);
  print(formatCounts(counts));
  return counts.failed === 0 ? 0 : 1;
}

async function main([subcommand = "", ...args]: readonly string[]): Promise<number> {
  if (subcommand === "all") return await testAll(args);
  if (SUBCOMMANDS.includes(subcommand)) {
    return await runInherited(Deno.execPath(), [subcommand, ...await chooseImports(), ...args]);
  }
  print(`Expected one of ${["all", ...SUBCOMMANDS].join(", ")}; got "${subcommand}"`);
  return 2;
}

if (import.meta.main) Deno.exit(await main(Deno.args));
