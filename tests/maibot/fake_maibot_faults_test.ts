import { assertEquals, assertRejects, assertThrows } from "@std/assert";
import { describe, it } from "@std/testing/bdd";

import { FakeMaiBot, type FakeMaiBotEnd } from "../../maibot/fake/mod.ts";
import { MessageConnectionError } from "../../mod.ts";
import { plainText } from "../../schema.ts";
import { adapter, connect, dial, hello, listen } from "../support/fake_maibot.ts";
import { Heard, heard } from "../support/peers/listen.ts";
import { NativePeer } from "../support/peers/native_peer.ts";
import { currentRuntime } from "../support/peers/process.ts";
import { RawPeer } from "../support/peers/raw.ts";

describe("FakeMaiBot makes faults:", () => {
  it("kick() ends an adapter as if it were replaced, and ours does not come back", async () => {
    await using bot = new FakeMaiBot();
    await using client = await adapter(listen(bot));
    const states = heard(client, "status");
    await bot.connected("qq");
    bot.kick("qq");
    await states.next((status) => status.state === "closed");
    assertEquals(bot.platforms, []);
  });

  it("kick() leaves other platforms alone", async () => {
    await using bot = new FakeMaiBot();
    await using _peer = await dial(listen(bot), "qq");
    await bot.connected("qq");
    bot.kick("tg");
    assertEquals(bot.platforms, ["qq"]);
  });

  it("disconnect() closes with 1012, upon which an adapter comes back", async () => {
    await using bot = new FakeMaiBot();
    await using _client = await adapter(listen(bot));
    await bot.connected("qq");
    const ends = new Heard<[string, FakeMaiBotEnd]>((handler) => bot.on("close", handler));
    bot.disconnect();
    assertEquals((await ends.next())[1].code, 1012);
    await bot.connected("qq");
  });

  it("disconnect() closes with any code and reason, also while the other side talks", async () => {
    await using bot = new FakeMaiBot();
    await using peer = await NativePeer.connect(listen(bot), {
      headers: { platform: "qq" },
      onOpen: (socket) => {
        for (let count = 0; count < 20; count++) socket.send(JSON.stringify(hello()));
      },
    });
    await bot.connected("qq");
    bot.disconnect({ code: 1008, reason: "无效的令牌" });
    assertEquals(await peer.end(), { code: 1008, reason: "无效的令牌" });
  });

  for (const options of [{ code: 999 }, { code: 1006 }, { code: 5000 }, { reason: "很".repeat(42) }]) {
    it(`disconnect() throws a RangeError for ${JSON.stringify(options).slice(0, 20)}`, async () => {
      await using bot = new FakeMaiBot();
      assertThrows(() => bot.disconnect(options), RangeError);
    });
  }

  it("cut() is 1006 to the other side", async () => {
    await using bot = new FakeMaiBot();
    await using peer = await connect(bot);
    await bot.connected("qq");
    bot.cut();
    assertEquals((await peer.end()).code, 1006);
  });

  it("cut() sends no close frame under Bun, and one that is illegal under Deno", async () => {
    await using bot = new FakeMaiBot();
    await using peer = await dial(listen(bot), "qq");
    await bot.connected("qq");
    bot.cut();
    const frame = await peer.frame({ opcode: 8 });
    assertEquals(frame === null ? null : frame.code, currentRuntime === "deno" ? 1006 : null);
  });

  it("cut() makes an adapter of ours come back", async () => {
    await using bot = new FakeMaiBot({ answers: "echo" });
    await using client = await adapter(listen(bot));
    await bot.connected("qq");
    bot.cut("qq");
    await bot.connected("qq");
    const messages = heard(client, "message");
    client.send(hello("again"));
    assertEquals(plainText((await messages.next())[0]), "again");
  });

  it("pause() takes no notice until resume(), and then of everything in order", async () => {
    await using bot = new FakeMaiBot();
    await using client = await adapter(listen(bot));
    bot.pause();
    for (const text of ["一", "二"]) client.send(hello(text));
    await assertRejects(() => bot.received(undefined, { timeoutMs: 100 }), MessageConnectionError);
    bot.resume();
    const read = [await bot.received(), await bot.received()];
    assertEquals(read.map(({ message }) => message && plainText(message)), ["一", "二"]);
  });

  it("delayAnswers() throws a RangeError for less than nothing", async () => {
    await using bot = new FakeMaiBot();
    assertThrows(() => bot.delayAnswers(-1), RangeError, "ms");
  });

  it("restart() closes with 1012, frees the port and listens there again", async () => {
    await using bot = new FakeMaiBot({ answers: "echo" });
    const url = listen(bot);
    await using client = await adapter(url);
    await bot.connected("qq");
    const ends = new Heard<[string, FakeMaiBotEnd]>((handler) => bot.on("close", handler));
    const restarted = bot.restart({ downtime: 100 });
    assertEquals((await ends.next())[1].code, 1012);
    await restarted;
    await bot.connected("qq");
    const messages = heard(client, "message");
    client.send(hello("after"));
    assertEquals(plainText((await messages.next())[0]), "after");
  });

  it("restart() rejects with not_open when nothing listens", async () => {
    await using bot = new FakeMaiBot();
    assertEquals((await assertRejects(() => bot.restart(), MessageConnectionError)).code, "not_open");
  });

  it("close() has the last word during a restart", async () => {
    const bot = new FakeMaiBot();
    const url = listen(bot);
    const restarted = bot.restart({ downtime: 60_000 });
    await bot.close();
    await restarted;
    await assertRejects(() => RawPeer.open(url));
  });
});
