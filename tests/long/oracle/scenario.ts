/**
 * What is to happen in one run, all of it drawn from a seed.
 * @module
 */

import { Random } from "../../simulation/random.ts";
import type { RuntimeName } from "../../support/peers/process.ts";
import type { ServerSpec } from "./our_server.ts";

/** Who serves. */
export type ServerName = RuntimeName | "python";

/** What can be done to a line or to a server. */
export type FaultName =
  | "reset"
  | "fin"
  | "half-open up"
  | "half-open down"
  | "half-open"
  | "stall"
  | "freeze the line"
  | "cut after 101"
  | "peer.close()"
  | "newest wins"
  | "removeToken"
  | "removeToken and addToken"
  | "server.close() and restart"
  | "server.close()"
  | "SIGKILL and restart"
  | "SIGSTOP";

/** One thing that happens, some milliseconds after the first connection. */
export type Step =
  | { readonly at: number; readonly do: "send"; readonly count: number; readonly size: number }
  | { readonly at: number; readonly do: "serverSend"; readonly count: number }
  | { readonly at: number; readonly do: "fault"; readonly fault: FaultName; readonly ms: number };

/** One run. */
export interface Scenario {
  readonly seed: number;
  readonly server: ServerName;
  /** The server is a process that only this run uses. */
  readonly hasOwnProcess: boolean;
  readonly spec: ServerSpec;
  readonly client: {
    readonly heartbeat: { readonly interval: number; readonly timeout: number };
    readonly outbox: { readonly doubt: number; readonly inDoubt: "report" | "resend" };
    readonly reconnect: { readonly minDelay: number; readonly maxDelay: number };
    readonly connectTimeout: number;
    readonly closeTimeout: number;
  };
  readonly steps: readonly Step[];
  readonly end: {
    /** Before the last messages, waits until the client is open and everything is sent and, if possible, confirmed. */
    readonly isQuiet: boolean;
    /** Milliseconds that pass before that. */
    readonly pause: number;
    /** Messages sent just before `close()`. */
    readonly last: number;
    readonly first: "client" | "server" | "both";
  };
}

const ON_LINE: readonly FaultName[] = [
  "reset",
  "fin",
  "half-open up",
  "half-open down",
  "half-open",
  "stall",
  "freeze the line",
  "cut after 101",
];
const ON_SERVER: readonly FaultName[] = ["peer.close()", "newest wins", "removeToken", "removeToken and addToken"];
const ON_OURS: readonly FaultName[] = ["server.close() and restart", "server.close() and restart", "server.close()"];
const ON_PROCESS: readonly FaultName[] = ["SIGKILL and restart", "SIGSTOP", "server.close() and restart"];
/** Share of runs with a server that is killed, frozen and started again. */
const OWN_PROCESS = { ours: 0.15, python: 0.08 };
/** Shares of what makes most runs short, as nothing comes after it. */
const FINAL: ReadonlySet<FaultName> = new Set(["newest wins", "removeToken", "server.close()"]);
const KEEPS_FINAL = 0.4;

function drawFault(random: Random, isPython: boolean, hasOwnProcess: boolean): FaultName {
  if (hasOwnProcess && random.chance(0.6)) return random.pick(ON_PROCESS);
  const all = [...ON_LINE, ...ON_LINE, ...ON_SERVER, ...isPython || hasOwnProcess ? [] : ON_OURS];
  const fault = random.pick(all);
  return FINAL.has(fault) && !random.chance(KEEPS_FINAL) ? random.pick(ON_LINE) : fault;
}

function drawSteps(random: Random, isPython: boolean, hasOwnProcess: boolean): Step[] {
  const span = random.int(50, 500);
  const steps: Step[] = [];
  for (let left = random.int(2, 8); left > 0; left--) {
    const size = random.chance(0.05) ? 50_000 : random.scale(10, 2000);
    steps.push({ at: random.int(0, span), do: "send", count: random.scale(1, 40), size });
  }
  for (let left = random.int(0, 5); left > 0; left--) {
    steps.push({ at: random.int(0, span), do: "serverSend", count: random.scale(1, 20) });
  }
  for (let left = random.int(1, 3); left > 0; left--) {
    const fault = drawFault(random, isPython, hasOwnProcess);
    steps.push({ at: random.int(0, span), do: "fault", fault, ms: random.int(20, 600) });
  }
  return steps.toSorted((one, other) => one.at - other.at);
}

/** Draws a run. */
export function drawScenario(seed: number, server: ServerName): Scenario {
  const random = new Random(seed);
  const isPython = server === "python";
  const hasOwnProcess = random.chance(isPython ? OWN_PROCESS.python : OWN_PROCESS.ours);
  const spec: ServerSpec = {
    token: random.chance(0.5) ? `token${seed}` : null,
    messagesPerSecond: !isPython && random.chance(0.15) ? random.int(5, 60) : null,
    closeTimeout: random.int(300, 800),
    closesPeerAt: !isPython && random.chance(0.15) ? random.int(1, 40) : 0,
    answers: !isPython && random.chance(0.4),
  };
  return {
    seed,
    server,
    hasOwnProcess,
    spec,
    client: {
      heartbeat: { interval: 100, timeout: 150 },
      // To a server that cannot confirm messages, as long as it takes to notice that it is silent, and a little more.
      outbox: { doubt: isPython ? 300 : 200, inDoubt: random.chance(0.2) ? "resend" : "report" },
      reconnect: { minDelay: 10, maxDelay: 50 },
      connectTimeout: 400,
      closeTimeout: random.int(150, 800),
    },
    steps: drawSteps(random, isPython, hasOwnProcess),
    end: {
      isQuiet: random.chance(0.6),
      pause: random.chance(0.5) ? 0 : random.scale(20, 600),
      last: random.chance(0.7) ? random.scale(1, 30) : 0,
      first: random.pick(["client", "server", "both"]),
    },
  };
}
