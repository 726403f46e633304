import { assert, assertEquals } from "@std/assert";
import { describe, it } from "@std/testing/bdd";

import { MessageServer, type MessageServerOptions, plainText } from "../../mod.ts";
import { HI, textMessage } from "../support/messages.ts";
import { readText } from "../support/package.ts";
import { ChunkPeer } from "../support/peers/chunk_peer.ts";
import { encodeRequest } from "../support/peers/handshake.ts";
import { heard } from "../support/peers/listen.ts";
import { RawPeer } from "../support/peers/raw.ts";
import { headers } from "../support/server.ts";

const TOKEN = "right";
const CONNECTIONS = 20;
const TURNED_OUT = 10;

/** A server under attack, and its attackers, which hold their sockets until the end. */
class Scene implements AsyncDisposable {
  readonly server: MessageServer;
  readonly url: string;
  readonly #attackers: RawPeer[] = [];

  constructor({ limits = {}, ...options }: MessageServerOptions) {
    const all = { connections: CONNECTIONS, turnedOut: TURNED_OUT, ...limits };
    this.server = new MessageServer({ tokens: [TOKEN], closeTimeout: 300, ...options, limits: all });
    this.server.on("message", (message, peer) => {
      if (peer.platform === "healthy") peer.send(message);
    });
    this.server.on("drop", () => {});
    this.server.on("error", () => {});
    this.url = this.server.listen({ port: 0 });
  }

  /** Adds an attacker that sends no handshake by itself. */
  async open(): Promise<RawPeer> {
    const peer = await RawPeer.open(this.url);
    this.#attackers.push(peer);
    return peer;
  }

  /** Adds an attacker that sends a handshake and does not wait for the answer. */
  async ask(token: string = TOKEN, platform: string = "attacker"): Promise<RawPeer> {
    const peer = await this.open();
    peer.write(encodeRequest(new URL(this.url), headers(platform, token)));
    return peer;
  }

  /** Adds an attacker whose handshake was answered. */
  async dial(token?: string, platform?: string): Promise<RawPeer> {
    const peer = await this.ask(token, platform);
    await peer.readResponse();
    return peer;
  }

