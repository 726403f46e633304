/**
 * Counts what becomes of numbered messages while the server is killed and started again at random.
 * @module
 */

import process from "node:process";
import { fileURLToPath } from "node:url";

import {
  createMessage,
  type DropReason,
  MessageClient,
  MessageConnectionError,
  type MessageConnectionErrorCode,
  plainText,
  seg,
  type WireMessage,
} from "../../../mod.ts";
import { runtimeCommand, type RuntimeName, spawnLines } from "./process.ts";
import { PythonServer } from "./python.ts";

/** What is counted against what. */
export interface LossOptions {
  /** Who receives. */
  readonly server: "python" | RuntimeName;
  /** Numbered messages. */
  readonly messages: number;
  /** Times the server is killed. */
  readonly kills: number;
  /** Messages a second; `Infinity` is as fast as the outbox takes them. */
  readonly rate: number;
  /** What becomes of messages in doubt. */
  readonly inDoubt?: "report" | "resend";
}

/** What became of every number. */
export interface LossResult {
  readonly sent: number;
  readonly received: number;
  readonly reported: Partial<Record<DropReason, number>>;
  readonly thrown: Partial<Record<MessageConnectionErrorCode, number>>;
  /** Neither received nor reported nor thrown. */
  readonly silent: number;
  /** Reported although received. */
  readonly falseAlarms: number;
  /** Received more than once. */
  readonly duplicates: number;
  /** Received after a later number. */
  readonly disordered: number;
  /** Times the server was killed while numbers were being sent. */
  readonly killed: number;
  /** Largest resident memory of this process, and what it began with, MiB. */
  readonly rss: readonly [begin: number, peak: number];
  readonly seconds: number;
}

/** One incarnation of the server. */
interface Incarnation extends AsyncDisposable {
  readonly port: number;
  /** Texts received, in order, once it has ended. */
  texts(): string[];
  kill(): Promise<void>;
  stop(): Promise<void>;
}

const RECORDER = fileURLToPath(new URL("./recorder.ts", import.meta.url));

async function startPython(port: number): Promise<Incarnation> {
  const server = await PythonServer.start({ port });
  const lines = server.peer.process.lines;
  return {
    port: server.port,
    texts: () =>
      lines.filter((line) => line.startsWith('{"event": "message"')).map((line) => plainText(JSON.parse(line).data)),
    async kill() {
      server.peer.kill("SIGKILL");
      await server.peer.process.exit();
    },
    stop: async () => void await server.stop(),
    [Symbol.asyncDispose]: () => server[Symbol.asyncDispose](),
  };
}

async function startOurs(runtime: RuntimeName, port: number): Promise<Incarnation> {
  const server = spawnLines(...runtimeCommand(runtime, RECORDER, [`${port}`]));
  const url = await server.line(/^ws:/, { timeoutMs: 60_000 });
  return {
    port: Number(new URL(url).port),
    texts: () => server.lines.filter((line) => line.startsWith("got ")).map((line) => line.slice(4)),
    async kill() {
      server.kill("SIGKILL");
      await server.exit();
    },
    async stop() {
      server.endInput();
      await server.exit({ timeoutMs: 60_000 });
    },
    [Symbol.asyncDispose]: () => server[Symbol.asyncDispose](),
  };
}

function start(server: LossOptions["server"], port: number): Promise<Incarnation> {
  return server === "python" ? startPython(port) : startOurs(server, port);
}

const megabytes = (): number => Math.round(process.memoryUsage().rss / 2 ** 20);
const pause = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms));
const numberOf = (message: WireMessage): number => "message_info" in message ? Number(plainText(message)) : NaN;

/** Runs one count. */
export async function countLoss(
  { server, messages, kills, rate, inDoubt = "report" }: LossOptions,
): Promise<LossResult> {
  const began = performance.now();
  const rss: [number, number] = [megabytes(), 0];
  let current = await start(server, 0);
  const { port } = current;
  const received: number[] = [];
  const reported = new Map<number, DropReason>();
  const thrown = new Map<number, MessageConnectionErrorCode>();
  let killed = 0;
  await using client = new MessageClient(`ws://127.0.0.1:${port}/ws`, {
    platform: "qq",
    reconnect: { minDelay: 50, maxDelay: 500 },
    outbox: { inDoubt },
  });
  client.on("drop", ({ message, reason }) => void reported.set(numberOf(message), reason));
  const opened = () => {
    const { promise, resolve } = Promise.withResolvers<void>();
    const remove = client.on("status", ({ state }) => void (state === "open" && (remove(), resolve())));
    return promise;
  };
  await client.connect();

  const sending = async () => {
    const first = performance.now();
    for (let number = 0; number < messages;) {
      const due = rate === Infinity ? number + 200 : (performance.now() - first) / 1000 * rate;
      for (; number < Math.min(due, messages); number++) {
        try {
          client.send(createMessage({ platform: "qq", user: "10001" }, seg.text(`${number}`)));
        } catch (error) {
          if (!(error instanceof MessageConnectionError)) throw error;
          thrown.set(number, error.code);
        }
      }
      rss[1] = Math.max(rss[1], megabytes());
      // Without a pace, what the outbox takes is the pace.
      if (rate === Infinity) { while (client.stats.waiting > 500) await pause(1); }
      await pause(rate === Infinity ? 0 : 2);
    }
  };

  let isSending = true;
  const killing = async () => {
    const first = performance.now();
    const span = messages / (rate === Infinity ? 20_000 : rate) * 1000 / (kills + 1);
    for (let kill = 1; kill <= kills; kill++) {
      // Spread over the sending, each at a moment of its own; without a pace there is nothing to spread over.
      const at = first + span * (kill + Math.random() - 0.5);
      await pause(Math.max(rate === Infinity ? 20 : 0, at - performance.now()));
      if (!isSending) return;
      await current.kill();
      killed++;
      received.push(...current.texts().map(Number));
      await current[Symbol.asyncDispose]();
      const again = opened();
      current = await start(server, port);
      await again;
    }
  };
  await Promise.all([sending().then(() => isSending = false), killing()]);
  // A number of its own tells when the server has handled all before it; a fall meanwhile would be a result too.
  client.send(createMessage({ platform: "qq", user: "10001" }, seg.text("last")));
  const deadline = performance.now() + 30_000;
  while (!current.texts().includes("last") && performance.now() < deadline) await pause(20);
  await client.close();
  await current.stop();
  received.push(...current.texts().map(Number));
  await current[Symbol.asyncDispose]();

  received.splice(0, received.length, ...received.filter((number) => !Number.isNaN(number)));
  const unique = new Set(received);
  const numbers = Array.from({ length: messages }, (_, number) => number);
  const tally = <T extends string>(reasons: Iterable<T>): Partial<Record<T, number>> => {
    const counts: Partial<Record<T, number>> = {};
    for (const reason of reasons) counts[reason] = (counts[reason] ?? 0) + 1;
    return counts;
  };
  return {
    sent: messages,
    received: unique.size,
    reported: tally(reported.values()),
    thrown: tally(thrown.values()),
    silent: numbers.filter((number) => !unique.has(number) && !reported.has(number) && !thrown.has(number)).length,
    falseAlarms: [...reported.keys()].filter((number) => unique.has(number)).length,
    duplicates: received.length - unique.size,
    disordered: received.filter((number, index) => index > 0 && number < (received[index - 1] ?? 0)).length,
    killed,
    rss,
    seconds: Math.round((performance.now() - began) / 1000),
  };
}
