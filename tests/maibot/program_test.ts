import { assert, assertEquals, assertMatch, assertStringIncludes } from "@std/assert";
import { describe } from "@std/testing/bdd";
import { Buffer } from "node:buffer";

import { MessageClient } from "../../client.ts";
import { FakeMaiBot } from "../../maibot/fake/mod.ts";
import { createCustom, plainText, seg } from "../../schema.ts";
import { type Language, locale, PROGRAM, run, start, toBot, wire } from "../support/maibot_program.ts";
import { heard } from "../support/peers/listen.ts";
import { NativePeer } from "../support/peers/native_peer.ts";
import { runtimeProgram, spawnLines } from "../support/peers/process.ts";
import { assertOneLine, dialAs, runProgram, RUNTIMES, signalTest, START_MS } from "../support/peers/program.ts";
import { runtimeTest } from "../support/peers/skip.ts";

/** What MaiBot drops for its nickname, and after it for its segment. */
const DROPPED = JSON.stringify({
  message_info: { platform: "qq", message_id: "1", time: 1703123456, user_info: { user_id: "u1" } },
  message_segment: { type: "text", data: "hi" },
});

for (const runtime of RUNTIMES) {
  describe(`maibot/main.ts under ${runtime}`, () => {
    runtimeTest(runtime, "prints its URL first, and that MaiBot takes a message", async () => {
      await using program = await start(runtime);
      await using client = new MessageClient(program.url, { platform: "qq" });
      await client.connect();
      client.send(toBot(seg.text("你好")));
      assertEquals(await program.child.line(/你好/), "< qq ✓ MaiBot takes it: 你好");
      assertEquals(program.child.lines.slice(1), ["+ qq", "< qq ✓ MaiBot takes it: 你好"]);
    });

    const hints: readonly (readonly [Language, RegExp])[] = [
      ["en", /^ {4}drop \$\.message_info\.user_info\.user_nickname: user_nickname must be a string/],
      ["zh", /^ {4}丢弃 \$\.message_info\.user_info\.user_nickname: .*[\u4e00-\u9fff]/],
    ];
    for (const [language, fits] of hints) {
      runtimeTest(
        runtime,
        `prints MaiBot's line for a message it drops, with path and hint in ${language}`,
        async () => {
          await using program = await start(runtime, [], locale(language));
          await using peer = await dialAs("qq", program.url);
          peer.text(DROPPED);
          await program.child.line(fits);
          const [, , verdict] = program.child.lines;
          assertEquals(verdict, "< qq ✗ 预处理消息失败:");
        },
      );
    }

    runtimeTest(runtime, "prints MaiBot's own words where it has some", async () => {
      await using program = await start(runtime);
      await using peer = await dialAs("qq", program.url);
      peer.text('{"type":"ping"}');
      await program.child.line(/^< qq ✗ 预处理消息失败: 'message_info'$/);
      await program.child.line(/^ {4}drop \$\.message_info: /);
      peer.text("{");
      await program.child.line(/^< qq ✗ 平台 qq 收到无法解析的 JSON$/);
      peer.text(JSON.stringify(createCustom("poke", { secret: 1 }, "qq")));
      await program.child.line(/^< qq ✗ \{poke\} 收到未注册的自定义消息类型: poke$/);
    });

    runtimeTest(runtime, "prints what MaiBot would damage beside a message it takes", async () => {
      await using program = await start(runtime);
      await using peer = await dialAs("qq", program.url);
      const message = toBot(seg.of("image", "base64://iVBORw0KGgoxMjM0NTY="));
      peer.text(JSON.stringify(message));
      await program.child.line(/^< qq ✓ MaiBot takes it: \[图片\]$/);
      await program.child.line(/^ {4}damage \$\.message_segment\.data\[0\]\.data: /);
      assert(!program.child.lines.join("\n").includes("iVBOR"), program.child.lines.join("\n"));
    });

    runtimeTest(runtime, "prints no base64 and no token", async () => {
      await using program = await start(runtime, ["--token", "hunter2"]);
      await using peer = await dialAs("qq", program.url, "hunter2");
      await using refused = await dialAs("tg", program.url, "hunter3");
      assertEquals((await refused.frame({ opcode: 8 }))?.code, 1008);
      await program.child.line(/^! warning 拒绝平台 tg 的连接请求: 令牌无效$/);
      const bytes = crypto.getRandomValues(new Uint8Array(3000));
      const good = toBot(seg.image(bytes), seg.text("see"));
      peer.text(JSON.stringify(good));
      await program.child.line(/\[图片\]see/);
      // Cut in the middle: MaiBot drops it, and the line must not hold it either.
      const bad = toBot(
        seg.of("voice", Buffer.from(bytes).toString("base64").slice(1)),
      );
      peer.text(JSON.stringify(bad));
      await program.child.line(/^< qq ✗ /);
      await program.child.line(/^ {4}drop /);
      const printed = program.child.lines.join("\n");
      assert(!printed.includes(Buffer.from(bytes).toString("base64").slice(1, 21)), printed);
      assert(!printed.includes("hunter"), printed);
    });

    runtimeTest(
      runtime,
      "prints no more than the start of a type, a name or a platform, whatever they hold",
      async () => {
        await using program = await start(runtime, ["--answer", "收到"]);
        await using peer = await dialAs("qq", program.url);
        const long = Buffer.from(crypto.getRandomValues(new Uint8Array(3000))).toString("base64");
        const { message_info, message_segment } = JSON.parse(wire("hi"));
        peer.text(JSON.stringify({ message_info, message_segment: { type: long } }));
        peer.text(JSON.stringify(createCustom(long, 1, "qq")));
        peer.text(JSON.stringify(createCustom("message_id_echo", { type: "echo", echo: long, actual_id: long }, "qq")));
        peer.text(JSON.stringify({ message_info: { ...message_info, platform: long }, message_segment }));
        await program.child.line(/未找到目标平台/);
        const printed = program.child.lines.join("\n");
        assert(!printed.includes(long.slice(0, 41)), printed);
        assertStringIncludes(printed, `暂时不支持的消息片段类型: ${long.slice(0, 40)}…`);
      },
    );

    const ends: readonly (readonly [Language, string])[] = [["en", "… and at least 80 more"], [
      "zh",
      "……还有至少 80 处",
    ]];
    for (const [language, end] of ends) {
      runtimeTest(
        runtime,
        `prints the first 20 issues and the first drop, and in ${language} that there are more`,
        async () => {
          await using program = await start(runtime, [], locale(language));
          await using peer = await dialAs("qq", program.url);
          const pieces = [...Array.from({ length: 1000 }, () => seg.of("at", "")), seg.of("face", 14)];
          peer.text(JSON.stringify(toBot(...pieces)));
          await program.child.line((line) => line === `    ${end}`);
          const paths = program.child.lines.flatMap((line) => /\.data\[(\d+)\]/.exec(line)?.[1] ?? []).map(Number);
          assertEquals(paths, [...Array(20).keys(), 1000]);
        },
      );
    }

    runtimeTest(runtime, "says how many issues it leaves out where it knows", async () => {
      await using program = await start(runtime);
      await using peer = await dialAs("qq", program.url);
      const pieces = Array.from({ length: 22 }, () => seg.of("at", ""));
      peer.text(JSON.stringify(toBot(...pieces)));
      await program.child.line(/^ {4}… and 2 more$/);
    });

    runtimeTest(runtime, "keeps control characters of a message from the terminal, and its length", async () => {
      await using program = await start(runtime);
      const nasty = `\x1b[31mred\x07\r\u202e\x9b2J${"很".repeat(10_000)}`;
      await using peer = await dialAs("qq", program.url);
      peer.text(wire(nasty));
      await program.child.line(/✓/);
      peer.text(JSON.stringify(toBot(seg.of(nasty, 1))));
      await program.child.line(/✗/);
      peer.close(4000, "\x1b[2Jbye");
      await program.child.line(/^- qq 4000 .*bye$/);
      const printed = program.child.lines.join("\n");
      // deno-lint-ignore no-control-regex -- they are what is looked for
      assertEquals(printed.match(/[\x00-\x09\x0b-\x1f\x7f-\x9f\u2028-\u202e]/g), null);
      assert(program.child.lines.every((line) => line.length < 500));
    });

    runtimeTest(runtime, "answers with the content of the message when given --echo", async () => {
      await using program = await start(runtime, ["--echo"]);
      await using client = new MessageClient(program.url, { platform: "qq" });
      await client.connect();
      const messages = heard(client, "message");
      client.send(toBot(seg.text("早")));
      assertEquals(plainText((await messages.next())[0]), "早");
      await program.child.line(/^> qq 早$/);
    });

    runtimeTest(runtime, "answers with a text when given --answer, and hears the echo of its id", async () => {
      await using program = await start(runtime, ["--answer", "收到"]);
      await using client = new MessageClient(program.url, { platform: "qq" });
      await client.connect();
      const messages = heard(client, "message");
      client.send(toBot(seg.text("早")));
      const [answer] = await messages.next();
      assertEquals(plainText(answer), "收到");
      const { message_id: echo } = answer.message_info;
      client.sendCustom("message_id_echo", { type: "echo", echo, actual_id: "77" });
      assertStringIncludes(await program.child.line(/message_id_echo/), `收到回送消息ID: ${echo} -> 77`);
    });

    runtimeTest(runtime, "does not answer what MaiBot drops", async () => {
      await using program = await start(runtime, ["--answer", "收到"]);
      await using peer = await dialAs("qq", program.url);
      peer.text(DROPPED);
      peer.text(wire("早"));
      await peer.message();
      assertEquals(program.child.lines.filter((line) => line.startsWith(">")).length, 1);
    });

    runtimeTest(runtime, "prints the URL only when given --quiet", async () => {
      await using program = await start(runtime, ["--quiet", "--answer", "收到", "--path", "/bot"]);
      assertMatch(program.url, /\/bot$/);
      await using peer = await dialAs("qq", program.url);
      peer.text(DROPPED);
      peer.text(wire("早"));
      await peer.message();
      assertEquals(program.child.lines, [program.url]);
    });

    runtimeTest(runtime, "binds every interface and prints what can be dialled when given --host 0.0.0.0", async () => {
      await using program = await start(runtime, ["--host", "0.0.0.0"]);
      assertMatch(program.url, /^ws:\/\/127\.0\.0\.1:/);
      await using peer = await dialAs("qq", program.url);
      assertEquals(peer.response.status, 101);
    });

    for (const [language, word] of [["en", "Usage:"], ["zh", "用法："]] as const) {
      runtimeTest(runtime, `prints its flags in ${language} and ends with 0 when given --help`, () => {
        const { code, stdout, stderr } = run(runtime, ["--help"], language);
        assertEquals([code, stderr], [0, ""]);
        for (
          const flag of ["host", "port", "path", "token", "maibot", "account", "bot", "echo", "answer", "quiet", "help"]
        ) {
          assertStringIncludes(stdout, `--${flag}`);
        }
        assertStringIncludes(stdout, word);
      });
    }

    runtimeTest(runtime, "lets LC_ALL decide over LANG", async () => {
      await using program = await start(runtime, [], { ...locale("en"), LC_ALL: "zh_TW.UTF-8" });
      await using peer = await dialAs("qq", program.url);
      peer.text(wire("早"));
      await program.child.line(/MaiBot 会接受: 早$/);
    });
  });

  describe(`maibot/main.ts under ${runtime} says what is wrong in one line and ends with 1`, () => {
    const cases: readonly (readonly [when: string, args: readonly string[], en: RegExp, zh: RegExp])[] = [
      ["a flag is unknown", ["--prot", "5"], /--prot.*--help/, /未知.*--prot.*--help/],
      ["a flag lacks its value", ["--port"], /--help/, /--help/],
      ["there is a word too many", ["stray"], /--help/, /--help/],
      ["the port is no number", ["--port", "web"], /--port.*web/, /--port.*web/],
      ["the port is out of range", ["--port", "65536"], /--port.*65536/, /--port.*65536/],
      ["the path is relative", ["--path", "ws"], /--path/, /--path/],
      ["the token is empty", ["--token="], /--token/, /--token/],
      ["the account is empty", ["--account="], /--account/, /--account/],
      ["the version is not known", ["--maibot", "1.3.14"], /--maibot.*1\.3\.14/, /--maibot.*1\.3\.14/],
      ["the version is empty", ["--maibot="], /--maibot/, /--maibot/],
      ["an account of --bot has no platform", ["--bot", ":777"], /--bot.*PLATFORM:ID/, /--bot.*平台:账号/],
      [
        "a platform of --bot has no account",
        ["--bot", "qq:777", "--bot", "tp: "],
        /--bot.*PLATFORM:ID/,
        /--bot.*平台:账号/,
      ],
      ["--bot names no platform and account", ["--bot", "777"], /--bot.*PLATFORM:ID/, /--bot.*平台:账号/],
      ["there are two kinds of account", ["--account", "1", "--bot", "qq:1"], /--account.*--bot/, /--account.*--bot/],
      ["the answer is empty", ["--answer="], /--answer/, /--answer/],
      ["there are two kinds of answer", ["--echo", "--answer", "x"], /--echo.*--answer/, /--echo.*--answer/],
      ["this machine has no such address", ["--port", "0", "--host", "192.0.2.1"], /--host/, /--host/],
    ];
    for (const [when, args, en, zh] of cases) {
      runtimeTest(runtime, `when ${when}`, () => {
        assertOneLine(run(runtime, args), en);
        assertOneLine(run(runtime, args, "zh"), zh);
      });
    }

    runtimeTest(runtime, "when the port is taken", async () => {
      await using bot = new FakeMaiBot();
      const { port } = new URL(bot.listen({ port: 0 }));
      assertOneLine(run(runtime, ["--port", port]), /port.*taken/);
    });

    for (const args of [["--token", "-hunter2"], ["--token", "--hunter2"], ["--tokn=hunter2"], ["--tokn", "hunter2"]]) {
      runtimeTest(runtime, `and shows no token when given ${args.join(" ")}`, () => {
        const outcome = run(runtime, ["--port", "0", ...args]);
        assertOneLine(outcome, /--help/);
        assert(!outcome.stderr.includes("hunter2"), outcome.stderr);
      });
    }
  });

  describe(`maibot/main.ts under ${runtime} stops`, () => {
    for (const signal of ["SIGINT", "SIGTERM"] as const) {
      signalTest(runtime, `with 0 when given ${signal}, and its adapters read 1000`, async () => {
        await using program = await start(runtime, ["--echo"]);
        const peer = await NativePeer.connect(program.url, { headers: { platform: "qq" } });
        peer.socket.send(wire("早"));
        assertMatch(await peer.text() ?? "", /早/);
        program.child.kill(signal);
        assertEquals(await peer.end(), { code: 1000, reason: "服务器关闭" });
        assertEquals(await program.child.exit(), { code: 0, signal: null });
      });
    }

    signalTest(runtime, "with 0 when a peer never answers the close", async () => {
      await using program = await start(runtime);
      await using mute = await dialAs("qq", program.url);
      await program.child.line(/^\+/);
      program.child.kill("SIGINT");
      assertEquals((await mute.frame({ opcode: 8 }))?.reason, "服务器关闭");
      assertEquals(await program.child.exit({ timeoutMs: 8000 }), { code: 0, signal: null });
    });
  });
}

describe("maibot/main.ts under deno", () => {
  runtimeTest("deno", "says in one line how to run it and ends with 1 when it lacks permissions", () => {
    // Without any permission flag node:child_process in Deno 2.9 adds -A to a deno that it starts.
    const args = ["run", "--no-prompt", "--allow-env=MAIM_NOTHING", PROGRAM, "--port", "0"];
    assertOneLine(runProgram(runtimeProgram("deno"), args, locale("en")), /-A/);
  });

  runtimeTest("deno", "needs --allow-net only", async () => {
    const args = ["run", "--no-prompt", "--allow-net", PROGRAM, "--port", "0"];
    await using child = spawnLines(runtimeProgram("deno"), args);
    assertMatch(await child.line(() => true, { timeoutMs: START_MS }), /^ws:/);
  });
});
