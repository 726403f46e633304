import { assert, assertEquals, assertGreater, assertLess, assertRejects } from "@std/assert";
import { describe, it } from "@std/testing/bdd";

import { MessageClient, MessageConnectionError, MessageServer } from "../../mod.ts";
import { again, FAST, reasonOf, upgraded } from "../support/client.ts";
import { HI } from "../support/messages.ts";
import { heard } from "../support/peers/listen.ts";
import type { RawPeer } from "../support/peers/raw.ts";
import { countReconnects } from "../support/peers/reconnects.ts";

describe("MessageClient reconnect", () => {
  for (
    const [name, end, code, closeCode] of [
      ["a close 1000 服务器关闭", (peer: RawPeer) => peer.close(1000, "服务器关闭"), "closed", 1000],
      ["a close 1001", (peer: RawPeer) => peer.close(1001), "closed", 1001],
      ["a close without a code", (peer: RawPeer) => peer.close(), "closed", 1005],
      ["a close 1009", (peer: RawPeer) => peer.close(1009), "too_large", 1009],
      ["a close 1011", (peer: RawPeer) => peer.close(1011), "closed", 1011],
      ["a close 1012", (peer: RawPeer) => peer.close(1012), "closed", 1012],
      ["a close 1013", (peer: RawPeer) => peer.close(1013), "closed", 1013],
      ["a close 4000", (peer: RawPeer) => peer.close(4000), "closed", 4000],
      ["FIN", (peer: RawPeer) => peer.end(), "closed", 1006],
      ["RST", (peer: RawPeer) => peer.reset(), "closed", 1006],
    ] as const
  ) {
    it(`dials again after ${name}`, async () => {
      await using peers = await upgraded({ reconnect: FAST });
      const status = heard(peers.client, "status");
      peers.peer.text(HI);
      await peers.connected;
      end(peers.peer);
      const reason = await reasonOf(status, "waiting");
      assertEquals([reason.code, reason.closeCode], [code, closeCode]);
      const again = await peers.server.next();
      again.accept();
      again.text(HI);
      const [open] = await status.next((each) => each.state === "open" && each.gap !== undefined);
      assert(open.state === "open" && open.gap !== undefined && open.gap >= 0);
    });
  }

  for (
    const [code, text, expected] of [
      [1008, "无效的令牌", "unauthorized"],
      [1000, "Authentication failed: 认证失败", "unauthorized"],
      [1000, "新的连接已建立", "replaced"],
      [1000, "新连接取代", "replaced"],
    ] as const
  ) {
    it(`stays down after ${code} ${text}`, async () => {
      await using peers = await upgraded({ reconnect: FAST });
      const status = heard(peers.client, "status");
      peers.peer.text(HI);
      await peers.connected;
      peers.peer.close(code, text);
      assertEquals((await reasonOf(status, "closed")).code, expected);
      assertEquals((await assertRejects(() => peers.client.connect(), MessageConnectionError)).code, "closed");
      assertEquals(peers.server.accepted, 1);
    });
  }

  it("doubles the wait and starts anew after a stable connection", async () => {
    const reasons: number[] = [];
    const delay = (attempt: number) => (reasons.push(attempt), 0);
    await using peers = await upgraded({ reconnect: { delay, stableAfter: 0 } });
    const status = heard(peers.client, "status");
    peers.peer.text(HI);
    await peers.connected;
    peers.peer.end();
    for (const answers of [false, false, true]) {
      const peer = await peers.server.next();
      if (answers) {
        peer.accept();
        peer.text(HI);
        await status.next(({ state }) => state === "open");
      }
      peer.end();
    }
    await status.next((each) => each.state === "waiting" && each.attempt === 1);
    assertEquals(reasons.slice(0, 3), [1, 2, 3]);
  });

  it("goes on counting after a connection that was not stable", async () => {
    const attempts: number[] = [];
    const delay = (attempt: number) => (attempts.push(attempt), 0);
    await using peers = await upgraded({ reconnect: { delay, stableAfter: 3_600_000 } });
    const status = heard(peers.client, "status");
    peers.peer.text(HI);
    await peers.connected;
    peers.peer.end();
    for (const attempt of [1, 2, 3]) {
      await status.next((each) => each.state === "waiting" && each.attempt === attempt);
      const peer = await again(peers.server);
      await status.next(({ state }) => state === "open");
      if (attempt < 3) peer.end();
    }
    assertEquals(attempts, [1, 2, 3]);
  });

  it("waits 1, 2, 4 seconds and so on up to 30 by default, without the jitter", async () => {
    await using client = new MessageClient("ws://127.0.0.1:1/ws", { platform: "qq", reconnect: { jitter: 0 } });
    const status = heard(client, "status");
    void client.connect({ retry: true }).catch(() => {});
    const [first] = await status.next(({ state }) => state === "waiting");
    assertEquals(first.state === "waiting" && [first.attempt, first.delay], [1, 1000]);
    const [second] = await status.next(({ state }) => state === "waiting");
    assertEquals(second.state === "waiting" && [second.attempt, second.delay], [2, 2000]);
  });

  it("stays closed when reconnect is false", async () => {
    await using peers = await upgraded({ reconnect: false });
    const status = heard(peers.client, "status");
    peers.peer.text(HI);
    await peers.connected;
    peers.peer.end();
    assertEquals((await reasonOf(status, "closed")).code, "closed");
  });

  it("reports a delay function that fails, and stays closed", async () => {
    const delay = () => -1;
    await using peers = await upgraded({ reconnect: { delay } });
    const status = heard(peers.client, "status");
    const errors = heard(peers.client, "error");
    peers.peer.text(HI);
    await peers.connected;
    peers.peer.end();
    await reasonOf(status, "closed");
    const [error] = await errors.next();
    assert(error instanceof RangeError);
  });
});

describe("Two clients of one platform", () => {
  it("do not kick each other for ever", async () => {
    await using server = new MessageServer();
    const opened = heard(server, "open");
    const url = server.listen({ port: 0 });
    await using first = new MessageClient(url, { platform: "qq", reconnect: FAST });
    await using second = new MessageClient(url, { platform: "qq", reconnect: FAST });
    const status = heard(first, "status");
    await first.connect();
    await second.connect();
    const [end] = await status.next(({ state }) => state === "closed");
    assert(end.state === "closed" && end.reason?.code === "replaced");
    for (let count = 0; count < 2; count++) await opened.next();
    await assertRejects(() => opened.next(undefined, { timeoutMs: 200 }));
    assertEquals([first.status.state, second.status.state], ["closed", "open"]);
  });
});

describe("Reconnecting", () => {
  it("leaves nothing behind over a hundred falls", async () => {
    const { reconnects, descriptors: [early, late] } = await countReconnects(100);
    assertGreater(reconnects, 99);
    assertLess(late, early + 5);
  });
});
