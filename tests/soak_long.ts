/**
 * Long runs against `server.ts` as a program: giants, a peer that never reads, coming and going, and a steady load.
 *
 * Run: `deno task soak [SECONDS]` (default 600 for the steady load, a fifth of it for the coming and going), or under
 * Bun `bun --tsconfig-override=tests/std/tsconfig.bun.json tests/soak_long.ts`. Prints one line per run and server.
 * @module
 */

import { readFileSync } from "node:fs";
import process from "node:process";
import { fileURLToPath } from "node:url";

import { createMessage, MessageClient, plainText, seg } from "../mod.ts";
import { withTimeout } from "./peers/inbox.ts";
import { type LineProcess, runtimeCommand, type RuntimeName, spawnLines } from "./peers/process.ts";
import { RawPeer } from "./peers/raw.ts";

const SECONDS = Number(process.argv[2] ?? 600);
const PROGRAM = fileURLToPath(new URL("../server.ts", import.meta.url));
const pause = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms));
const say = (line: string): void => void process.stdout.write(`${line}\n`);

/** A running echo server. */
interface Server extends AsyncDisposable {
  readonly url: string;
  readonly program: LineProcess;
  /** Resident memory, MiB. */
  rss(): number;
  figures(): Promise<Record<string, number>>;
}

async function start(runtime: RuntimeName): Promise<Server> {
  const args = ["--port", "0", "--metrics", "0", "--echo"];
  // Its lines are read and forgotten, so that they fill no memory here.
  const program = spawnLines(...runtimeCommand(runtime, PROGRAM, args));
  const url = await program.line(/^ws:/, { timeoutMs: 60_000 });
  const metrics = (await program.line(/^metrics: /)).slice("metrics: ".length);
  return {
    url,
    program,
    rss: () => Number(/VmRSS:\s+(\d+)/.exec(readFileSync(`/proc/${program.pid}/status`, "utf8"))?.[1]) / 1024,
    async figures() {
      const lines = (await (await fetch(metrics)).text()).split("\n").filter((line) => !line.startsWith("#"));
      return Object.fromEntries(lines.map((line) => line.split(" ")).map(([name, value]) => [name, Number(value)]));
    },
    [Symbol.asyncDispose]: () => program[Symbol.asyncDispose](),
  };
}

/** Echoes one at a time for a while; times in ms, in ascending order. */
async function latencies(url: string, platform: string, isOver: () => boolean): Promise<number[]> {
  await using client = new MessageClient(url, { platform });
  let heard = (): void => {};
  client.on("message", () => heard());
  await client.connect();
  const times: number[] = [];
  while (!isOver()) {
    const { promise, resolve } = Promise.withResolvers<void>();
    heard = resolve;
    const began = performance.now();
    client.sendText("ping", { user: "1" });
    await withTimeout(promise, 60_000, () => "an echo");
    times.push(performance.now() - began);
    await pause(2);
  }
  return times.sort((a, b) => a - b);
}

const p99 = (times: readonly number[]): string => (times[Math.floor(times.length * 0.99)] ?? NaN).toFixed(1);

/** 600 MB in fragments of 8 MB: more than the longest string there is on Deno. */
async function giants(runtime: RuntimeName): Promise<void> {
  await using server = await start(runtime);
  await using attacker = await RawPeer.connect(server.url);
  const piece = "x".repeat(8_000_000);
  for (let index = 0; index < 75; index++) {
    attacker.send(index === 0 ? 1 : 0, piece, { fin: index === 74 });
    await attacker.flushed({ timeoutMs: 60_000 }).catch(() => {}); // a server that closes meanwhile is a result too
  }
  const end = performance.now() + 2000;
  const times = await latencies(server.url, "healthy", () => performance.now() > end);
  say(
    `600 MB in fragments, ${runtime}: ${times.length} echoes afterwards, p99 ${p99(times)} ms, RSS ${
      server.rss() | 0
    } MiB`,
  );
}

/** A thousand messages of 1 MB to a peer that never reads. */
async function stuck(runtime: RuntimeName): Promise<void> {
  await using server = await start(runtime);
  const quietEnd = performance.now() + 2000;
  const before = await latencies(server.url, "healthy", () => performance.now() > quietEnd);
  await using mute = await RawPeer.connect(server.url, { headers: [["platform", "mute"]] });
  mute.pause();
  const base = server.rss();
  let peak = base;
  let isDone = false;
  const during = latencies(server.url, "healthy", () => isDone);
  await using sender = new MessageClient(server.url, {
    platform: "sender",
    outbox: { maxMessages: 2000, maxBytes: 2e9 },
  });
  await sender.connect();
  const text = "x".repeat(1_000_000);
  for (let index = 0; index < 1000; index++) {
    sender.send(createMessage({ platform: "mute", user: "1" }, seg.text(text)));
    while (sender.stats.waiting > 20) await pause(1);
    peak = Math.max(peak, server.rss());
  }
  await sender.flush();
  isDone = true;
  const { maim_dropped_total, maim_peers, maim_connections, maim_queued_bytes } = await server.figures();
  say(
    `1 GB to a peer that never reads, ${runtime}: RSS ${base | 0} -> peak ${peak | 0} MiB, echo p99 ${
      p99(before)
    } -> ` +
      `${p99(await during)} ms, ${
        JSON.stringify({ maim_dropped_total, maim_peers, maim_connections, maim_queued_bytes })
      }`,
  );
}

