/**
 * Draws scenarios. A change here changes what a seed stands for; scenarios that are worth keeping are kept as data, in
 * `kept.ts`.
 * @module
 */

import { Random } from "./random.ts";
import type {
  ClientSpec,
  NetworkSpec,
  OurServerSpec,
  PythonServerSpec,
  Scenario,
  ServerSpec,
  Step,
  Who,
} from "./scenario_types.ts";

const PLATFORMS = ["qq", "tg", "wx"];
const TOKEN = "secret";

function drawNetwork(random: Random): NetworkSpec {
  const byteScale = random.pick([1, 1, 10, 500]);
  // Large frames through small buffers would only take many events.
  const buffers = byteScale > 100 ? [64_000, 2_000_000] : [4000, 64_000, 2_000_000];
  return {
    latency: random.pick([0.1, 1, 5, 30, 120]),
    jitter: random.pick([0, 1, 10, 80]),
    bandwidth: random.pick([100_000, 10_000, 1000]),
    sendBuffer: random.pick(buffers),
    receiveBuffer: random.pick(buffers),
    byteScale,
    resetsDiscard: random.chance(0.5),
  };
}

function drawHeartbeat(random: Random): ClientSpec["options"]["heartbeat"] {
  if (random.chance(0.3)) return {};
  if (random.chance(0.1)) return false;
  return { interval: random.scale(100, 20_000), timeout: random.scale(100, 10_000), probe: random.chance(0.8) };
}

function drawOutbox(random: Random): ClientSpec["options"]["outbox"] {
  if (random.chance(0.4)) return {};
  if (random.chance(0.05)) return false;
  return {
    maxMessages: random.scale(1, 1000),
    maxBytes: random.scale(1000, 16_000_000),
    maxAge: random.scale(500, 60_000),
    inDoubt: random.chance(0.35) ? "resend" : "report",
    doubt: random.pick([0, 200, 1000, 1000, 5000]),
  };
}

function drawClient(random: Random, token: string | undefined): ClientSpec {
  const isWrong = token !== undefined && random.chance(0.15);
  return {
    platform: random.pick(PLATFORMS),
    flavour: random.pick(["deno", "bun"]),
    ...(token === undefined ? {} : { token: isWrong ? "wrong" : token }),
    options: {
      heartbeat: drawHeartbeat(random) as NonNullable<ClientSpec["options"]["heartbeat"]>,
      outbox: drawOutbox(random) as NonNullable<ClientSpec["options"]["outbox"]>,
      reconnect: random.chance(0.1)
        ? false
        : { minDelay: random.scale(10, 2000), maxDelay: 4000, stableAfter: random.scale(100, 10_000) },
      connectTimeout: random.pick([500, 3000, 10_000]),
      closeTimeout: random.pick([0, 200, 500, 2000, 5000, 5000]),
    },
    handlers: {
      ...(random.chance(0.3) ? { replies: true, ...(random.chance(0.3) ? { isCareless: true } : {}) } : {}),
      ...(random.chance(0.2) ? { sendsOnStatus: true } : {}),
      ...(random.chance(0.1) ? { sendsOnDrop: 2 } : {}),
      ...(random.chance(0.08) ? { closesAt: random.int(1, 6) } : {}),
    },
  };
}

function drawOurs(random: Random, token: string | undefined): OurServerSpec {
  return {
    kind: "ours",
    flavour: random.pick(["deno", "bun"]),
    options: {
      ...(token === undefined ? {} : { tokens: [token] }),
      duplicates: random.pick(["replace", "replace", "reject", "share"]),
      idleTimeout: random.pick([0, 2000, 30_000, 120_000]),
      ...(random.chance(0.1) ? { hello: false } : {}),
      closeTimeout: random.pick([0, 200, 1000, 5000, 5000]),
      refuse: random.pick(["close", "http"]),
      limits: {
        ...(token !== undefined && random.chance(0.5) ? { connections: random.int(3, 8) } : {}),
        ...(random.chance(0.3) ? { messagesPerSecond: random.scale(2, 100) } : {}),
        ...(random.chance(0.3) ? { queuedBytes: random.scale(2000, 1_000_000) } : {}),
      },
    },
    handlers: {
      ...(random.chance(0.3) ? { replies: true } : {}),
      ...(random.chance(0.3) ? { greets: random.int(1, 5) } : {}),
      ...(random.chance(0.1) ? { sendsOnDrop: 2 } : {}),
      ...(random.chance(0.15)
        ? { closesPeerAt: random.int(1, 20), closeCode: random.pick([1000, 1001, 1011, 4000]) }
        : {}),
      ...(random.chance(0.15) ? { forwardsTo: random.pick(PLATFORMS) } : {}),
    },
  };
}

