/**
 * Builds and runs the load generator, and starts the servers it loads.
 * @module
 */

import { spawnSync } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import process from "node:process";

import { findProgram, type LineProcess, type RuntimeName, spawnLines } from "../tests/support/peers/process.ts";
import { outputOf, pathOf, pinned, print, scriptCommand } from "./options.ts";

/** Version of the peer on Node. */
const WS_VERSION = "8.23.0";
const START_MS = 60_000;

/** A server process that tells its port. */
export interface Target {
  readonly name: string;
  readonly port: number;
  readonly path: string;
  readonly process: LineProcess;
}

/** What a server is started by. */
export interface TargetPlan {
  readonly name: string;
  readonly command: readonly string[];
  /** @default {"/ws"} */
  readonly path?: string;
  readonly env?: Readonly<Record<string, string>>;
}

/** What one run of the load generator has found. */
export interface LoadResult {
  /** Messages that came back, or deliveries, per second. */
  readonly rate: number;
  /** Microseconds. */
  readonly p50: number;
  readonly p99: number;
  /** Share of a core: near 1, the load generator itself is what was measured. */
  readonly loadShare: number;
  readonly serverShare: number;
  /** Microseconds of the server's CPU per message. */
  readonly cpuUs: number;
  /** Resident memory of the server before the first connection. */
  readonly emptyKb: number;
  readonly fullKb: number;
}

/** How one run loads a server. */
export interface LoadPlan {
  readonly mode: "echo" | "broadcast" | "idle";
  readonly connections: number;
  /** Messages under way on each. */
  readonly depth: number;
  readonly warmMs: number;
  readonly runMs: number;
  readonly payload: string;
}

/** A folder outside the tree for what is built at bench time; gone when its scope ends. */
export class Workshop {
  readonly #folder = mkdtempSync(join(tmpdir(), "maim-bench-"));
  #load: string | undefined;
  #ws: string | undefined;

  /** Names a file in the folder. */
  path(name: string): string {
    return join(this.#folder, name);
  }

  /** Runs the load generator, built at its first use, on a core of its own. */
  load(target: Target, plan: LoadPlan): LoadResult {
    return JSON.parse(outputOf(this.#loadCommand(target, plan)));
  }

  /** Starts the load generator, which prints nothing before its end unless it fails. */
  startLoad(target: Target, plan: LoadPlan): LineProcess {
    const [program = "", ...args] = this.#loadCommand(target, plan);
    return spawnLines(program, args);
  }

  /** Installs `ws` for Node at its first use; null where there is no Node, or no registry. */
  ws(): string | null {
    if (findProgram("node") === undefined || findProgram("npm") === undefined) return null;
    if (this.#ws === undefined) {
      const args = ["install", "--silent", "--no-save", "--prefix", this.#folder, `ws@${WS_VERSION}`];
      const { status } = spawnSync("npm", args, { timeout: 120_000 });
      this.#ws = status === 0 ? this.path("node_modules/ws") : "";
    }
    return this.#ws === "" ? null : this.#ws;
  }

  #loadCommand(target: Target, { mode, connections, depth, warmMs, runMs, payload }: LoadPlan): string[] {
    this.#load ??= this.#buildLoad();
    const file = this.path("payload.json");
    writeFileSync(file, payload);
    const numbers = [target.process.pid, connections, depth, warmMs, runMs].map(String);
    return pinned(1, [this.#load, mode, `${target.port}`, target.path, ...numbers, file]);
  }

  #buildLoad(): string {
    const compiler = findProgram("gcc") ?? findProgram("cc");
    if (compiler === undefined) {
      throw new Error("Cannot load servers as there must be a C compiler: found no gcc or cc");
    }
    const program = this.path("load");
    outputOf([compiler, "-O2", "-o", program, pathOf("load.c")]);
    return program;
  }

  /** Removes the folder. */
  [Symbol.dispose](): void {
    rmSync(this.#folder, { recursive: true, force: true });
  }
}

/** Plans a server by hand on a bare runtime. */
export function plainPlan(runtime: RuntimeName, mode: string): TargetPlan {
  return { name: `${runtime} ${mode}`, command: scriptCommand(runtime, "servers/plain.ts", [mode]) };
}

/** Plans a `MessageServer` of ours. */
export function oursPlan(runtime: RuntimeName, mode: string): TargetPlan {
  return { name: `${runtime} ours ${mode}`, command: scriptCommand(runtime, "servers/ours.ts", [mode]) };
}

const leftOut = new Set<string>();

/** Says once what is missing. */
function leaveOut(what: string): [] {
  if (!leftOut.has(what)) print(`Left out: ${what}\n`);
  leftOut.add(what);
  return [];
}

/** Plans `ws` on Node; nothing, visibly, where it can not be had. */
export function nodePlan(workshop: Workshop, mode: string): TargetPlan[] {
  const ws = workshop.ws();
  if (ws === null) return leaveOut(`Node, as there is no node or npm, or no registry that has ws ${WS_VERSION}`);
  return [{ name: `node ws ${mode}`, command: ["node", pathOf("servers/node_ws.mjs"), mode], env: { NODE_WS: ws } }];
}

/** Plans a server of maim_message 0.6.8; nothing, visibly, where `MAIM_PYTHON` names no Python that has it. */
export function pythonPlan(mode: string): TargetPlan[] {
  const python = process.env.MAIM_PYTHON;
  if (python === undefined) return leaveOut("Python, as MAIM_PYTHON is not set");
  if (spawnSync(python, ["-c", "import maim_message"]).status !== 0) {
    return leaveOut(`Python, as "${python}" can not import maim_message`);
  }
  return [{ name: `python ${mode}`, command: [python, "-B", pathOf("servers/python.py"), mode] }];
}

/** Starts a server on the first core and waits for its port. */
export async function startTarget({ name, command, path = "/ws", env = {} }: TargetPlan): Promise<Target> {
  const [program = "", ...args] = pinned(0, command);
  const running = spawnLines(program, args, { env });
  try {
    const line = await running.line(/^port \d+$/, { timeoutMs: START_MS });
    return { name, port: Number(line.slice(5)), path, process: running };
  } catch (error) {
    await running[Symbol.asyncDispose]();
    throw error;
  }
}

/** Starts servers, lends them out, and ends them whatever happens. */
export async function withTargets<T>(
  plans: readonly TargetPlan[],
  use: (targets: readonly Target[]) => T | Promise<T>,
): Promise<T> {
  const targets: Target[] = [];
  try {
    for (const plan of plans) targets.push(await startTarget(plan));
    return await use(targets);
  } finally {
    await Promise.all(targets.map((target) => target.process[Symbol.asyncDispose]()));
  }
}
