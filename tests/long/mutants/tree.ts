/**
 * A copy of the repository in a temporary folder, in which tests run against changed code.
 * @module
 */

import { spawn } from "node:child_process";
import { cpSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, relative } from "node:path";
import process from "node:process";
import { pathToFileURL } from "node:url";

import { readText, ROOT } from "../../support/package.ts";

/** How a run of tests ended. */
export interface TestRun {
  readonly outcome: "passed" | "failed" | "timeout";
  readonly seconds: number;
  readonly output: string;
}

interface Imports {
  isJsrReachable(): Promise<boolean>;
  writeImportMap(): string;
}

const NOT_COPIED = /^(?:\.git|node_modules|coverage|bench|examples)(?:[/\\]|$)/;

/** A copy of the repository. */
export class Tree {
  readonly #folder: string;
  readonly #flags: readonly string[];
  readonly #running = new Set<number>();

  private constructor(folder: string, flags: readonly string[]) {
    this.#folder = folder;
    this.#flags = flags;
  }

  /** Copies the repository. */
  static async create(): Promise<Tree> {
    const folder = mkdtempSync(join(tmpdir(), "maim-mutants-"));
    try {
      cpSync(ROOT, folder, { recursive: true, filter: (path) => !NOT_COPIED.test(relative(ROOT, path)) });
      // The copy's own module, as the map leads to the copy's files.
      const imports: Imports = await import(pathToFileURL(join(folder, "tests/support/std/imports.ts")).href);
      const map = await imports.isJsrReachable() ? [] : [`--import-map=${imports.writeImportMap()}`];
      return new Tree(folder, ["-A", "--no-check", "--node-modules-dir=auto", ...map]);
    } catch (error) {
      rmSync(folder, { recursive: true, force: true });
      throw error;
    }
  }

  /** Changes a file of the copy. */
  write(file: string, source: string): void {
    writeFileSync(join(this.#folder, file), source);
  }

  /** Gives a file of the copy its text back. */
  restore(file: string): void {
    this.write(file, readText(file));
  }

  /** Runs one test file up to its first failure, for so many milliseconds at most. */
  runTest(test: string, limit: number): Promise<TestRun> {
    return this.#run(["test", ...this.#flags, "--fail-fast", test], limit);
  }

  /** Runs one test file and gives what ran, as lcov. */
  async measure(test: string, limit: number, files: readonly string[]): Promise<TestRun & { lcov: string }> {
    const data = join(this.#folder, "coverage");
    rmSync(data, { recursive: true, force: true });
    const run = await this.#run(["test", ...this.#flags, `--coverage=${data}`, test], limit);
    if (run.outcome !== "passed") return { ...run, lcov: "" };
    const include = files.map((file) => pathToFileURL(join(this.#folder, file)).href.replaceAll(".", "\\."));
    const { output, outcome } = await this.#run(
      ["coverage", data, "--lcov", `--include=^(?:${include.join("|")})$`],
      60_000,
    );
    // A test that only starts programs runs nothing itself.
    if (output.includes("No covered files")) return { ...run, lcov: "" };
    if (outcome !== "passed") throw new Error(`Cannot read the coverage of ${test}:\n${output}`);
    return { ...run, lcov: output };
  }

  /** The path of a file from the root of the copy. */
  pathOf(path: string): string {
    return relative(this.#folder, path).replaceAll("\\", "/");
  }

  /** Ends what still runs and removes the copy. */
  [Symbol.dispose](): void {
    for (const group of this.#running) this.#kill(group);
    rmSync(this.#folder, { recursive: true, force: true });
  }

  #kill(group: number): void {
    try {
      process.kill(-group, "SIGKILL");
    } catch {
      // All of its processes have ended.
    }
  }

  /** Runs Deno as the leader of a process group: a test that is killed must leave no program behind. */
  #run(args: readonly string[], limit: number): Promise<TestRun> {
    const began = performance.now();
    const { promise, resolve, reject } = Promise.withResolvers<TestRun>();
    const child = spawn(Deno.execPath(), args, {
      cwd: this.#folder,
      env: { ...process.env, NO_COLOR: "1", MAIM_DENO: Deno.execPath() },
      stdio: ["ignore", "pipe", "pipe"],
      detached: true,
    });
    const group = child.pid;
    if (group !== undefined) this.#running.add(group);
    const end = (): void => {
      if (group !== undefined) this.#kill(group);
    };
    let isLate = false;
    const timer = setTimeout(() => {
      isLate = true;
      end();
    }, limit);
    let output = "";
    for (const stream of [child.stdout, child.stderr]) {
      stream.setEncoding("utf8").on("data", (text: string) => output += text);
    }
    child.on("error", reject);
    child.on("close", (code: number | null) => {
      clearTimeout(timer);
      end(); // programs that a failed test has left behind
      if (group !== undefined) this.#running.delete(group);
      const outcome = isLate ? "timeout" : code === 0 ? "passed" : "failed";
      resolve({ outcome, seconds: (performance.now() - began) / 1000, output });
    });
    return promise;
  }
}
