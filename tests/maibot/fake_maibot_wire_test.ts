import { assertEquals, assertMatch, assertRejects, assertThrows } from "@std/assert";
import { describe, it } from "@std/testing/bdd";

import { FakeMaiBot, type FakeMaiBotOptions, type MaibotLogLine, type MaibotReceipt } from "../../maibot/fake/mod.ts";
import { MessageConnectionError } from "../../mod.ts";
import { plainText } from "../../schema.ts";
import { connect, dial, hello, listen } from "../support/fake_maibot.ts";
import { Heard } from "../support/peers/listen.ts";

describe("FakeMaiBot.listen()", () => {
  it("gives the URL an adapter dials", async () => {
    await using bot = new FakeMaiBot({ path: "/bot" });
    assertMatch(listen(bot), /^ws:\/\/127\.0\.0\.1:\d+\/bot$/);
  });

  it("throws closed when it listens already", async () => {
    await using bot = new FakeMaiBot();
    listen(bot);
    assertEquals(assertThrows(() => listen(bot), MessageConnectionError).code, "closed");
  });

  it("throws closed when it is closed", async () => {
    const bot = new FakeMaiBot();
    await bot.close();
    assertEquals(assertThrows(() => listen(bot), MessageConnectionError).code, "closed");
  });

  for (const port of [-1, 65536, 1.5]) {
    it(`throws a RangeError when the port is ${port}`, async () => {
      await using bot = new FakeMaiBot();
      assertThrows(() => bot.listen({ port }), RangeError, "port");
    });
  }
});

describe("new FakeMaiBot() throws when", () => {
  const cases: readonly (readonly [name: string, options: object])[] = [
    ["version", { version: "1.3.14" }],
    ["version", { version: 1.3 }],
    ["accounts", { accounts: "qq:777" }],
    ["accounts", { accounts: null }],
    ["accounts.qq", { accounts: { tp: "888", qq: " " } }],
    ["accounts.qq", { accounts: { qq: 777 } }],
    ["policy", { policy: "allow" }],
    ["answers", { answers: "hello" }],
    ["tokens", { tokens: [""] }],
    ["path", { path: "ws" }],
    ["account", { account: 1 }],
    ["account", { account: "  " }],
    ["nickname", { nickname: null }],
    ["delay", { delay: -1 }],
    ["keep", { keep: NaN }],
    ["closeTimeout", { closeTimeout: "1" }],
  ];
  for (const [name, options] of cases) {
    it(`'${name}' is wrong: ${JSON.stringify(options)}`, () => {
      assertThrows(() => new FakeMaiBot(options as FakeMaiBotOptions), Error, `'${name}'`);
    });
  }
});

