import { assert, assertEquals } from "@std/assert";
import { describe, it } from "@std/testing/bdd";

import { MessageServer, type MessageServerOptions, type Refusal, type RefusalCause } from "../../server.ts";
import type { Header } from "../support/peers/handshake.ts";
import { heard } from "../support/peers/listen.ts";
import { RawPeer } from "../support/peers/raw.ts";
import { dial, get, headers } from "../support/server.ts";

/** What a refused caller does. */
interface Attempt {
  readonly cause: RefusalCause;
  readonly code: number;
  readonly options: MessageServerOptions;
  /** Added to the URL, or in place of its path. */
  readonly path?: string;
  readonly headers?: readonly Header[];
  /** True if the platform was read before the refusal. */
  readonly hasPlatform?: boolean;
  readonly limit?: Refusal["limit"];
}

const WITH_TOKEN: MessageServerOptions = { tokens: ["hunter2"] };
const WRONG: Header = ["authorization", "hunter3"];
const refuses = () => false;
const throws = () => {
  throw new Error("no database");
};

const ATTEMPTS: readonly Attempt[] = [
  { cause: "token", code: 1008, options: WITH_TOKEN, headers: [WRONG], hasPlatform: true },
  { cause: "token", code: 401, options: { ...WITH_TOKEN, refuse: "http" }, headers: [WRONG], hasPlatform: true },
  { cause: "token", code: 1008, options: WITH_TOKEN, hasPlatform: true },
  { cause: "authorize", code: 1008, options: { authorize: refuses }, hasPlatform: true },
  { cause: "authorize", code: 401, options: { authorize: refuses, refuse: "http" }, hasPlatform: true },
  { cause: "authorize", code: 500, options: { authorize: throws }, hasPlatform: true },
  { cause: "origin", code: 403, options: {}, headers: [["origin", "https://example.com"]] },
  { cause: "path", code: 404, options: {}, path: "/other?token=hunter3" },
  { cause: "socket_io", code: 400, options: {}, path: "/ws?EIO=4&transport=websocket" },
  { cause: "not_websocket", code: 426, options: {}, headers: [["upgrade", "h2c"]] },
  { cause: "platform_name", code: 400, options: {}, headers: [["platform", "caf\u00e9"]] },
];

/** Connects and returns once the caller was answered. */
async function attempt(url: string, { path = "/ws", headers: others = [] }: Partial<Attempt>): Promise<void> {
  const named = others.some(([name]) => name === "platform") ? [] : headers("qq");
  await using _peer = await RawPeer.connect(new URL(path, url).href, { headers: [...named, ...others] });
}

describe("MessageServer event 'refused'", () => {
  for (const attempted of ATTEMPTS) {
    const { cause, code, options, hasPlatform = false } = attempted;
    it(`names the cause ${cause} and the code ${code}${attempted === ATTEMPTS[2] ? ", without a token" : ""}`, async () => {
      await using server = new MessageServer(options);
      server.on("error", () => {});
      const refused = heard(server, "refused");
      await attempt(server.listen({ port: 0 }), attempted);
      const [refusal] = await refused.next();
      assertEquals(refusal, {
        address: "127.0.0.1",
        cause,
        code,
        ...(hasPlatform ? { platform: "qq" } : {}),
        omitted: 0,
      });
      assert(!JSON.stringify(refusal).includes("hunter"));
      assertEquals(server.stats().refused, 1);
    });
  }

  it("names the cause not_websocket for a request without an upgrade", async () => {
    await using server = new MessageServer();
    const refused = heard(server, "refused");
    await get(server.listen({ port: 0 }), "/ws");
    const [{ cause, code }] = await refused.next();
    assertEquals([cause, code], ["not_websocket", 426]);
  });

  it("names the cause blocked after too many wrong tokens", async () => {
    await using server = new MessageServer({ ...WITH_TOKEN, limits: { wrongTokens: 1 } });
    const refused = heard(server, "refused");
    const url = server.listen({ port: 0 });
    for (const token of ["hunter3", "hunter2"]) await attempt(url, { headers: [["authorization", token]] });
    const [[first], [second]] = [await refused.next(), await refused.next()];
    assertEquals([first.cause, second.cause, second.code], ["token", "blocked", 429]);
  });

  for (const limit of ["connections", "connectionsPerAddress"] as const) {
    it(`names the cause full and limits.${limit}`, async () => {
      await using server = new MessageServer({ limits: { [limit]: 1 } });
      const refused = heard(server, "refused");
      const url = server.listen({ port: 0 });
      await using _first = await dial(url, "qq");
      await attempt(url, {});
      const full = { address: "127.0.0.1", platform: "qq", cause: "full" as const, code: 503, limit, omitted: 0 };
      assertEquals(await refused.next(), [full]);
    });
  }

  it("names the cause duplicate and the code 4409", async () => {
    await using server = new MessageServer({ duplicates: "reject" });
    const refused = heard(server, "refused");
    const url = server.listen({ port: 0 });
    await using _first = await dial(url, "qq");
    await using _second = await dial(url, "qq");
    const duplicate = { address: "127.0.0.1", platform: "qq", cause: "duplicate" as const, code: 4409, omitted: 0 };
    assertEquals(await refused.next(), [duplicate]);
  });

  it("names the cause closing when the server is closed, but mounted", async () => {
    const server = new MessageServer();
    await server.close();
    const refused = heard(server, "refused");
    const request = new Request("http://localhost/ws", { headers: { upgrade: "websocket", platform: "qq" } });
    const response = await server.fetch(request);
    const [{ cause, code, platform }] = await refused.next();
    assertEquals([response.status, cause, code, platform], [503, "closing", 503, "qq"]);
  });

  it("comes once a second for an address and a cause, and says how many were left out", async () => {
    await using server = new MessageServer({ ...WITH_TOKEN, limits: { wrongTokens: Infinity } });
    const seen: Refusal[] = [];
    server.on("refused", (refusal) => void seen.push(refusal));
    const url = server.listen({ port: 0 });
    const since = performance.now();
    let callers = 0;
    const again = async (path: string): Promise<void> => {
      callers++;
      await attempt(url, { path, headers: [WRONG] });
    };
    for (let index = 0; index < 20; index++) await again("/ws");
    await again("/other");
    while (seen.filter(({ cause }) => cause === "token").length < 2) await again("/ws"); // after a second
    const spent = performance.now() - since;
    const tokens = seen.filter(({ cause }) => cause === "token");
    assert(spent >= 1000, `the second event came after ${spent} ms`);
    assertEquals(seen.filter(({ cause }) => cause === "path").map(({ omitted }) => omitted), [0]);
    assertEquals(tokens.map(({ omitted }) => omitted), [0, callers - 3]);
    assertEquals(server.stats().refused, callers);
  });
});