  /** Adds an attacker that was let in and speaks chunks by hand. */
  async dialChunks(): Promise<ChunkPeer> {
    const peer = await this.open();
    const hello = [...headers("attacker", TOKEN), ["maim-hello", "1; chunks"] as const];
    peer.write(encodeRequest(new URL(this.url), hello));
    await peer.readResponse();
    return new ChunkPeer(peer);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const peer of this.#attackers) peer.destroy();
    await Promise.all(this.#attackers.map((peer) => peer.closed));
    await this.server.close();
  }
}

/** One row of the table in README.md. */
interface Attack {
  /** First column. */
  readonly does: string;
  readonly options?: MessageServerOptions;
  /** Attacks, and checks the second column. */
  readonly attack: (scene: Scene) => Promise<void>;
}

const codeOf = async (peer: RawPeer) => (await peer.frame({ opcode: 8 }))?.code;
/** Sends frames from a new attacker, and checks how many were not messages: all, unless told otherwise. */
const sends =
  (count: number, text: string, { opcode = 1, invalid = count } = {}) => async (scene: Scene): Promise<void> => {
    const peer = await scene.dial();
    const messages = heard(scene.server, "message");
    for (let index = 0; index < count; index++) peer.send(opcode, text);
    peer.text(HI);
    await messages.next((message) => plainText(message) === "hi", { timeoutMs: 30_000 });
    assertEquals(scene.server.stats().invalid, invalid);
  };

/** An `authorize` that never decides about attackers, and a promise that as many as given wait. */
function hangingAuthorize(count: number) {
  const { promise, resolve } = Promise.withResolvers<void>();
  let waiting = 0;
  const authorize = ({ headers }: Request): true | Promise<boolean> => {
    if (headers.get("platform") !== "attacker") return true;
    if (++waiting === count) resolve();
    return new Promise<boolean>(() => {});
  };
  return { authorize, areWaiting: promise };
}

const hanging = hangingAuthorize(CONNECTIONS - 1); // beside the healthy peer

const message = (segment: string) => `{"message_info":{"platform":"qq"},"message_segment":${segment}}`;
const DEEP = `${'{"type":"seglist","data":['.repeat(10_000)}${"]}".repeat(10_000)}`;
const DEEP_JSON = `{"type":"x","data":${"[".repeat(10_000)}${"]".repeat(10_000)}}`;
const MILLION = `{"type":"seglist","data":[${'{"type":"text","data":""},'.repeat(999_999)}{"type":"text","data":""}]}`;

const ATTACKS: readonly Attack[] = [
  {
    does: "calls with wrong tokens, and holds the sockets",
    async attack(scene) {
      for (let index = 0; index < 3 * TURNED_OUT; index++) {
        const peer = await scene.dial("wrong");
        // Bun has dropped the sockets before, so that there is always room for one more.
        const status = index < TURNED_OUT ? 101 : peer.response.status;
        assertEquals([peer.response.status, scene.server.stats().unauthorized], [status, index + 1]);
        if (status === 101) assertEquals(await codeOf(peer), 1008);
        else assertEquals(status, 401);
      }
      assert(scene.server.stats().connections <= TURNED_OUT + 1);
    },
  },
  {
    does: "gets itself turned out with a right token, and holds the sockets",
    options: { limits: { messagesPerSecond: 100 } },
    async attack(scene) {
      for (let index = 0; index < TURNED_OUT; index++) {
        const peer = await scene.dial();
        for (let sent = 0; sent < 200; sent++) peer.text(HI);
        assertEquals(await codeOf(peer), 4429);
      }
      assertEquals(scene.server.peers.length, 1);
    },
  },
  {
    does: "calls while authorize hangs",
    options: { authorize: hanging.authorize, authorizeTimeout: 1500 },
    async attack(scene) {
      const late = heard(scene.server, "error");
      const waiting: RawPeer[] = [];
      for (let index = 1; index < CONNECTIONS; index++) waiting.push(await scene.ask());
      await hanging.areWaiting;
      assertEquals((await scene.dial()).response.status, 503);
      assertEquals(scene.server.stats().authorizing, waiting.length); // the one above was refused at once
      for (const peer of waiting) assertEquals((await peer.readResponse()).status, 503);
      await late.next();
    },
  },
  {
    does: "begins large messages and never ends them",
    options: { limits: { transferBytes: 1_000_000 }, duplicates: "share" },
    async attack(scene) {
      const reached = heard(scene.server, "limit");
      for (let index = 0; index < 5; index++) {
        const peer = await scene.dialChunks();
        peer.say({ op: "open", id: 1, flow: false });
        for (let n = 0; n < 6; n++) peer.say({ op: "data", id: 1, n, data: "x".repeat(65_536) });
        if (index >= 2) assertEquals((await peer.nextOf("refuse")).reason, "too_many");
      }
      assertEquals((await reached.next())[0].limit, "transferBytes");
      assert(scene.server.stats().transferBytes <= 1_000_000);
    },
  },
  {
    does: "does not read what it is sent",
    options: { limits: { queuedBytes: 2 ** 20 } },
    async attack(scene) {
      const peer = await scene.dial();
      peer.pause();
      const lost = textMessage("x".repeat(1_000_000), "attacker");
      const reached = heard(scene.server, "limit");
      while (scene.server.peers.length > 1) scene.server.send(lost);
      assertEquals((await reached.next())[0].limit, "queuedBytes");
    },
  },
  {
    does: "floods with messages",
    options: { limits: { messagesPerSecond: 100 } },
    async attack(scene) {
      const peer = await scene.dial();
      for (let sent = 0; sent < 10_000; sent++) peer.text(HI);
      assertEquals(await codeOf(peer), 4429);
      assert(scene.server.stats().received <= 110);
    },
  },
  { does: "sends 100,000 bad frames", attack: sends(100_000, "{") },
  { does: "nests lists 10,000 deep", attack: sends(1, message(DEEP)) },
  { does: "nests free JSON 10,000 deep", attack: sends(1, message(DEEP_JSON), { invalid: 0 }) },
  {
    does: "sends a million segments",
    async attack(scene) {
      const peer = await scene.dial();
      peer.text(message(MILLION));
      assertEquals(await codeOf(peer), 1009);
    },
  },
  { does: "sends binary frames", attack: sends(1000, "x", { opcode: 2 }) },
  {
    does: "sends a handshake that trickles",
    async attack(scene) {
      (await scene.open()).write("GET /ws HTT");
    },
  },
  {
    does: "sends a header of 1 MB",
    async attack(scene) {
      const peer = await scene.open();
      peer.write(`GET /ws HTTP/1.1\r\nHost: a\r\nX-Bomb: ${"x".repeat(1_000_000)}\r\n\r\n`);
      const response = await peer.readResponse().catch(() => null);
      assert(response === null || response.status >= 400);
    },
  },
];

/** Rows whose attack is on the log, and the test of each. */
const ON_THE_LOG: Readonly<Record<string, readonly [file: string, test: string]>> = {
  "gets refused over and over": [
    "tests/server/refused_test.ts",
    "comes once a second for an address and a cause, and says how many were left out",
  ],
  "hides line breaks and control characters in names": [
    "tests/server/program_text_test.ts",
    "prints texts of callers in one line, without control characters, and cut",
  ],
};

/** The first column of the table of attacks. */
function attacksIn(readme: string): string[] {
  const [, after = ""] = readme.split(/^\| (?:an attacker|攻击者) .*\n\| -.*\n/m);
  return after.slice(0, after.indexOf("\n\n")).split("\n").map((row) => (row.split("|")[1] ?? "").trim());
}

describe("MessageServer goes on serving a healthy peer when an attacker", () => {
  for (const { does, options = {}, attack } of ATTACKS) {
    it(does, async () => {
      await using scene = new Scene(options);
      await using healthy = await RawPeer.connect(scene.url, { headers: headers("healthy", TOKEN) });
      const attacked = attack(scene);
      attacked.catch(() => {}); // awaited below
      for (let round = 0; round < 5; round++) {
        if (round === 3) await attacked;
        healthy.text(JSON.stringify(textMessage(`${round}`, "healthy")));
        const answer = await healthy.message({ timeoutMs: 20_000 });
        assertEquals(plainText(JSON.parse(answer?.text ?? "")), `${round}`);
      }
      await using next = await RawPeer.connect(scene.url, { headers: headers("newcomer", TOKEN) });
      assertEquals(next.response.status, 101);
    });
  }
});

describe("The table of attacks", () => {
  it("has a row for each test, and a test for each row", () => {
    assertEquals(attacksIn(readText("README.md")), [...ATTACKS.map(({ does }) => does), ...Object.keys(ON_THE_LOG)]);
    for (const [file, test] of Object.values(ON_THE_LOG)) assert(readText(file).includes(test), file);
  });

  it("has as many rows in Chinese", () => {
    assertEquals(attacksIn(readText("README.zh.md")).length, attacksIn(readText("README.md")).length);
  });
});
