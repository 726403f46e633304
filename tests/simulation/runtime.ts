/**
 * The third runtime behind the seam: a virtual clock and a network in memory. An import map puts it in the place of
 * `runtime/mod.ts`.
 * @module
 */

import type { Timer } from "../../runtime/clock.ts";
import type { Listener, Runtime } from "../../runtime/types.ts";
import { dial, HandshakeError } from "./client_socket.ts";
import type { Scheduled } from "./clock.ts";
import { get } from "./http_get.ts";
import type { Process } from "./process.ts";
import { ServerEnd, type SimRequest } from "./server_socket.ts";
import { sim } from "./simulation.ts";

const LONGEST_TIMER = 2 ** 31 - 1;
const FIRST_FREE_PORT = 40_000;
/** As in `runtime/deno.ts`. */
const SHUTDOWN_TIMEOUT = 1000;

function running(): Process {
  if (sim.running === null) throw new Error("no process is running");
  return sim.running;
}

function after(ms: number, callback: () => void): Timer {
  const process = running();
  const timer = sim.schedule(Math.max(1, Math.min(ms, LONGEST_TIMER)), process, () => {
    process.timers.delete(timer);
    callback();
  });
  process.timers.add(timer);
  return timer as unknown as Timer;
}

function cancel(timer: Timer | undefined): void {
  if (timer === undefined) return;
  const scheduled = timer as unknown as Scheduled;
  scheduled.isCancelled = true;
  (scheduled.owner as Process).timers.delete(scheduled);
}

function listen(
  port: number,
  limits: Parameters<Runtime["listen"]>[1],
  fetch: Parameters<Runtime["listen"]>[2],
): Listener {
  const process = running();
  while (port === 0 || sim.listeners.has(port)) port = FIRST_FREE_PORT + sim.listeners.size;
  sim.listeners.set(port, { process, limits, fetch });
  return { port, stop: () => stop(process, port) };
}

async function stop(process: Process, port: number): Promise<void> {
  if (sim.listeners.get(port)?.process === process) sim.listeners.delete(port);
  const ends = [...process.sockets].filter((end) => end instanceof ServerEnd);
  for (const end of ends) end.stop(process.flavour.canTerminate);
  if (process.flavour.canTerminate) return;
  const { promise, resolve } = Promise.withResolvers<void>();
  const until = sim.now + SHUTDOWN_TIMEOUT;
  const check = (): void => {
    if (ends.every((end) => end.isGone) || sim.now >= until) return resolve();
    sim.schedule(5, process, check);
  };
  check();
  await promise;
}

/** The simulated runtime. Each process has the flavour of Deno or of Bun. */
export const runtime: Runtime = {
  now: () => sim.now,
  after,
  cancel,
  get closeEndsInput(): boolean {
    return running().flavour.closeEndsInput;
  },
  get canPing(): boolean {
    return running().flavour.canPing;
  },
  get countsWholeFrames(): boolean {
    return running().flavour.countsWholeFrames;
  },
  dial: (url, { headers }) => dial(running(), { url, headers: { ...headers, upgrade: "websocket" } }),
  errorOf: (event) => (event as ErrorEvent).error,
  httpStatus: (error) => error instanceof HandshakeError ? error.status : null,
  isStringTooLong: () => false,
  hidesReason: () => false,
  get: (url, options) => get(running(), url.replace(/^ws/, "http"), options),
  proxyVariable: () => null,
  address: (request) => (request as unknown as SimRequest).end.address,
  upgrade: (request, _info, _limits, attach) =>
    (request as unknown as SimRequest).end.upgrade(attach) ? UPGRADED : null,
  listen: ({ port }, limits, fetch) => listen(port, limits, fetch),
};

const UPGRADED = new Response(null, { status: 200 });