function drawPython(random: Random, token: string | undefined): PythonServerSpec {
  const isMute = random.chance(0.15);
  return {
    kind: "python",
    flavour: "python",
    ...(token === undefined ? {} : { tokens: [token] }),
    handlesAfterClose: random.chance(0.5),
    ...(isMute ? { isMute } : {}),
    ...(isMute || random.chance(0.3) ? { talks: random.scale(50, 5000) } : {}),
  };
}

/** Weights of the steps: a step stands in the list as often as it is likely. */
const STEPS: readonly Step["do"][] = [
  ...Array<"send">(24).fill("send"),
  ...["cut", "cut", "cut", "cutHello", "cutHello", "reset", "reset", "fin", "outage", "stall", "freeze", "freeze"],
  ...["freeze", "slow", "kill", "kill", "restartServer", "close", "close", "newClient", "flush", "closePeer"],
  ...["closePeer", "removeToken", "closeServer", "intruders"],
] as Step["do"][];

function drawSend(random: Random, who: Who): Omit<Step & { do: "send" }, "at"> {
  return {
    do: "send",
    who,
    count: random.scale(1, 30),
    size: random.scale(1, 2000),
    how: who === "server"
      ? random.pick(["send", "send", "custom", "broadcast", "peer"])
      : random.pick(["send", "custom"]),
    ...(who === "server" ? { to: random.pick(PLATFORMS) } : {}),
  };
}

function drawStep(random: Random, at: number, clients: number): Step {
  const client = random.int(0, clients - 1);
  const who: Who = random.chance(0.4) ? "server" : client;
  const name = random.pick(STEPS);
  switch (name) {
    case "send":
      return { at, ...drawSend(random, who) };
    case "flush":
    case "close":
    case "newClient":
    case "reset":
    case "fin":
      return { at, do: name, who: client };
    case "closeServer":
    case "removeToken":
      return { at, do: name };
    case "intruders":
      return { at, do: name, count: random.int(1, 10) };
    case "restartServer":
      return { at, do: name, pause: random.scale(1, 8000) };
    case "cutHello":
      return { at, do: name, who: client, direction: random.pick(["down", "both"]) };
    case "cut":
      return {
        at,
        do: name,
        who: client,
        direction: random.pick(["up", "down", "both"]),
        losesInFlight: random.chance(0.5),
      };
    case "outage":
    case "stall":
      return { at, do: name, ms: random.scale(50, 20_000) };
    case "freeze":
      return { at, do: name, who, ms: random.scale(20, 40_000) };
    case "slow":
      return { at, do: name, who, delay: random.scale(1, 500), ms: random.scale(500, 10_000) };
    case "kill":
      return { at, do: name, who, pause: random.chance(0.85) ? random.scale(1, 5000) : null };
    case "closePeer":
      return { at, do: name, who: client, code: random.pick([1000, 1001, 1013, 4000]) };
  }
}

/** Steps come in bursts, as faults do most harm in the middle of something else. */
function drawSteps(random: Random, clients: number): { steps: Step[]; endAt: number } {
  const steps: Step[] = [];
  let at = random.scale(1, 400);
  for (let left = random.scale(3, 16); left > 0; left--) {
    at += random.chance(0.55) ? random.pick([0, 0, 1, 5, 30, 90, 200]) : random.scale(1, 15_000);
    steps.push(drawStep(random, Math.round(at), clients));
  }
  return { steps, endAt: Math.round(at + random.scale(1, 60_000)) };
}

/** Draws the scenario of a seed. */
export function drawScenario(seed: number): Scenario {
  const random = new Random(seed);
  const token = random.chance(0.3) ? TOKEN : undefined;
  const server: ServerSpec = random.chance(0.6) ? drawOurs(random, token) : drawPython(random, token);
  const clients = Array.from({ length: random.pick([1, 1, 2, 3]) }, () => drawClient(random, token));
  return { seed, network: drawNetwork(random), server, clients, ...drawSteps(random, clients.length) };
}
