import { assertEquals } from "@std/assert";
import { describe } from "@std/testing/bdd";

import { MessageClient } from "../../mod.ts";
import { FAST } from "../support/client.ts";
import { heard } from "../support/peers/listen.ts";
import { countLoss } from "../support/peers/loss.ts";
import { Proxy } from "../support/peers/proxy.ts";
import { peerTest, peerTestOn, PythonServer } from "../support/peers/python.ts";

interface StoppableServer extends AsyncDisposable {
  url: string;
  signal(name: "SIGSTOP" | "SIGCONT"): void;
}

async function startPython(): Promise<StoppableServer> {
  const server = await PythonServer.start();
  return {
    url: server.url,
    signal: (name) => server.peer.kill(name),
    [Symbol.asyncDispose]: () => server[Symbol.asyncDispose](),
  };
}

describe("MessageClient heartbeat", () => {
  for (const [runtime, isNoticed] of [["bun", true], ["deno", false]] as const) {
    const what = isNoticed ? "notices" : "can not notice, as README says,";
    peerTestOn(
      runtime,
      `${what} a line to a Python server that broke half-way behind a proxy, on ${runtime}`,
      async () => {
        await using python = await PythonServer.start();
        await using proxy = await Proxy.listen(python.url);
        await using client = new MessageClient(proxy.url, {
          platform: "qq",
          reconnect: FAST,
          heartbeat: { interval: 100, timeout: 200 },
          closeTimeout: 200,
        });
        const status = heard(client, "status");
        await client.connect();
        await status.next(({ state }) => state === "open");
        const passed = proxy.accepted;
        proxy.freeze();
        proxy.thaw(); // new connections pass: the server itself is well
        if (isNoticed) {
          await status.next(({ state }) => state === "waiting");
          await status.next(({ state }) => state === "open");
          return;
        }
        // Three probes were answered meanwhile.
        await proxy.whenAccepted(passed + 3);
        assertEquals(client.status.state, "open");
      },
    );
  }

  peerTest("notices a Python server that is stopped, and finds it again", async () => {
    await using server = await startPython();
    await using client = new MessageClient(server.url, {
      platform: "qq",
      reconnect: FAST,
      connectTimeout: 500,
      closeTimeout: 200,
      heartbeat: { interval: 200, timeout: 300 },
    });
    const status = heard(client, "status");
    await client.connect();
    await status.next(({ state }) => state === "open");
    server.signal("SIGSTOP");
    await status.next(({ state }) => state === "waiting");
    server.signal("SIGCONT");
    await status.next(({ state }) => state === "open", { timeoutMs: 20_000 });
  });
});

describe("MessageClient.close()", () => {
  peerTest("reports nothing that a python server has handled, even if the server has said nothing", async () => {
    await using server = await PythonServer.start();
    const client = new MessageClient(server.url, { platform: "qq" });
    const drops: string[] = [];
    client.on("drop", ({ reason }) => void drops.push(reason));
    await client.connect();
    for (let index = 0; index < 5; index++) client.sendText("hi", { user: "10001" });
    await client.close();
    for (let index = 0; index < 5; index++) await server.next("message");
    assertEquals(drops, []);
  });
});

describe("Loss count", () => {
  for (const inDoubt of ["report", "resend"] as const) {
    peerTest(
      `every number is received, reported or thrown when a python server is killed, with ${inDoubt}`,
      async () => {
        const result = await countLoss({ server: "python", inDoubt, messages: 1000, kills: 2, rate: 500 });
        assertEquals(result.silent, 0, JSON.stringify(result));
        if (inDoubt === "report") assertEquals([result.duplicates, result.disordered], [0, 0], JSON.stringify(result));
      },
    );
  }
});
