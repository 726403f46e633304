/**
 * The server under test: `server.ts` as people run it, in a process of its own.
 * @module
 */

import { readFileSync, writeFileSync } from "node:fs";
import { createServer } from "node:net";
import { fileURLToPath } from "node:url";

import { createMessage, seg } from "../../../mod.ts";
import { type LineProcess, runtimeCommand, type RuntimeName } from "../../support/peers/process.ts";
import { RawPeer } from "../../support/peers/raw.ts";
import type { Children } from "./children.ts";
import { pause } from "./pause.ts";

const PROGRAM = fileURLToPath(new URL("../../../server.ts", import.meta.url));
const START_MS = 60_000;
/** Linux counts the time of a process in hundredths of a second. */
const TICKS = 100;

/** What of a process can be seen from outside. Linux only. */
export class Vitals {
  readonly #pid: number;

  /** Looks at a process. */
  constructor(pid: number) {
    this.#pid = pid;
  }

  /** Resident memory, MiB. */
  get rss(): number {
    return this.#mebibytes("VmRSS");
  }

  /** The most resident memory since {@linkcode Vitals.resetPeak}, MiB. */
  get peak(): number {
    return this.#mebibytes("VmHWM");
  }

  /** Seconds of a core used so far. */
  get cpu(): number {
    const stat = readFileSync(`/proc/${this.#pid}/stat`, "utf8");
    const [user, system] = stat.slice(stat.lastIndexOf(")")).split(" ").slice(12, 14).map(Number);
    return ((user ?? NaN) + (system ?? NaN)) / TICKS;
  }

  /** Starts {@linkcode Vitals.peak} anew. */
  resetPeak(): void {
    writeFileSync(`/proc/${this.#pid}/clear_refs`, "5");
  }

  #mebibytes(name: string): number {
    const status = readFileSync(`/proc/${this.#pid}/status`, "utf8");
    return Number(new RegExp(`${name}:\\s+(\\d+)`).exec(status)?.[1]) / 1024;
  }
}

/** A port nobody listens on: `--quiet` does not print the one of the metrics. */
async function freePort(): Promise<number> {
  const server = createServer();
  const { promise, resolve, reject } = Promise.withResolvers<void>();
  server.once("error", reject);
  server.listen(0, "127.0.0.1", resolve);
  await promise;
  const address = server.address();
  await new Promise((resolve) => server.close(resolve));
  if (address === null || typeof address === "string") throw new Error("Cannot find a free port");
  return address.port;
}

/** A running `server.ts --echo`. */
export class Target implements AsyncDisposable {
  readonly url: string;
  readonly token: string | undefined;
  readonly vitals: Vitals;
  readonly #process: LineProcess;
  readonly #metricsUrl: string;

  private constructor(child: LineProcess, url: string, metricsUrl: string, token: string | undefined) {
    this.#process = child;
    this.url = url;
    this.token = token;
    this.vitals = new Vitals(child.pid);
    this.#metricsUrl = metricsUrl;
  }

  /** Starts one; with a token, it asks for it. */
  static async start(children: Children, runtime: RuntimeName, token?: string): Promise<Target> {
    const port = await freePort();
    const tokens = token === undefined ? [] : ["--token", token];
    const args = ["--port", "0", "--metrics", `${port}`, "--echo", "--quiet", ...tokens];
    const child = children.spawn(...runtimeCommand(runtime, PROGRAM, args));
    try {
      const url = await child.line(/^ws:/, { timeoutMs: START_MS });
      return new Target(child, url, `http://127.0.0.1:${port}/metrics`, token);
    } catch (error) {
      await child[Symbol.asyncDispose]();
      throw error;
    }
  }

  /** What the server has printed on its own account. */
  get lines(): readonly string[] {
    return this.#process.lines;
  }

  /** The figures of `/metrics`, by name without `maim_` and `_total`. */
  async figures(): Promise<Readonly<Record<string, number>>> {
    const response = await fetch(this.#metricsUrl, { signal: AbortSignal.timeout(30_000) });
    const lines = (await response.text()).split("\n").filter((line) => line.startsWith("maim_"));
    return Object.fromEntries(lines.map((line) => {
      const [name = "", value] = line.split(" ");
      return [name.replace(/^maim_|_total$/g, ""), Number(value)];
    }));
  }

  /** Waits until a figure is what it should be, at most so long; gives the last one seen. */
  async settled(name: string, wanted: number, timeoutMs: number): Promise<number> {
    const end = performance.now() + timeoutMs;
    for (;;) {
      const value = (await this.figures())[name] ?? NaN;
      if (value === wanted || performance.now() > end) return value;
      await pause(100);
    }
  }

  /** Tells whether somebody who comes now is let in and gets an echo. */
  async welcomes(): Promise<boolean> {
    const authorization = this.token === undefined ? [] : [["authorization", this.token] as const];
    try {
      await using peer = await RawPeer.connect(this.url, { headers: [["platform", "newcomer"], ...authorization] });
      peer.text(JSON.stringify(createMessage({ platform: "newcomer", user: "1" }, seg.text("hello"))));
      return await peer.message({ timeoutMs: 10_000 }) !== null;
    } catch {
      return false; // refused, closed or too slow: no welcome, whichever
    }
  }

  /** Kills the process. */
  [Symbol.asyncDispose](): Promise<void> {
    return this.#process[Symbol.asyncDispose]();
  }
}
