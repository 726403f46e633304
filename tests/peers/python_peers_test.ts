import { assertEquals, assertStringIncludes } from "@std/assert";
import { describe } from "@std/testing/bdd";

import { certPath } from "../support/peers/certs.ts";
import { peerTest, PythonClient, PythonRouter, PythonServer, SeedClient } from "../support/peers/python.ts";

/** A text message as a bridge sends one. */
function textMessage(platform: string, text: string): Record<string, unknown> {
  return {
    message_info: { platform, message_id: "1", time: 1.5 },
    message_segment: { type: "text", data: text },
  };
}

describe("Python peers", () => {
  peerTest("server and client exchange messages, images and custom messages", async () => {
    await using server = await PythonServer.start({ tokens: ["other", "2t"], custom: ["ping"] });
    await using client = await PythonClient.start({ url: server.url, platform: "qq", token: "2t", custom: ["pong"] });
    await client.next("connected");
    client.send({ do: "send", message: textMessage("qq", "half \ud800") });
    assertEquals((await server.next("message")).data, textMessage("qq", "half \ud800"));
    server.send({ do: "echo", on: true });
    await server.next("echo");
    client.send({ do: "send", message: textMessage("qq", "你好") });
    assertEquals((await server.next("message")).data, textMessage("qq", "你好"));
    assertEquals((await client.next("message")).data, textMessage("qq", "你好"));
    client.send({ do: "send_image", bytes: 300_000 });
    const { sha256, length } = await client.next(({ length }) => length !== undefined);
    assertEquals((await server.next("message")).data, {
      message_info: { platform: "qq", message_id: "image" },
      message_segment: { type: "image", data: { sha256, length } },
    });
    client.send({ do: "custom", name: "ping", content: { n: 1 } });
    assertEquals((await server.next("custom")).name, "ping");
    server.send({ do: "platforms" });
    assertEquals((await server.next("platforms")).platforms, ["qq"]);
    server.send({ do: "send", message: textMessage("nobody", "x") });
    assertEquals((await server.next(({ ok }) => ok === false)).event, "sent");
    assertEquals(await server.stop(), { code: 0, signal: null });
    const { code, reason } = await client.next("closed");
    assertEquals([code, reason], [1000, "服务器关闭"]);
    assertEquals(await client.stop(), { code: 0, signal: null });
  });

  peerTest("client reports the close frame that refuses its token", async () => {
    await using server = await PythonServer.start({ tokens: ["right"] });
    await using client = await PythonClient.start({ url: server.url, platform: "qq", token: "wrong" });
    const { code, reason } = await client.next("closed");
    assertEquals([code, reason], [1008, "无效的令牌"]);
  });

  peerTest("router and seed client talk to a TLS server", async () => {
    const [cert, key, ca] = [certPath("server.pem"), certPath("server.key"), certPath("ca.pem")];
    await using server = await PythonServer.start({ tls: { cert, key } });
    await using router = await PythonRouter.start({ routes: { qq: { url: server.url, ssl_verify: ca } } });
    await using seed = await SeedClient.start({ url: server.url, platform: "seed", ca });
    await router.next("connected");
    await seed.next("connected");
    router.send({ do: "send", message: textMessage("qq", "from the router") });
    assertEquals((await server.next("message")).data, textMessage("qq", "from the router"));
    seed.send({ do: "send_text", user_id: "7", text: "from the seed" });
    assertStringIncludes(JSON.stringify((await server.next("message")).data), "from the seed");
    server.send({ do: "send", message: textMessage("seed", "back") });
    assertEquals((await seed.next("message")).data, textMessage("seed", "back"));
    await router.stop();
    await seed.stop();
    await using stranger = await SeedClient.start({ url: server.url, platform: "seed", ca: certPath("other_ca.pem") });
    assertStringIncludes(String((await stranger.next("refused")).error), "CERTIFICATE_VERIFY_FAILED");
  });
});
