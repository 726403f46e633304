/**
 * One MaiBot in a folder of its own, which can be stopped and started again.
 * @module
 */

import { once } from "node:events";
import { type AddressInfo, createServer } from "node:net";
import process from "node:process";

import type { WaitOptions } from "../../support/peers/inbox.ts";
import type { ExitStatus, LineProcess } from "../../support/peers/process.ts";
import { configure } from "./config.ts";
import type { InstalledMaiBot } from "./python.ts";
import { makeFolder, removeFolder, spawnChild } from "./way_out.ts";

/** MaiBot's imports take several seconds on a busy machine. */
const START_MS = 120_000;
/** MaiBot gives itself 60 seconds to stop. */
const STOP_MS = 70_000;
const INIT_MS = 60_000;
const TOOL = "from src.cli.tool import main; raise SystemExit(main())";
/** The line that MaiBot writes once everything is there, and right before it listens. */
const READY = /全部系统初始化完成/;

/** A port that nobody has now: MaiBot binds its own without SO_REUSEADDR, so the last one may be taken for a minute. */
async function freePort(): Promise<number> {
  const server = createServer();
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  const { port } = server.address() as AddressInfo;
  server.close();
  await once(server, "close");
  return port;
}

/** A MaiBot; leaving its scope kills it and deletes its folder. */
export class MaiBot implements AsyncDisposable {
  readonly #installed: InstalledMaiBot;
  readonly #folder: string;
  readonly #modelUrl: string;
  #child: LineProcess | null = null;
  #port = 0;
  #hasEnded = false;

  /** Keeps the parts; use {@linkcode MaiBot.create}. */
  constructor(installed: InstalledMaiBot, folder: string, modelUrl: string) {
    this.#installed = installed;
    this.#folder = folder;
    this.#modelUrl = modelUrl;
  }

  /** Makes a new MaiBot, which is not started yet. */
  static async create(installed: InstalledMaiBot, modelUrl: string): Promise<MaiBot> {
    const maibot = new MaiBot(installed, await makeFolder(), modelUrl);
    try {
      await using child = maibot.#spawn("init");
      const { code } = await child.exit({ timeoutMs: INIT_MS });
      if (code !== 0) throw new Error(["Cannot make a MaiBot: init failed", ...child.lines].join("\n"));
      return maibot;
    } catch (error) {
      await maibot[Symbol.asyncDispose]();
      throw error;
    }
  }

  /** Port of the latest start. */
  get port(): number {
    return this.#port;
  }

  /** What an adapter dials, until the next start. */
  get url(): string {
    return `ws://127.0.0.1:${this.#port}/ws`;
  }

  /** Whether it has been started, and neither stopped nor ended by itself. */
  get isRunning(): boolean {
    return this.#child !== null && !this.#hasEnded;
  }

  /** Everything MaiBot has logged since its start. */
  get lines(): readonly string[] {
    return this.#child?.lines ?? [];
  }

  /** Starts it on a new port; resolves when it is about to listen. */
  async start(): Promise<void> {
    if (this.#child !== null) throw new Error("Cannot start MaiBot as it runs; stop it first");
    this.#port = await freePort();
    await configure(this.#folder, { port: this.#port, modelUrl: this.#modelUrl });
    this.#hasEnded = false;
    this.#child = this.#spawn("run", () => this.#hasEnded = true);
    await this.#child.line(READY, { timeoutMs: START_MS });
  }

  /** Takes the next line of its log that fits and that no earlier call has taken. */
  async logged(wanted: RegExp, { timeoutMs = 30_000 }: WaitOptions = {}): Promise<string> {
    if (this.#child === null) throw new Error("Cannot read the log of MaiBot as it does not run");
    return await this.#child.line(wanted, { timeoutMs });
  }

  /** Has it stop in its own way, as Ctrl-C does. */
  async stop(): Promise<ExitStatus> {
    const child = this.#child;
    if (child === null) throw new Error("Cannot stop MaiBot as it does not run");
    child.kill("SIGINT");
    const status = await child.exit({ timeoutMs: STOP_MS });
    this.#child = null;
    return status;
  }

  /** Kills it if it runs, and deletes its folder. */
  async [Symbol.asyncDispose](): Promise<void> {
    await this.#child?.[Symbol.asyncDispose]();
    this.#child = null;
    removeFolder(this.#folder);
  }

  #spawn(command: "init" | "run", onEnd: () => void = () => {}): LineProcess {
    const child = spawnChild(this.#installed.python, ["-c", TOOL, command, "-d", this.#folder], {
      cwd: this.#folder,
      onEnd,
      env: {
        TMPDIR: this.#folder, // its sockets
        PYTHONIOENCODING: "utf-8",
        // A proxy for everything would otherwise get what is meant for the fake model as well.
        NO_PROXY: [process.env.NO_PROXY, "127.0.0.1"].filter(Boolean).join(","),
      },
    });
    child.endInput(); // without a terminal it asks nothing
    return child;
  }
}
