import { assert, assertEquals } from "@std/assert";
import { describe, it } from "@std/testing/bdd";

import { MessageServer } from "../../server.ts";
import { textMessage } from "../support/messages.ts";
import { heard } from "../support/peers/listen.ts";
import { RawPeer } from "../support/peers/raw.ts";
import { headers } from "../support/server.ts";

describe("MessageServer.stats()", () => {
  it("counts no peer that was given up, and its queued bytes until its socket is gone", async () => {
    const limits = { queuedBytes: 2 ** 20 };
    await using server = new MessageServer({ limits, closeTimeout: 300 });
    server.on("drop", () => {});
    const opened = heard(server, "open");
    const closed = heard(server, "close");
    const url = server.listen({ port: 0 });
    const stuck: RawPeer[] = [];
    let queued = 0;
    for (let index = 0; index < 3; index++) {
      const raw = await RawPeer.connect(url, { headers: headers(`stuck${index}`) });
      raw.pause();
      stuck.push(raw);
      const [peer] = await opened.next();
      while (server.peers.length > 0) {
        peer.send(textMessage("x".repeat(300_000)));
        if (server.peers.length > 0) queued = Math.max(queued, peer.bufferedAmount);
      }
    }
    const { peers, connections, queuedBytes } = server.stats();
    assertEquals(peers, 0);
    assert(queued > 500_000, `${queued} bytes were queued to one peer`);
    // Bun drops the sockets and all that is queued to them; Deno keeps both.
    assert(connections === 0 ? queuedBytes === 0 : queuedBytes >= 3 * 500_000, `${queuedBytes} bytes are queued`);
    for (const raw of stuck) raw.destroy();
    for (const _raw of stuck) await closed.next();
    assertEquals([server.stats().connections, server.stats().queuedBytes], [0, 0]);
  });
});
