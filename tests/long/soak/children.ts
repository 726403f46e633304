/**
 * The processes a soak has started: all of them end with it, however it ends.
 * @module
 */

import { constants } from "node:os";
import process from "node:process";
import { fileURLToPath } from "node:url";

import {
  currentRuntime,
  findProgram,
  type LineProcess,
  runtimeCommand,
  spawnLines,
  type SpawnOptions,
} from "../../support/peers/process.ts";
import { Worker } from "./worker.ts";

/** Milliseconds between two looks at whether whoever started us is still there. */
const PARENT_LOOK = 1000;

/** Gives way to the server and to what measures it, where the system knows how. */
function gently(command: string, args: string[]): [command: string, args: string[]] {
  const nice = findProgram("nice");
  return nice === undefined ? [command, args] : [nice, ["-n", "10", command, ...args]];
}

/** Starts processes and ends them. */
export class Children {
  readonly #running = new Set<LineProcess>();

  /** Ends all of them when this process ends: by itself, by a signal, or as the one that started it is gone. */
  constructor() {
    process.on("exit", () => this.#killAll());
    // Deno 2.9 ends without "exit" after one of these.
    for (const event of ["uncaughtException", "unhandledRejection"] as const) {
      process.on(event, (error: unknown) => {
        process.stderr.write(`${error instanceof Error ? error.stack : error}\n`);
        this.#leave(1);
      });
    }
    for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"] as const) {
      process.on(signal, () => this.#leave(128 + constants.signals[signal]));
    }
    this.#watchParent(process.ppid);
  }

  /** Starts a program. */
  spawn(command: string, args: readonly string[], options: SpawnOptions = {}): LineProcess {
    const child: LineProcess = spawnLines(command, args, {
      ...options,
      onEnd: () => {
        this.#running.delete(child);
        options.onEnd?.();
      },
    });
    this.#running.add(child);
    return child;
  }

  /** Starts a program of `programs/` that loads a server; it gives way to the others. */
  load<Answers extends object>(name: string): Worker<Answers> {
    return new Worker(this.spawn(...gently(...programCommand(name))));
  }

  /** Starts a program of `programs/` that measures. */
  measure<Answers extends object>(name: string): Worker<Answers> {
    return new Worker(this.spawn(...programCommand(name)));
  }

  #killAll(): void {
    for (const child of this.#running) child.kill("SIGKILL");
  }

  #leave(code: number): void {
    this.#killAll();
    process.exit(code);
  }

  // A task runner that is killed does not tell.
  #watchParent(parent: number): void {
    if (process.ppid !== parent) this.#leave(1);
    setTimeout(() => this.#watchParent(parent), PARENT_LOOK).unref();
  }
}

function programCommand(name: string): [command: string, args: string[]] {
  return runtimeCommand(currentRuntime, fileURLToPath(new URL(`programs/${name}.ts`, import.meta.url)));
}
