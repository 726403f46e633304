import { assert, assertEquals, assertMatch, assertStringIncludes } from "@std/assert";
import { describe, it } from "@std/testing/bdd";

import { MessageClient, MessageServer } from "../../mod.ts";
import { createCustom, createMessage, seg } from "../../schema.ts";
import { describeDrop } from "../../session/drops.ts";
import { describeError, oneLine } from "../../util/display.ts";
import { consoleErrors } from "../support/console.ts";
import { heard } from "../support/peers/listen.ts";
import { dial } from "../support/server.ts";

/** A text that would forge a line of a log, write to a terminal, and fill a disk. */
const FORGED = `1\r\n+ #99 admin (127.0.0.1)\x1b[31m\x9b2J\u2028\u202e${"x".repeat(1_000_000)}`;
// deno-lint-ignore no-control-regex -- they are what is looked for
const UNPRINTABLE = /[\x00-\x1f\x7f-\x9f\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069]/;

function assertPrintable(line: string): void {
  assertEquals(UNPRINTABLE.exec(line), null);
  assert(line.length < 700, `${line.length} characters`);
}

describe("oneLine()", () => {
  const CASES: readonly (readonly [what: string, text: string, line: string])[] = [
    ["an empty text", "", ""],
    ["a plain text", "你好 hello", "你好 hello"],
    ["a text of two lines", "a\nb", "a b"],
    ["empty lines", "a\r\n\r\nb", "a b"],
    ["what a terminal obeys", "\x1b[31mred\x07\x7f\x9b", " [31mred "],
    ["the line separators of Unicode", "a\u2028b\u2029c", "a b c"],
    ["marks that turn a text around", "\u202egnp.exe\u2066\u061c\u200f", " gnp.exe "],
    ["an emoji of several characters", "👩‍👩‍👧", "👩‍👩‍👧"],
    ["half of a surrogate pair", "a\ud800b", "a\ufffdb"],
    ["the longest text", "x".repeat(200), "x".repeat(200)],
    ["a longer text", "x".repeat(201), `${"x".repeat(200)}…`],
    ["a text that would be cut in a surrogate pair", `${"x".repeat(199)}😀`, `${"x".repeat(199)}…`],
  ];
  for (const [what, text, line] of CASES) {
    it(`prints ${what} as one line`, () => assertEquals(oneLine(text), line));
  }

  it("cuts to another length when told", () => {
    assertEquals([oneLine("abcdef", 3), oneLine("abc", 3)], ["abc…", "abc"]);
  });
});

describe("describeError()", () => {
  it("gives name, text and place of an error", () => {
    assertMatch(describeError(new RangeError("a bug")), /^RangeError: a bug \(at .*display_test\.ts:\d+:\d+\)?\)$/);
  });

  it("gives one short line for an error whose name and text come from outside", () => {
    assertPrintable(describeError(Object.assign(new Error(FORGED), { name: FORGED })));
  });

  it("takes no place from the text of an error", () => {
    assertMatch(describeError(new Error("no\n    at evil.ts:1:1")), /display_test\.ts/);
  });

  it("names the type of anything else that was thrown, and does not show it", () => {
    assertEquals(["secret", null, 5, {}].map(describeError), [
      "a thrown string",
      "a thrown null",
      "a thrown number",
      "a thrown object",
    ]);
  });
});

describe("describeDrop()", () => {
  it("gives one short line, whatever the message is called", () => {
    const message = createMessage({ platform: "qq", user: "1", message_id: FORGED }, seg.text("secret"));
    for (const lost of [message, createCustom(FORGED, "secret", "qq")]) {
      const line = describeDrop({ message: lost, reason: "slow" });
      assertPrintable(line);
      assertMatch(line, /^(custom )?message .*… \(slow\)$/);
      assert(!line.includes("secret"));
    }
  });
});

describe("What is printed without a listener is one short line", () => {
  it("for a 'drop' of a client", async () => {
    const lines = await consoleErrors(async () => {
      const client = new MessageClient("ws://127.0.0.1:1/ws", { platform: "qq" });
      const connected = client.connect({ retry: true }).catch(() => {});
      client.send(createMessage({ platform: "qq", user: "1", message_id: FORGED }, seg.text("a")));
      await client.close();
      await connected;
    });
    assertEquals(lines.length, 1);
    assertPrintable(lines[0] ?? "");
    assertStringIncludes(lines[0] ?? "", "(closed)");
  });

  it("for a 'drop' of a server", async () => {
    const lines = await consoleErrors(async () => {
      await using server = new MessageServer({ limits: { queuedBytes: 2 ** 20 }, closeTimeout: 300 });
      const opened = heard(server, "open");
      await using stuck = await dial(server.listen({ port: 0 }), "qq");
      await opened.next();
      stuck.pause();
      const big = createMessage({ platform: "qq", user: "1", message_id: FORGED }, seg.text("x".repeat(1_000_000)));
      for (let sent = 0; sent < 200 && server.stats().dropped === 0; sent++) {
        server.send(big);
        await new Promise((resolve) => setTimeout(resolve, 1)); // the kernel takes some
      }
      stuck.destroy();
      await stuck.closed;
    });
    assertEquals(lines.length, 1);
    assertPrintable(lines[0] ?? "");
    assertStringIncludes(lines[0] ?? "", "(unconfirmed) and"); // the last of them is "slow"
  });

  it("for an 'error' whose text came from outside", async () => {
    const lines = await consoleErrors(async () => {
      await using server = new MessageServer();
      const handled = Promise.withResolvers<void>();
      server.on("message", ({ message_info }) => {
        handled.resolve();
        throw new Error(`Unknown message ${message_info.message_id}`);
      });
      await using peer = await dial(server.listen({ port: 0 }), "qq");
      peer.text(JSON.stringify(createMessage({ platform: "qq", user: "1", message_id: FORGED }, seg.text("a"))));
      await handled.promise;
    });
    assertEquals(lines.length, 1);
    assertPrintable(lines[0] ?? "");
    assertStringIncludes(lines[0] ?? "", "Unknown message 1 + #99");
  });

  it("for a 'warning' about a path from outside", async () => {
    const lines = await consoleErrors(async () => {
      const validate = () => [{ level: "unanswered", path: FORGED, rule: FORGED, hint: "Write it" }];
      await using server = new MessageServer();
      await using client = new MessageClient(server.listen({ port: 0 }), { platform: "qq", validate });
      await client.connect();
      client.sendText("a", { user: "1" });
    });
    assertEquals(lines.length, 1);
    assertPrintable(lines[0] ?? "");
    assertMatch(lines[0] ?? "", /Write it$/);
  });
});

describe("Errors about a platform from outside", () => {
  it("are one short line", async () => {
    await using server = new MessageServer();
    const message = createMessage({ platform: FORGED, user: "1" }, seg.text("a"));
    try {
      server.send(message);
    } catch (error) {
      assertPrintable((error as Error).message);
      return;
    }
    throw new Error("no_route was not thrown");
  });
});