/** Many that stay while others come and go. */
async function churn(runtime: RuntimeName, held: number, perSecond: number, seconds: number): Promise<void> {
  await using server = await start(runtime);
  const open = (name: string): Promise<WebSocket> => {
    const socket = new (WebSocket as new (url: string, options: object) => WebSocket)(server.url, {
      headers: { platform: name },
    });
    const { promise, resolve, reject } = Promise.withResolvers<WebSocket>();
    socket.onopen = () => resolve(socket);
    socket.onerror = () => reject(new Error(`${name} was refused`));
    return promise;
  };
  const staying: WebSocket[] = [];
  for (let index = 0; index < held; index += 50) {
    staying.push(...await Promise.all(Array.from({ length: 50 }, (_, at) => open(`held-${index + at}`))));
  }
  const early = server.rss();
  let came = 0;
  let lost = 0;
  const end = performance.now() + seconds * 1000;
  const began = performance.now();
  while (performance.now() < end) {
    const due = (performance.now() - began) / 1000 * perSecond;
    const batch = Array.from({ length: Math.max(1, Math.floor(due - came)) }, () => `guest-${came++}`);
    const guests = await Promise.all(batch.map((name) => open(name).catch(() => (lost++, null))));
    for (const guest of guests) guest?.close(1000);
    await pause(20);
  }
  // Each that stayed is asked for one echo.
  let echoed = 0;
  for (const [index, socket] of staying.entries()) {
    socket.onmessage = () => void echoed++;
    socket.send(JSON.stringify(createMessage({ platform: `held-${index}`, user: "1" }, seg.text("still here"))));
  }
  const patience = performance.now() + 30_000;
  while (echoed < held && performance.now() < patience) await pause(50);
  const late = server.rss();
  const { maim_peers } = await server.figures();
  for (const socket of staying) socket.close(1000);
  say(
    `${held} held while ${perSecond}/s come and go for ${seconds} s, ${runtime}: ${came} came, ${lost} refused, ` +
      `${echoed} of ${held} still echo, ${maim_peers} peers, RSS ${early | 0} -> ${late | 0} MiB`,
  );
}

/** Clients that send steadily and now and then come back: every message is echoed or reported. */
async function steady(runtime: RuntimeName, clients: number, perSecond: number, seconds: number): Promise<void> {
  await using server = await start(runtime);
  const counts = { sent: 0, echoed: 0, reported: 0, duplicates: 0 };
  const early: number[] = [];
  const end = performance.now() + seconds * 1000;
  const run = async (index: number): Promise<void> => {
    const platform = `p${index}`;
    const open = new Set<string>();
    for (let life = 0; performance.now() < end; life++) {
      await using client = new MessageClient(server.url, { platform, reconnect: { minDelay: 50 } });
      client.on("message", (message) => {
        if (open.delete(plainText(message))) counts.echoed++;
        else counts.duplicates++;
      });
      client.on("drop", ({ message }) => {
        if ("message_info" in message && open.delete(plainText(message))) counts.reported++;
      });
      await client.connect({ retry: true });
      // A life of a tenth of the run, and not all end at once.
      const until = Math.min(end, performance.now() + seconds * 100 * (1 + index / clients));
      for (let count = 0; performance.now() < until; count++) {
        const text = `${life}-${count}`;
        open.add(text);
        client.sendText(text, { user: "1" });
        counts.sent++;
        await pause(1000 * clients / perSecond);
      }
      const patience = performance.now() + 10_000;
      while (open.size > 0 && performance.now() < patience) await pause(5);
    }
  };
  const watch = async (): Promise<void> => {
    await pause(seconds * 100);
    early.push(server.rss());
  };
  await Promise.all([watch(), ...Array.from({ length: clients }, (_, index) => run(index))]);
  say(
    `steady ${perSecond}/s for ${seconds} s, ${runtime}: ${JSON.stringify(counts)}, ` +
      `RSS ${(early[0] ?? 0) | 0} -> ${server.rss() | 0} MiB`,
  );
}

for (const runtime of ["deno", "bun"] as const) {
  await giants(runtime);
  await stuck(runtime);
  await churn(runtime, 5000, 500, SECONDS / 5);
  await steady(runtime, 50, 2000, SECONDS);
}
process.exit(0);
