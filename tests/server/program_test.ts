import { assert, assertEquals, assertMatch, assertStringIncludes } from "@std/assert";
import { describe } from "@std/testing/bdd";
import { Buffer } from "node:buffer";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

import { MessageClient } from "../../client.ts";
import { createCustom, createMessage, type MessageBase, plainText, seg } from "../../schema.ts";
import { MessageServer } from "../../server.ts";
import { wireText } from "../support/messages.ts";
import { certPath, certText } from "../support/peers/certs.ts";
import { withTimeout } from "../support/peers/inbox.ts";
import { NativePeer } from "../support/peers/native_peer.ts";
import { runtimeCommand, type RuntimeName, runtimeProgram, spawnLines } from "../support/peers/process.ts";
import {
  assertOneLine,
  dialAs,
  type Outcome,
  type Program,
  runProgram,
  RUNTIMES,
  SERVER_PROGRAM,
  signalTest,
  START_MS,
  startProgram,
} from "../support/peers/program.ts";
import { runtimeTest } from "../support/peers/skip.ts";

const CLOSING = { code: 1000, reason: "服务器关闭" };

/** Starts the program on a free port and reads its first line. */
async function start(runtime: RuntimeName, args: readonly string[] = []): Promise<Program> {
  return await startProgram(runtime, SERVER_PROGRAM, args);
}

function runServer(runtime: RuntimeName, args: readonly string[]): Outcome {
  return runProgram(...runtimeCommand(runtime, SERVER_PROGRAM, args));
}

/** Sends a message and waits for the answer. */
async function exchange(client: MessageClient, message: MessageBase): Promise<MessageBase> {
  const answer = Promise.withResolvers<MessageBase>();
  const remove = client.on("message", answer.resolve);
  client.send(message);
  try {
    return await withTimeout(answer.promise, 5000, () => "an answer");
  } finally {
    remove();
  }
}

