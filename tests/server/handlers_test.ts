import { assertEquals, assertMatch, assertStrictEquals, assertStringIncludes, assertThrows } from "@std/assert";
import { describe, it } from "@std/testing/bdd";

import { createCustom, plainText } from "../../schema.ts";
import { MessageServer } from "../../server.ts";
import { consoleErrors } from "../support/console.ts";
import { wireText } from "../support/messages.ts";
import { withTimeout } from "../support/peers/inbox.ts";
import { dial, withPeer } from "../support/server.ts";

describe("MessageServer event 'error'", () => {
  const failing: readonly (readonly [what: string, handler: (error: Error) => void | Promise<void>])[] = [
    ["throws", (error) => {
      throw error;
    }],
    ["rejects", (error) => Promise.reject(error)],
  ];
  for (const [what, handler] of failing) {
    it(`tells what a handler ${what}, and the next message is handled`, async () => {
      await withPeer(async (server, peer) => {
        const bug = new Error("a bug");
        const seen: string[] = [];
        const second = Promise.withResolvers<void>();
        const told = Promise.withResolvers<unknown>();
        server.on("message", (message) => {
          if (plainText(message) === "1") return handler(bug);
        });
        server.on("message", (message) => {
          seen.push(plainText(message));
          if (seen.length === 2) second.resolve();
        });
        server.on("error", told.resolve);
        peer.text(wireText("1"));
        peer.text(wireText("2"));
        assertStrictEquals(await withTimeout(told.promise, 5000, () => "the error"), bug);
        await withTimeout(second.promise, 5000, () => "the next message");
        assertEquals(seen, ["1", "2"]);
      });
    });

    it(`is one console.error call when a handler ${what} and nobody listens`, async () => {
      await withPeer(async (server, peer) => {
        const handled = Promise.withResolvers<void>();
        server.on("message", (message) => {
          if (plainText(message) === "1") return handler(new Error("a bug"));
          handled.resolve();
        });
        const lines = await consoleErrors(async () => {
          peer.text(wireText("1"));
          peer.text(wireText("2"));
          await withTimeout(handled.promise, 5000, () => "the next message");
        });
        assertEquals(lines.length, 1);
        assertMatch(lines[0] ?? "", /^@maim\/message: .*a bug/);
      });
    });
  }

  for (const event of ["custom", "open", "close", "invalid"] as const) {
    it(`tells what a handler of '${event}' throws`, async () => {
      await using server = new MessageServer();
      const bug = new Error("a bug");
      const told = Promise.withResolvers<unknown>();
      server.on(event, () => {
        throw bug;
      });
      server.on("error", told.resolve);
      await using peer = await dial(server.listen({ port: 0 }), "qq");
      if (event === "custom") peer.text(JSON.stringify(createCustom("poke", 1, "qq")));
      if (event === "invalid") peer.text("{");
      if (event === "close") peer.destroy();
      assertStrictEquals(await withTimeout(told.promise, 5000, () => "the error"), bug);
    });
  }

  it("is a console.error call when its own listener fails", async () => {
    await withPeer(async (server, peer) => {
      const handled = Promise.withResolvers<void>();
      server.on("error", () => {
        throw new Error("a second bug");
      });
      server.on("message", (message) => {
        if (plainText(message) === "1") throw new Error("a bug");
        handled.resolve();
      });
      const lines = await consoleErrors(async () => {
        peer.text(wireText("1"));
        peer.text(wireText("2"));
        await withTimeout(handled.promise, 5000, () => "the next message");
      });
      assertEquals(lines.length, 1);
      assertStringIncludes(lines[0] ?? "", "a second bug");
    });
  });
});

describe("MessageServer.on()", () => {
  /** Sends messages one by one and collects what the handlers note for each. */
  async function notes(
    count: number,
    register: (server: MessageServer, note: (text: string) => void) => void,
  ): Promise<string[]> {
    const seen: string[] = [];
    await withPeer(async (server, peer) => {
      register(server, (text) => void seen.push(text));
      const done = Promise.withResolvers<void>();
      server.onCustom("done", () => done.resolve());
      for (let index = 0; index < count; index++) peer.text(wireText(`${index}`));
      peer.text(JSON.stringify(createCustom("done", 1, "qq")));
      await withTimeout(done.promise, 5000, () => "the last message");
    });
    return seen;
  }

  it("calls handlers in the order they were added", async () => {
    const seen = await notes(1, (server, note) => {
      for (const name of ["a", "b", "c"]) server.on("message", () => note(name));
    });
    assertEquals(seen, ["a", "b", "c"]);
  });

  it("calls a handler for this event still when another removes it meanwhile", async () => {
    const seen = await notes(2, (server, note) => {
      server.on("message", () => {
        note("a");
        remove();
      });
      const remove = server.on("message", () => note("b"));
    });
    assertEquals(seen, ["a", "b", "a"]);
  });

  it("calls a handler for the next event first when it is added meanwhile", async () => {
    const seen = await notes(2, (server, note) => {
      const remove = server.on("message", () => {
        note("a");
        remove();
        server.on("message", () => note("b"));
      });
    });
    assertEquals(seen, ["a", "b"]);
  });

  it("returns a remover that is harmless when called twice", async () => {
    const seen = await notes(1, (server, note) => {
      const remove = server.on("message", () => note("a"));
      server.on("message", () => note("b"));
      remove();
      remove();
    });
    assertEquals(seen, ["b"]);
  });

  it("removes the handler when the signal is aborted", async () => {
    const controller = new AbortController();
    const seen = await notes(2, (server, note) => {
      server.on("message", () => note("a"), { signal: controller.signal });
      server.on("message", () => controller.abort());
    });
    assertEquals(seen, ["a"]);
  });

  it("adds nothing when the signal is aborted already", async () => {
    const seen = await notes(1, (server, note) => {
      server.on("message", () => note("a"), { signal: AbortSignal.abort() });
    });
    assertEquals(seen, []);
  });

  it("throws TypeError when the handler is no function", () => {
    assertThrows(() => new MessageServer().on("message", 5 as unknown as () => void), TypeError, "number");
  });
});

describe("MessageServer.onCustom()", () => {
  it("removes the handler when its remover is called or the signal aborted", async () => {
    await withPeer(async (server, peer) => {
      const controller = new AbortController();
      const seen: string[] = [];
      const done = Promise.withResolvers<void>();
      const remove = server.onCustom("poke", () => void seen.push("a"));
      server.onCustom("poke", () => void seen.push("b"), { signal: controller.signal });
      server.onCustom("poke", () => {
        remove();
        controller.abort();
      });
      server.onCustom("done", () => done.resolve());
      for (const name of ["poke", "poke", "done"]) peer.text(JSON.stringify(createCustom(name, 1, "qq")));
      await withTimeout(done.promise, 5000, () => "the last message");
      assertEquals(seen, ["a", "b"]);
    });
  });
});
