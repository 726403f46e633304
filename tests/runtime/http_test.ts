import { assert, assertEquals, assertRejects } from "@std/assert";
import { describe, it } from "@std/testing/bdd";
import { gzipSync } from "node:zlib";

import { runtime } from "../../runtime/mod.ts";
import type { HttpAnswer } from "../../runtime/types.ts";
import { flood } from "../support/peers/flood.ts";
import { soon } from "../support/peers/inbox.ts";
import { type RawPeer, RawServer } from "../support/peers/raw.ts";

const HEAD = "HTTP/1.1 404 Not Found\r\n";
const BLOCK = "a".repeat(65_536);
/** What the kernel and the runtime may hold of an answer that nobody reads: 32 MiB, far below what a flood writes. */
const MOST_WRITTEN = 32 * 2 ** 20;

interface Asked extends AsyncDisposable {
  readonly peer: RawPeer;
  readonly answer: Promise<HttpAnswer>;
  readonly request: AbortController;
}

/** Sends a request to a raw server that has not answered it yet. */
async function asked(maxBytes: number): Promise<Asked> {
  const server = await RawServer.listen();
  const request = new AbortController();
  const answer = runtime.get(server.url.replace("ws:", "http:"), {
    headers: { "x-asked": "yes" },
    ca: [],
    signal: request.signal,
    maxBytes,
  });
  answer.catch(() => {}); // the test may look at it later
  const peer = await server.next();
  return { peer, answer, request, [Symbol.asyncDispose]: () => server[Symbol.asyncDispose]() };
}

describe("runtime.get()", () => {
  it("returns status, hello header and the start of the body", async () => {
    await using question = await asked(8);
    assertEquals(question.peer.header("x-asked"), "yes");
    question.peer.respond(426, [["maim-hello", "1"]], "long enough to be cut");
    assertEquals(await soon(question.answer), { status: 426, serves: "1", text: "long eno" });
  });

  it("returns a body that is shorter than the limit, and null without the header", async () => {
    await using question = await asked(64);
    question.peer.respond(200, [], "short");
    assertEquals(await soon(question.answer), { status: 200, serves: null, text: "short" });
  });

  it("joins a body that comes in pieces", async () => {
    await using question = await asked(4);
    const { peer } = question;
    peer.write(`${HEAD}transfer-encoding: chunked\r\n\r\n`);
    for (const each of ["a", "b", "c", "d", "e"]) {
      peer.write(`1\r\n${each}\r\n`);
      await peer.flushed();
    }
    assertEquals((await soon(question.answer)).text, "abcd");
  });

  for (
    const [what, head, block] of [
      ["that ends with the connection", `${HEAD}\r\n`, BLOCK],
      ["of 8 GB", `${HEAD}content-length: 8000000000\r\n\r\n`, BLOCK],
      ["in chunks", `${HEAD}transfer-encoding: chunked\r\n\r\n`, `10000\r\n${BLOCK}\r\n`],
    ] as const
  ) {
    for (const maxBytes of [0, 8]) {
      it(`ends the connection instead of reading on in a body ${what}, with ${maxBytes} bytes wanted`, async () => {
        await using question = await asked(maxBytes);
        question.peer.write(head);
        const written = flood(question.peer, block);
        const { status, text } = await soon(question.answer);
        assertEquals([status, text], [404, "a".repeat(maxBytes)]);
        assert(await soon(written) < MOST_WRITTEN);
      });
    }
  }

  it("does not unpack a compressed body", async () => {
    await using question = await asked(8);
    assertEquals(question.peer.header("accept-encoding"), "identity");
    const bomb = gzipSync(new Uint8Array(2 ** 26));
    question.peer.write(`${HEAD}content-encoding: gzip\r\ncontent-length: ${bomb.length}\r\n\r\n`);
    question.peer.write(bomb);
    const { text } = await soon(question.answer);
    assertEquals(text, new TextDecoder().decode(bomb.subarray(0, 8)));
  });

  for (const [what, block] of [["one header", BLOCK], ["headers", `a: ${"b".repeat(60)}\r\n`.repeat(1000)]] as const) {
    it(`rejects when ${what} never end, and ends the connection`, async () => {
      await using question = await asked(8);
      question.peer.write(`${HEAD}x: `);
      const written = flood(question.peer, block);
      await assertRejects(() => soon(question.answer));
      assert(await soon(written) < MOST_WRITTEN);
    });
  }

  it("does not wait for a body that is not wanted", async () => {
    await using question = await asked(0);
    question.peer.write(`${HEAD}content-length: 5\r\n\r\n`);
    assertEquals(await soon(question.answer), { status: 404, serves: null, text: "" });
    await soon(question.peer.closed);
  });

  it("ends with its signal while it waits for the headers", async () => {
    await using question = await asked(8);
    question.request.abort();
    await assertRejects(() => soon(question.answer), DOMException);
    await soon(question.peer.closed);
  });

  it("ends with its signal while it waits for the body", async () => {
    await using question = await asked(8);
    question.peer.write(`${HEAD}content-length: 8\r\n\r\nabc`);
    await question.peer.flushed();
    question.request.abort();
    await assertRejects(() => soon(question.answer), DOMException);
    await soon(question.peer.closed);
  });

  it("does not ask when its signal is aborted already", async () => {
    await using server = await RawServer.listen();
    const options = { headers: {}, ca: [], signal: AbortSignal.abort(), maxBytes: 0 };
    await assertRejects(() => runtime.get(server.url.replace("ws:", "http:"), options), DOMException);
    assertEquals(server.accepted, 0);
  });
});