for (const runtime of RUNTIMES) {
  describe(`server.ts under ${runtime}`, () => {
    runtimeTest(runtime, "prints its URL first and accepts a client there when given --port 0", async () => {
      await using program = await start(runtime);
      assertMatch(program.url, /^ws:\/\/127\.0\.0\.1:\d+\/ws$/);
      await using client = new MessageClient(program.url, { platform: "qq" });
      await client.connect();
      client.send(createMessage({ platform: "qq", user: "1" }, seg.text("你好")));
      assertStringIncludes(await program.child.line(/你好/), "qq");
    });

    runtimeTest(runtime, "sends every message back when given --echo", async () => {
      await using program = await start(runtime, ["--echo"]);
      await using client = new MessageClient(program.url, { platform: "qq" });
      await client.connect();
      const message = createMessage({ platform: "qq", user: "1" }, seg.text("hello"));
      assertEquals(await exchange(client, message), message);
    });

    runtimeTest(runtime, "goes on when an echo has nowhere to go", async () => {
      await using program = await start(runtime, ["--echo"]);
      await using peer = await dialAs("qq", program.url);
      peer.text(wireText("lost", "elsewhere"));
      peer.text(wireText("back"));
      assertEquals((await peer.message())?.text, wireText("back"));
      await program.child.line(/^! .*elsewhere/);
    });

    runtimeTest(runtime, "prints one line per connection, message, custom message and bad frame", async () => {
      await using program = await start(runtime);
      await using peer = await dialAs("qq", program.url);
      peer.text(wireText("one\ntwo"));
      peer.text(JSON.stringify(createCustom("poke", { secret: 1 }, "qq")));
      peer.text("{");
      peer.close(4000, "bye");
      await program.child.line(/bye/);
      const [, opened, message, custom, invalid, closed, ...rest] = program.child.lines;
      assertMatch(opened ?? "", /^\+ .*qq.*127\.0\.0\.1/);
      assertMatch(message ?? "", /^< .*qq.*one two$/);
      assertMatch(custom ?? "", /^< .*qq.*poke/);
      assertMatch(invalid ?? "", /^! .*qq.*JSON/);
      assertMatch(closed ?? "", /^- .*qq.*4000 bye$/);
      assertEquals(rest, []);
    });

    runtimeTest(runtime, "prints [图片] and no base64 for an image", async () => {
      await using program = await start(runtime);
      await using client = new MessageClient(program.url, { platform: "qq" });
      await client.connect();
      const bytes = crypto.getRandomValues(new Uint8Array(3000));
      client.send(createMessage({ platform: "qq", user: "1" }, seg.text("see"), seg.image(bytes), seg.voice(bytes)));
      const line = await program.child.line(/\[图片\]/);
      assertMatch(line, /see/);
      const printed = program.child.lines.join("\n");
      assert(!printed.includes(Buffer.from(bytes).toString("base64").slice(0, 20)), line);
    });

    runtimeTest(runtime, "shortens a long message", async () => {
      await using program = await start(runtime);
      await using peer = await dialAs("qq", program.url);
      peer.text(wireText("很".repeat(100_000)));
      assert((await program.child.line(/很/)).length < 1000);
    });

    runtimeTest(runtime, "keeps control characters of a message from the terminal", async () => {
      await using program = await start(runtime);
      await using peer = await dialAs("qq", program.url);
      const nasty = "\x1b[31mred\x1b]0;title\x07\r\x08\x7f\x9b2J\u2028";
      peer.text(wireText(`${nasty}text`));
      peer.text(JSON.stringify(createCustom(`${nasty}custom`, 1, "qq")));
      peer.close(4000, `${nasty}reason`);
      await program.child.line(/reason/);
      const printed = program.child.lines.join("\n");
      for (const word of ["text", "custom", "reason"]) assertStringIncludes(printed, word);
      // deno-lint-ignore no-control-regex -- they are what is looked for
      assertEquals(printed.match(/[\x00-\x09\x0b-\x1f\x7f-\x9f\u2028\u2029]/g), null);
    });

    runtimeTest(runtime, "keeps characters that turn the rest of the line around from the terminal", async () => {
      await using program = await start(runtime);
      await using peer = await dialAs("qq", program.url);
      peer.text(wireText("\u202egnp.exe\u2066text"));
      assertEquals((await program.child.line(/text/)).match(/[\u202a-\u202e\u2066-\u2069]/g), null);
    });

    runtimeTest(runtime, "prints no line that a caller forges, and shortens what callers are called", async () => {
      await using program = await start(runtime, ["--echo"]);
      const name = "q".repeat(2000);
      await using peer = await dialAs(name, program.url);
      const forged = "elsewhere\n+ #99 admin (127.0.0.1)\n";
      peer.text(JSON.stringify(createCustom(forged, 1, "qq")));
      peer.text(wireText(forged, forged));
      await program.child.line(/^! echo/);
      peer.text("{");
      await program.child.line(/^! #1/);
      assertEquals(program.child.lines.filter((line) => line.startsWith("+")).length, 1);
      assertEquals(program.child.lines.filter((line) => line.length > 500), []);
    });

    runtimeTest(runtime, "prints the URL only when given --quiet", async () => {
      await using program = await start(runtime, ["--quiet", "--echo"]);
      await using peer = await dialAs("qq", program.url);
      peer.text("{");
      peer.text(wireText("lost", "elsewhere"));
      peer.text(wireText("back"));
      assertEquals((await peer.message())?.text, wireText("back"));
      assertEquals(program.child.lines, [program.url]);
    });

    runtimeTest(runtime, "prints its flags and ends with 0 when given --help", () => {
      const { code, stdout, stderr } = runServer(runtime, ["--help"]);
      assertEquals([code, stderr], [0, ""]);
      for (const flag of ["host", "port", "path", "token", "cert", "key", "echo", "quiet", "help"]) {
        assertStringIncludes(stdout, `--${flag}`);
      }
    });

    runtimeTest(runtime, "lets in each token given by --token, no other, and shows none", async () => {
      await using program = await start(runtime, ["--token", "hunter2", "--token=hunter3", "--echo"]);
      for (const token of ["hunter2", "hunter3"]) {
        await using peer = await dialAs("qq", program.url, token);
        peer.text(wireText(token.slice(0, 4)));
        assertEquals((await peer.message())?.text, wireText("hunt"));
      }
      for (const token of ["hunter4", undefined]) {
        await using peer = await dialAs("bad", program.url, token);
        assertEquals((await peer.frame({ opcode: 8 }))?.code, 1008);
      }
      await program.child.line(/refused bad/);
      const printed = program.child.lines.join("\n");
      assert(!/hunter|\+.*bad/.test(printed), printed);
    });

    runtimeTest(runtime, "serves the path given by --path", async () => {
      await using program = await start(runtime, ["--path", "/bot"]);
      assertMatch(program.url, /\/bot$/);
      await using peer = await dialAs("qq", program.url);
      assertEquals(peer.response.status, 101);
    });

    runtimeTest(runtime, "binds every interface and prints what can be dialled when given --host 0.0.0.0", async () => {
      await using program = await start(runtime, ["--host", "0.0.0.0"]);
      assertMatch(program.url, /^ws:\/\/127\.0\.0\.1:/);
      await using peer = await dialAs("qq", program.url);
      assertEquals(peer.response.status, 101);
    });

    runtimeTest(runtime, "serves wss when given --cert and --key", async () => {
      await using program = await start(runtime, [
        ...["--cert", certPath("server.pem"), "--key", certPath("server.key"), "--echo"],
      ]);
      assertMatch(program.url, /^wss:/);
      await using client = new MessageClient(program.url, { platform: "qq", tls: { ca: certText("ca.pem") } });
      await client.connect();
      const message = createMessage({ platform: "qq", user: "1" }, seg.text("hello"));
      assertEquals(plainText(await exchange(client, message)), "hello");
    });
  });

  describe(`server.ts under ${runtime} says what is wrong in one line and ends with 1`, () => {
    const pem = certPath("server.pem");
    const cases: readonly (readonly [when: string, args: readonly string[], fits: RegExp])[] = [
      ["a flag is unknown", ["--prot", "5"], /--prot.*--help/],
      ["a short flag is unknown", ["-x"], /-x.*--help/],
      ["a flag lacks its value", ["--port"], /--help/],
      ["a flag has a value too many", ["--echo=yes"], /--help/],
      ["there is a word too many", ["stray"], /--help/],
      ["the port is no number", ["--port", "web"], /--port.*web/],
      ["the port is out of range", ["--port", "65536"], /--port.*65536/],
      ["the port is empty", ["--port="], /--port/],
      ["the path is relative", ["--path", "ws"], /path.*"ws"/],
      ["the token is empty", ["--token="], /token/],
      [
        "the certificate is missing",
        ["--cert", "/nowhere/a.pem", "--key", "/nowhere/a.key"],
        /--cert.*\/nowhere\/a\.pem/,
      ],
      ["the key is missing", ["--cert", pem, "--key", "/nowhere/a.key"], /--key.*\/nowhere\/a\.key/],
      ["the certificate is a folder", ["--cert", "/", "--key", pem], /--cert \//],
      ["--cert is without --key", ["--cert", pem], /--cert.*--key/],
      ["--key is without --cert", ["--key", certPath("server.key")], /--cert.*--key/],
      [
        "the certificate is not PEM",
        ["--cert", certPath("server.pem").replace("server.pem", "make.sh"), "--key", pem],
        /--cert.*PEM/,
      ],
      ["this machine has no such address", ["--port", "0", "--host", "192.0.2.1"], /address|host/],
      ["the host is unknown", ["--port", "0", "--host", "no-such-host.invalid"], /host|address/],
    ];
    for (const [when, args, fits] of cases) {
      runtimeTest(runtime, `when ${when}`, () => assertOneLine(runServer(runtime, args), fits));
    }

    runtimeTest(runtime, "when the port is taken", async () => {
      await using server = new MessageServer();
      const { port } = new URL(server.listen({ port: 0 }));
      assertOneLine(runServer(runtime, ["--port", port]), /port.*taken/);
    });

    runtimeTest(runtime, "when the certificate is PEM around garbage", () => {
      const folder = mkdtempSync(join(tmpdir(), "maim-"));
      try {
        const file = join(folder, "garbage.pem");
        writeFileSync(file, "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n");
        assertOneLine(
          runServer(runtime, ["--port", "0", "--cert", file, "--key", certPath("server.key")]),
          /cert|key/i,
        );
      } finally {
        rmSync(folder, { recursive: true });
      }
    });

    for (const args of [["--token", "-hunter2"], ["--token", "--hunter2"], ["--tokn=hunter2"], ["--tokn", "hunter2"]]) {
      runtimeTest(runtime, `and shows no token when given ${args.join(" ")}`, () => {
        const outcome = runServer(runtime, ["--port", "0", ...args]);
        assertOneLine(outcome, /--help/);
        assert(!outcome.stderr.includes("hunter2"), outcome.stderr);
      });
    }
  });

  describe(`server.ts under ${runtime} stops`, () => {
    for (const signal of ["SIGINT", "SIGTERM"] as const) {
      signalTest(runtime, `with 0 when given ${signal} during traffic, and its clients read 1000`, async () => {
        await using program = await start(runtime, ["--echo"]);
        const flowing = ["qq", "tg"].map(() => Promise.withResolvers<void>());
        const clients = ["qq", "tg"].map((platform, index) =>
          new NativePeer(program.url, {
            headers: { platform },
            onOpen: (socket) => socket.send(wireText("ball", platform)),
            onText: (text, socket) => {
              flowing[index]?.resolve();
              socket.send(text);
            },
          })
        );
        for (const { promise } of flowing) await withTimeout(promise, 5000, () => "traffic");
        program.child.kill(signal);
        assertEquals(await Promise.all(clients.map((client) => client.end())), [CLOSING, CLOSING]);
        assertEquals(await program.child.exit(), { code: 0, signal: null });
      });
    }

    signalTest(runtime, "with 0 when a peer never answers the close", async () => {
      await using program = await start(runtime);
      await using mute = await dialAs("qq", program.url);
      await program.child.line(/^\+/);
      program.child.kill("SIGINT");
      assertEquals((await mute.frame({ opcode: 8 }))?.reason, CLOSING.reason);
      assertEquals(await program.child.exit({ timeoutMs: 8000 }), { code: 0, signal: null });
    });

    signalTest(runtime, "with 0 when a peer does not read", async () => {
      await using program = await start(runtime, ["--echo"]);
      await using stuck = await dialAs("qq", program.url);
      stuck.pause();
      stuck.text(wireText("x".repeat(30_000_000)));
      await program.child.line(/^</);
      program.child.kill("SIGINT");
      assertEquals(await program.child.exit({ timeoutMs: 8000 }), { code: 0, signal: null });
    });

    signalTest(runtime, "with 0 when nobody ever came", async () => {
      await using program = await start(runtime);
      program.child.kill("SIGTERM");
      assertEquals(await program.child.exit(), { code: 0, signal: null });
    });
  });
}

describe("server.ts under deno", () => {
  signalTest("deno", "ends at once at a second Ctrl-C", async () => {
    await using program = await start("deno");
    await using mute = await dialAs("qq", program.url);
    await program.child.line(/^\+/);
    program.child.kill("SIGINT");
    assertEquals((await mute.frame({ opcode: 8 }))?.code, 1000);
    program.child.kill("SIGINT"); // Bun does not wait for a mute peer, so that there is no time for a second one
    assertEquals(await program.child.exit({ timeoutMs: 3000 }), { code: 130, signal: null });
  });

  const permissions: readonly (readonly [what: string, flags: readonly string[], args: readonly string[]])[] = [
    // Without any permission flag node:child_process in Deno 2.9 adds -A to a deno that it starts.
    ["permissions", ["--allow-env=MAIM_NOTHING"], []],
    ["--allow-net when it may read", ["--allow-read"], []],
    ["--allow-read when it may use the network", ["--allow-net"], [
      "--cert",
      certPath("server.pem"),
      "--key",
      certPath("server.key"),
    ]],
  ];
  for (const [what, flags, args] of permissions) {
    runtimeTest("deno", `says in one line how to run it and ends with 1 when it lacks ${what}`, () => {
      const command = runtimeProgram("deno");
      const outcome = runProgram(command, ["run", "--no-prompt", ...flags, SERVER_PROGRAM, "--port", "0", ...args]);
      assertOneLine(outcome, /-A|--allow-/);
    });
  }

  runtimeTest("deno", "needs --allow-net only", async () => {
    const command = runtimeProgram("deno");
    await using child = spawnLines(command, ["run", "--no-prompt", "--allow-net", SERVER_PROGRAM, "--port", "0"]);
    assertMatch(await child.line(() => true, { timeoutMs: START_MS }), /^ws:/);
  });
});