describe("FakeMaiBot at the wire", () => {
  it("answers a WebSocket at another path with 403", async () => {
    await using bot = new FakeMaiBot();
    await using peer = await dial(`${listen(bot)}/`);
    assertEquals(peer.response.status, 403);
  });

  it("answers a plain GET with 404 as FastAPI does", async () => {
    await using bot = new FakeMaiBot();
    const response = await fetch(listen(bot).replace("ws:", "http:"));
    assertEquals([response.status, await response.text()], [404, '{"detail":"Not Found"}']);
  });

  it("lets in a raw token", async () => {
    await using bot = new FakeMaiBot({ tokens: ["secret"] });
    await using _peer = await dial(listen(bot), "qq", [["Authorization", "secret"]]);
    await bot.connected("qq");
  });

  for (const token of [undefined, "", "wrong", "Bearer secret"]) {
    it(`accepts and closes with 1008 when the token is ${token}`, async () => {
      await using bot = new FakeMaiBot({ tokens: ["secret"] });
      const url = listen(bot);
      await using peer = await dial(url, "qq", token === undefined ? [] : [["Authorization", token]]);
      assertEquals(peer.response.status, 101);
      const { code, reason } = await peer.frame({ opcode: 8 }) ?? {};
      assertEquals([code, reason, bot.platforms], [1008, "无效的令牌", []]);
      assertEquals(bot.log, [{ level: "warning", text: "拒绝平台 qq 的连接请求: 令牌无效" }]);
    });
  }

  it("does not read what a caller with a bad token sends", async () => {
    await using bot = new FakeMaiBot({ tokens: ["secret"] });
    await using peer = await dial(listen(bot), "qq");
    peer.text(JSON.stringify(hello()));
    assertEquals((await peer.frame({ opcode: 8 }))?.code, 1008);
    assertEquals(bot.receipts, []);
  });

  it("lets everybody in when the list of tokens is empty", async () => {
    await using bot = new FakeMaiBot({ tokens: [] });
    await using _peer = await dial(listen(bot), "qq");
    await bot.connected("qq");
  });

  it("says nothing first, and agrees on no extension of ours", async () => {
    await using bot = new FakeMaiBot();
    await using peer = await dial(listen(bot), "qq", [["maim-hello", "1; chunks, ping"]]);
    await bot.connected("qq");
    bot.say("first", { platform: "qq", user: "u1" });
    assertEquals(plainText(JSON.parse((await peer.message())?.text ?? "")), "first");
  });

  it("closes the older of two connections of a platform with 1000 新的连接已建立", async () => {
    await using bot = new FakeMaiBot();
    const url = listen(bot);
    await using older = await dial(url, "qq");
    await bot.connected("qq");
    await using newer = await dial(url, "qq");
    const { code, reason } = await older.frame({ opcode: 8 }) ?? {};
    assertEquals([code, reason], [1000, "新的连接已建立"]);
    bot.say("to the newer", { platform: "qq", user: "u1" });
    assertEquals(plainText(JSON.parse((await newer.message())?.text ?? "")), "to the newer");
  });

  it("takes messages of a caller without a platform and answers none", async () => {
    await using bot = new FakeMaiBot({ answers: "echo" });
    const lines = new Heard<[MaibotLogLine]>((handler) => bot.on("log", handler));
    await using peer = await dial(listen(bot));
    await lines.next(({ text }) => text === "收到未标记平台的 WebSocket 连接");
    peer.text(JSON.stringify(hello()));
    const { platform, isAccepted } = await bot.received();
    assertEquals([platform, isAccepted, bot.platforms], ["unknown", true, []]);
    await lines.next(({ text }) => text === "未找到目标平台: qq");
  });

  it("routes an answer by the platform of the message, not of the connection", async () => {
    await using bot = new FakeMaiBot({ answers: "echo" });
    const url = listen(bot);
    await using qq = await dial(url, "qq");
    await using tg = await dial(url, "tg");
    await bot.connected("qq");
    tg.text(JSON.stringify(hello("from tg")));
    assertEquals(plainText(JSON.parse((await qq.message())?.text ?? "")), "from tg");
  });

  it("skips what is no JSON and reads on", async () => {
    await using bot = new FakeMaiBot();
    await using peer = await dial(listen(bot), "qq");
    peer.text("{");
    peer.text(JSON.stringify(hello("后来")));
    const { message } = await bot.received();
    assertEquals(message === null ? null : plainText(message), "后来");
    const [broken] = bot.receipts;
    assertEquals([broken?.kind, broken?.log?.text], ["broken", "平台 qq 收到无法解析的 JSON"]);
  });

  it("goes deaf after a binary frame, and can not be answered", async () => {
    await using bot = new FakeMaiBot();
    await using peer = await dial(listen(bot), "qq");
    const receipts = new Heard<[MaibotReceipt]>((handler) => bot.on("received", handler));
    peer.send(2, new Uint8Array([1]));
    await receipts.next(({ log }) => log?.text === "平台 qq WebSocket 处理异常");
    peer.text(JSON.stringify(hello()));
    await assertRejects(() => bot.received(undefined, { timeoutMs: 100 }), MessageConnectionError, "in time");
    assertEquals(bot.platforms, []);
    peer.send(9, "still there?");
    assertEquals((await peer.frame({ opcode: 10 }))?.payload.length, 12);
  });
});

describe("FakeMaiBot.close()", () => {
  it("closes with 1000 服务器关闭, and may be called twice", async () => {
    const bot = new FakeMaiBot();
    await using peer = await connect(bot);
    await Promise.all([bot.close(), bot.close()]);
    assertEquals(await peer.end(), { code: 1000, reason: "服务器关闭" });
  });

  it("does not wait for ever for a peer that never answers", async () => {
    const bot = new FakeMaiBot({ closeTimeout: 100 });
    await using peer = await dial(listen(bot), "qq");
    await bot.connected("qq");
    await bot.close();
    assertEquals((await peer.frame({ opcode: 8 }))?.code, 1000);
  });
});
