import { assert, assertEquals, assertGreater, assertLess, assertRejects, assertStringIncludes } from "@std/assert";
import { describe, it } from "@std/testing/bdd";

import { type MessageBase, MessageConnectionError, plainText } from "../../mod.ts";
import { again, dialling, usable } from "../support/client.ts";
import { consoleErrors } from "../support/console.ts";
import { HI, textMessage, textOf } from "../support/messages.ts";
import { withTimeout } from "../support/peers/inbox.ts";
import { heard } from "../support/peers/listen.ts";
import type { RawPeer } from "../support/peers/raw.ts";

describe("MessageClient outbox", () => {
  it("sends nothing before the link is usable, then everything in order", async () => {
    await using peers = await dialling();
    peers.client.send(textMessage("a"));
    peers.peer.accept();
    peers.client.send(textMessage("b"));
    assertEquals(peers.client.stats.waiting, 2);
    await assertRejects(() => peers.peer.frame({ timeoutMs: 60 }));
    peers.peer.text(HI);
    assertEquals([textOf(await peers.peer.frame()), textOf(await peers.peer.frame())], ["a", "b"]);
  });

  it("keeps what is sent while the line is down and sends it first", async () => {
    await using peers = await usable();
    const status = heard(peers.client, "status");
    peers.peer.end();
    await status.next(({ state }) => state === "waiting");
    peers.client.send(textMessage("while down"));
    const second = await peers.server.next();
    second.accept();
    peers.client.send(textMessage("before usable"));
    second.text(HI);
    await status.next(({ state }) => state === "open");
    peers.client.send(textMessage("after"));
    const texts = [await second.frame(), await second.frame(), await second.frame()].map(textOf);
    assertEquals(texts, ["while down", "before usable", "after"]);
  });

  it("throws not_open instead with outbox false", async () => {
    await using peers = await dialling({ outbox: false });
    try {
      peers.client.send(textMessage("a"));
      throw new Error("must not be taken");
    } catch (error) {
      assert(error instanceof MessageConnectionError);
      assertEquals(error.code, "not_open");
    }
  });

  it("drops what waits as closed when the first dial fails", async () => {
    await using peers = await dialling();
    const drops = heard(peers.client, "drop");
    peers.client.send(textMessage("a"));
    peers.peer.destroy();
    const [{ message, reason }] = await drops.next();
    assertEquals([plainText(message as MessageBase), reason], ["a", "closed"]);
    assertEquals(peers.client.status.state, "idle");
  });

  for (const delay of [0, 50, 150, 500]) {
    it(`drops as unauthorized whatever was sent when 1008 comes ${delay} ms after the upgrade`, async () => {
      await using peers = await dialling({ heartbeat: false });
      const drops = heard(peers.client, "drop");
      const status = heard(peers.client, "status");
      for (const text of ["a", "b"]) peers.client.send(textMessage(text));
      peers.peer.accept();
      setTimeout(() => peers.peer.close(1008, "无效的令牌"), delay);
      for (const text of ["a", "b"]) {
        const [{ message, reason }] = await drops.next();
        assertEquals([plainText(message as MessageBase), reason], [text, "unauthorized"]);
      }
      const [end] = await status.next(({ state }) => state === "closed" || state === "idle");
      assert("reason" in end && end.reason?.code === "unauthorized");
      assertEquals(peers.server.accepted, 1);
    });
  }

  for (
    const [name, fall] of [
      ["RST", (peer: RawPeer) => peer.reset()],
      ["FIN", (peer: RawPeer) => peer.end()],
      ["a close 1012", (peer: RawPeer) => peer.close(1012)],
      ["bad UTF-8", (peer: RawPeer) => peer.send(1, new Uint8Array([0xff, 0xfe]))],
      ["half a frame, then RST", (peer: RawPeer) => (peer.write(new Uint8Array([0x81, 0x7e])), peer.reset())],
    ] as const
  ) {
    it(`reports what was sent just before ${name} as unconfirmed, and dials again`, async () => {
      await using peers = await usable();
      const drops = heard(peers.client, "drop");
      peers.client.send(textMessage("in doubt"));
      fall(peers.peer);
      const [{ message, reason }] = await drops.next();
      assertEquals([plainText(message as MessageBase), reason], ["in doubt", "unconfirmed"]);
      await again(peers.server);
    });
  }

  it("sends what is in doubt once more with the same id, and never a third time", async () => {
    await using peers = await usable({ outbox: { inDoubt: "resend", doubt: 60_000 } });
    const drops = heard(peers.client, "drop");
    const poison = textMessage("kills the link");
    peers.client.send(poison);
    let { peer } = peers;
    for (let dial = 1; dial <= 2; dial++) {
      const text = (await peer.frame())?.text ?? "";
      assertStringIncludes(text, poison.message_info.message_id ?? "no id");
      peer.reset();
      peer = await again(peers.server);
    }
    const [{ message, reason }] = await drops.next();
    assertEquals([message, reason], [poison, "unconfirmed"]);
    await assertRejects(() => peer.frame({ timeoutMs: 100 }));
  });

  it("drops the message that a 1009 means as too_large and goes on", async () => {
    await using peers = await usable({ outbox: { inDoubt: "resend" } });
    const drops = heard(peers.client, "drop");
    peers.client.send(textMessage("x".repeat(10_000)));
    assertGreater((await peers.peer.frame())?.payload.length ?? 0, 10_000);
    peers.peer.close(1009);
    const [{ reason }] = await drops.next();
    assertEquals(reason, "too_large");
    const second = await again(peers.server);
    await assertRejects(() => second.frame({ timeoutMs: 100 }));
  });

  it("close() sends what waits before it says goodbye", async () => {
    await using peers = await dialling({ closeTimeout: 5000 });
    peers.client.send(textMessage("a"));
    peers.peer.accept();
    const closed = peers.client.close();
    peers.peer.text(HI);
    assertEquals(textOf(await peers.peer.frame({ opcode: 1 })), "a");
    assertEquals((await peers.peer.frame({ opcode: 8 }))?.code, 1000);
    peers.peer.close(1000);
    peers.peer.end();
    await closed;
  });

  it("close() drops as closed what the line does not take in time", async () => {
    await using peers = await usable({ closeTimeout: 300 });
    const drops = heard(peers.client, "drop");
    peers.peer.pause();
    const big = "x".repeat(30_000_000);
    peers.client.send(textMessage(big));
    peers.client.send(textMessage("waits"));
    await withTimeout(peers.client.close(), 5000, () => "close()");
    const found = [await drops.next(), await drops.next()].map(([{ reason }]) => reason).sort();
    assertEquals(found, ["closed", "unconfirmed"]);
  });

  it("flush() resolves once the kernel has everything", async () => {
    await using peers = await usable();
    for (let index = 0; index < 500; index++) peers.client.send(textMessage("x".repeat(1000)));
    await withTimeout(peers.client.flush(), 10_000, () => "flush()");
    assertEquals(peers.client.stats.waiting, 0);
  });

  it("flush() rejects with the signal's reason, and what waits goes on waiting", async () => {
    await using peers = await dialling();
    peers.client.send(textMessage("a"));
    const controller = new AbortController();
    const flushed = peers.client.flush({ signal: controller.signal });
    controller.abort(new Error("enough"));
    await assertRejects(() => flushed, Error, "enough");
    assertEquals(peers.client.stats.waiting, 1);
    peers.client.on("drop", () => {});
  });

  it("bounds what a server that stops reading makes us keep", async () => {
    await using peers = await usable({ outbox: { maxMessages: 50, maxBytes: 2 ** 20 } });
    peers.client.on("drop", () => {});
    peers.peer.pause();
    let code = "";
    const text = "x".repeat(100_000);
    for (let sent = 0; sent < 10_000 && code === ""; sent++) {
      try {
        peers.client.send(textMessage(text));
      } catch (error) {
        assert(error instanceof MessageConnectionError);
        code = error.code;
      }
    }
    assertEquals(code, "queue_full");
    assertLess(peers.client.stats.waitingBytes, 2 ** 20 + text.length + 1000); // at most one message more
  });

  it("survives a server that floods", async () => {
    await using peers = await usable();
    let count = 0;
    const { promise, resolve } = Promise.withResolvers<void>();
    peers.client.on("message", () => void (++count === 50_000 && resolve()));
    for (let index = 0; index < 50_000; index++) peers.peer.text(HI);
    await withTimeout(promise, 30_000, () => `the flood: ${count}`);
  });

  it("a drop that nobody listens to is one line on console.error, without the content", async () => {
    const lines = await consoleErrors(async () => {
      await using peers = await dialling();
      peers.client.send(textMessage("very private"));
      peers.peer.destroy();
      await peers.connected;
    });
    assertEquals(lines.length, 1);
    assertStringIncludes(lines[0] ?? "", "closed");
    assertEquals(lines[0]?.includes("private"), false);
  });
});
