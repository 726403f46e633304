import { assertEquals, assertStringIncludes } from "@std/assert";
import { describe } from "@std/testing/bdd";

import { FakeMaiBot } from "../../maibot/fake/mod.ts";
import { plainText } from "../../schema.ts";
import { dial, hello, listen } from "../support/fake_maibot.ts";
import type { Header } from "../support/peers/handshake.ts";
import { peerTest, PythonClient, PythonServer } from "../support/peers/python.ts";

/** What a server does at the wire, whoever it is. Its one token is "secret". */
async function probe(url: string): Promise<unknown[]> {
  const seen: unknown[] = [];
  for (const token of [undefined, "", "wrong", "Bearer secret"]) {
    await using peer = await dial(url, "qq", token === undefined ? [] : [["Authorization", token]]);
    const frame = await peer.frame({ opcode: 8 });
    seen.push(["token", token, peer.response.status, frame?.code, frame?.reason]);
  }
  for (const path of ["/ws/", "/", "/ws/x"]) {
    await using peer = await dial(new URL(path, url).href, "qq", SECRET);
    seen.push(["path", path, peer.response.status, peer.response.body]);
  }
  for (const path of ["/ws", "/ws/", "/socket.io/?EIO=4&transport=polling"]) {
    const response = await fetch(new URL(path, url.replace("ws:", "http:")));
    seen.push(["GET", path, response.status, await response.text()]);
  }
  await using older = await dial(`${url}?platform=tg&token=none`, "qq", [...SECRET, ["Origin", "http://evil.example"]]);
  older.text("{");
  older.text("");
  older.text("null");
  // A frame that is read after the close frame was sent would cost that frame on Deno: wait until these were read.
  older.send(9, "read?");
  await older.frame({ opcode: 10 });
  await using newer = await dial(url, "qq", SECRET);
  const frame = await older.frame({ opcode: 8 });
  seen.push(["replaced", frame?.code, frame?.reason]);
  newer.close(4000, "bye");
  const goodbye = await newer.frame({ opcode: 8 });
  seen.push(["goodbye", goodbye?.code, goodbye?.reason]);
  return seen;
}

const SECRET: readonly Header[] = [["Authorization", "secret"]];

describe("FakeMaiBot and maim_message 0.6.8", () => {
  peerTest("hold a conversation", async () => {
    await using bot = new FakeMaiBot({ answers: "echo", tokens: ["secret"] });
    await using python = await PythonClient.start({
      url: listen(bot),
      platform: "qq",
      token: "secret",
      custom: ["poke"],
    });
    await python.next("connected");
    await bot.connected("qq");
    python.send({ do: "send", message: hello("来自 Python") });
    const { isAccepted, message } = await bot.received();
    assertEquals([isAccepted, message && plainText(message)], [true, "来自 Python"]);
    const answer = await python.next("message");
    assertStringIncludes(JSON.stringify(answer), "来自 Python");
    bot.send({ is_custom_message: true, message_type_name: "poke", content: 1, platform: "qq" }, "qq");
    await python.next("custom");
  });

  peerTest("do the same at the wire", async () => {
    await using bot = new FakeMaiBot({ tokens: ["secret"] });
    await using python = await PythonServer.start({ tokens: ["secret"] });
    assertEquals(await probe(listen(bot)), await probe(python.url));
  });
});
