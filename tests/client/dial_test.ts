import { assertEquals, assertRejects } from "@std/assert";
import { describe, it } from "@std/testing/bdd";

import { MessageClient, MessageConnectionError } from "../../mod.ts";
import { runtime } from "../../runtime/mod.ts";

/** Counts dials, and lets none of them through. */
class Dials implements Disposable {
  readonly #original = runtime.dial;
  count = 0;

  constructor() {
    runtime.dial = () => {
      this.count++;
      throw new Error("no dial is expected");
    };
  }

  [Symbol.dispose](): void {
    runtime.dial = this.#original;
  }
}

/** A client whose URL is looked up until the test gives it. */
function lookingUp(): { client: MessageClient; asked: Promise<void>; found(): Promise<void> } {
  const url = Promise.withResolvers<string>();
  const asked = Promise.withResolvers<void>();
  const client = new MessageClient(() => (asked.resolve(), url.promise), { platform: "qq" });
  const found = async (): Promise<void> => {
    url.resolve("ws://127.0.0.1:1/ws");
    // Whatever follows the URL runs in microtasks, all of them before the next timer.
    await new Promise((resolve) => setTimeout(resolve));
  };
  return { client, asked: asked.promise, found };
}

describe("MessageClient while its URL is looked up", () => {
  it("does not dial any more once it is closed", async () => {
    using dials = new Dials();
    const { client, asked, found } = lookingUp();
    const connected = assertRejects(() => client.connect(), MessageConnectionError);
    await asked;
    await client.close();
    assertEquals((await connected).code, "closed");
    await found();
    assertEquals([dials.count, client.status.state], [0, "closed"]);
  });

  it("does not dial any more once nobody waits for it", async () => {
    using dials = new Dials();
    const { client, asked, found } = lookingUp();
    const cancel = new AbortController();
    const connected = assertRejects(() => client.connect({ signal: cancel.signal }), Error, "enough");
    await asked;
    cancel.abort(new Error("enough"));
    await connected;
    await found();
    assertEquals([dials.count, client.status], [0, { state: "idle" }]);
    await client.close();
  });

  it("dials if nothing came between", async () => {
    using dials = new Dials();
    const { client, asked, found } = lookingUp();
    const connected = assertRejects(() => client.connect(), MessageConnectionError);
    await asked;
    await found();
    assertEquals([(await connected).code, dials.count], ["refused", 1]);
    await client.close();
  });
});
