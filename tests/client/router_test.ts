import { assertEquals, assertRejects, assertThrows } from "@std/assert";
import { describe, it } from "@std/testing/bdd";

import { type MessageBase, MessageConnectionError, MessageServer, plainText, Router } from "../../mod.ts";
import { connectionError } from "../support/client.ts";
import { textMessage } from "../support/messages.ts";
import { heard, heardCustom } from "../support/peers/listen.ts";

describe("Router", () => {
  it("send() and sendCustom() throw no_route for a platform that was not added", () => {
    const router = new Router();
    router.add("telegram", "ws://127.0.0.1:1/ws");
    const error = assertThrows(() => router.send(textMessage()), MessageConnectionError, '"telegram"');
    assertEquals(error.code, "no_route");
    assertThrows(() => router.sendCustom("qq", "poke", 1), MessageConnectionError);
  });

  it("add() refuses a platform that is there already", () => {
    const router = new Router();
    router.add("qq", "ws://127.0.0.1:1/ws");
    assertThrows(() => router.add("qq", "ws://127.0.0.1:1/ws"), TypeError, "qq");
  });

  it("connect() rejects for a dead server and keeps the others", async () => {
    await using server = new MessageServer();
    await using router = new Router();
    router.add("dead", "ws://127.0.0.1:1/ws");
    router.add("qq", server.listen({ port: 0 }));
    const error = await assertRejects(() => router.connect(), AggregateError, "1 of 2");
    assertEquals(connectionError(error.errors[0]).code, "refused");
    assertEquals(router.clients.get("qq")?.status.state, "open");
  });

  it("routes by message_info.platform, and tells handlers which client", async () => {
    await using server = new MessageServer();
    server.on("message", (message) => server.send(message));
    const url = server.listen({ port: 0 });
    await using router = new Router();
    const received = heard(router, "message");
    router.add("qq", url);
    router.add("telegram", url);
    await router.connect();
    for (const platform of ["telegram", "qq"]) {
      router.send(textMessage(platform, platform));
      const [message, client] = await received.next();
      assertEquals([plainText(message), client.platform], [platform, platform]);
    }
  });

  it("dials a platform added after connect()", async () => {
    await using server = new MessageServer();
    const opened = heard(server, "open");
    const url = server.listen({ port: 0 });
    await using router = new Router();
    await router.connect();
    const status = heard(router, "status");
    router.add("qq", url);
    await opened.next();
    await status.next(({ state }, client) => state === "open" && client.platform === "qq");
  });

  it("remove() closes the platform's client and forgets it", async () => {
    await using server = new MessageServer();
    const closed = heard(server, "close");
    await using router = new Router();
    const client = router.add("qq", server.listen({ port: 0 }));
    await router.connect();
    await router.remove("qq");
    await closed.next();
    assertEquals([client.status.state, router.clients.size], ["closed", 0]);
    await router.remove("qq");
  });

  it("onCustom() serves clients present and to come", async () => {
    await using server = new MessageServer();
    const opened = heard(server, "open");
    const url = server.listen({ port: 0 });
    await using router = new Router();
    router.add("qq", url);
    const pokes = heardCustom(router, "poke");
    await router.connect();
    router.add("telegram", url);
    for (const platform of ["qq", "telegram"]) {
      await opened.next((peer) => peer.platform === platform);
      server.sendCustom(platform, "poke", platform);
      await pokes.next(({ content }) => content === platform);
    }
  });

  it("refuses everything after close()", async () => {
    const router = new Router();
    await router.close();
    assertThrows(() => router.add("qq", "ws://127.0.0.1:1/ws"), MessageConnectionError);
    assertEquals((await assertRejects(() => router.connect(), MessageConnectionError)).code, "closed");
  });
});

describe("Router.update()", () => {
  it("touches only what changed among 50 platforms on 5 servers, one of them dead", async () => {
    const servers = [0, 1, 2, 3].map(() => new MessageServer());
    try {
      const urls = [...servers.map((server) => server.listen({ port: 0 })), "ws://127.0.0.1:1/ws"];
      const config = Object.fromEntries(
        Array.from({ length: 50 }, (_, index) => [`p${index}`, { url: urls[index % 5] ?? "" }]),
      );
      await using router = new Router();
      await router.update(config);
      const error = await assertRejects(() => router.connect(), AggregateError);
      assertEquals(error.errors.length, 10);
      assertEquals(servers.map((server) => server.peers.length), [10, 10, 10, 10]);
      const before = router.clients;
      const status = heard(router, "status");
      const { p2: _gone, ...rest } = config;
      await router.update({ ...rest, p0: { url: urls[1] ?? "" }, p1: { url: urls[1] ?? "", token: "new" } });
      const after = router.clients;
      const changed = [...before].filter(([platform, client]) => after.get(platform) !== client);
      assertEquals(changed.map(([platform]) => platform).sort(), ["p0", "p1", "p2"]);
      assertEquals(after.size, 49);
      for (const platform of ["p0", "p1"]) {
        await status.next(({ state }, client) => state === "open" && client === after.get(platform));
      }
      assertEquals(servers[1]?.peers.length, 11);
    } finally {
      await Promise.all(servers.map((server) => server.close()));
    }
  });
});

describe("Router.update()", () => {
  it("changes nothing when one entry is wrong", async () => {
    await using router = new Router();
    await router.update({ a: { url: "ws://127.0.0.1:1/ws" }, b: { url: "ws://127.0.0.1:1/ws" } });
    const before = [...router.clients];
    const wrong = {
      a: { url: "ws://127.0.0.1:2/ws" },
      b: { url: "http://127.0.0.1:1/" },
      c: { url: "ws://127.0.0.1:1/" },
    };
    await assertRejects(() => router.update(wrong), TypeError);
    assertEquals([...router.clients], before);
  });

  it("dials a changed platform only once its old connection has gone, and keeps what is sent meanwhile", async () => {
    await using server = new MessageServer();
    const ends = heard(server, "close");
    const received = heard(server, "message");
    const url = server.listen({ port: 0 });
    await using router = new Router();
    router.add("qq", url);
    await router.connect();
    for (let index = 0; index < 100; index++) router.send(textMessage(`old ${index}`));
    const updated = router.update({ qq: { url, token: "new" } });
    router.send(textMessage("new"));
    await updated;
    const [, { code, reason }] = await ends.next();
    assertEquals([code, reason], [1000, "client closed"]);
    for (let index = 0; index < 100; index++) assertEquals(plainText((await received.next())[0]), `old ${index}`);
    assertEquals(plainText((await received.next())[0]), "new");
  });

  it("send() of what is no message says what is wrong", async () => {
    await using router = new Router();
    const error = assertThrows(() => router.send({} as MessageBase), Error, "$.message_info");
    assertEquals(error.name, "MessageEncodeError");
  });
});
