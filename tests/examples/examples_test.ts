import { assert, assertEquals } from "@std/assert";
import { describe, it } from "@std/testing/bdd";
import { copyFile, mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { pathToFileURL } from "node:url";

import { BotProgram, newBot, ROOT, START, start, startInDeno } from "../support/peers/example.ts";
import { runtimeTest } from "../support/peers/skip.ts";

/** Lets the echo bot of a folder talk to the program that stands in for MaiBot, which says `answers`. */
async function talkTo(folder: string, flags: readonly string[], answers: readonly string[]): Promise<void> {
  await using bot = new BotProgram(...flags);
  await bot.start();
  await using child = start(join(folder, "echo_bot.ts"), { cwd: folder, env: { MAIBOT_URL: bot.url } });
  assertEquals(await child.exit(START), { code: 0, signal: null });
  const talk = answers.flatMap((words) => [`MaiBot: ${words}`, `user: echo: ${words}`]);
  assertEquals(child.lines, ["user: hello", ...talk.slice(0, -1)]);
  await bot.printed(/^- echo/);
  assertEquals(bot.verdicts.length, 4);
  assertEquals(bot.complaints, []);
  assertEquals(bot.lines.filter((line) => line.includes("{message_id_echo}")).length, 4);
}

describe("examples/echo_bot.ts", () => {
  it("is under 45 lines", async () => {
    const source = await readFile(`${ROOT}examples/echo_bot.ts`, "utf8");
    assert(source.trimEnd().split("\n").length < 45);
  });

  it("says so and ends with 1 when MaiBot may not have got what it said", async () => {
    await using bot = newBot();
    await using child = start("examples/echo_bot.ts", { env: { MAIBOT_URL: bot.listen({ port: 0 }) } });
    await bot.received(undefined, START);
    bot.cut();
    assertEquals(await child.exit(START), { code: 1, signal: null });
    assertEquals(child.lines, ["user: hello", "lost, or in doubt: unconfirmed"]);
  });

  it("talks to maibot/main.ts and ends with 0, whatever that answers", async () => {
    await talkTo(`${ROOT}examples/`, ["--answer", "嗯"], Array(4).fill("嗯"));
    const echo = "echo: ";
    await talkTo(`${ROOT}examples/`, ["--echo"], [
      "hello",
      `${echo}hello`,
      `${echo}${echo}hello`,
      `${echo.repeat(3)}hello`,
    ]);
  });

  it("names the account of MAIBOT_ACCOUNT, and 777 without it", async () => {
    for (const env of [{}, { MAIBOT_ACCOUNT: "bot" }]) {
      const account = env.MAIBOT_ACCOUNT ?? "777";
      await using bot = newBot({ accounts: { echo: account } });
      await using _child = start("examples/echo_bot.ts", { env: { ...env, MAIBOT_URL: bot.listen({ port: 0 }) } });
      const { message, isAnswerable, issues } = await bot.received(undefined, START);
      assertEquals([message?.account_id, isAnswerable, issues], [account, true, []]);
    }
  });

  it("talks to maibot/main.ts from a fresh folder that knows the package by name", async () => {
    const folder = await mkdtemp(join(tmpdir(), "maim-echo-"));
    try {
      const [main, maibot] = [`${ROOT}mod.ts`, `${ROOT}maibot/mod.ts`];
      const imports = { "@maim/message": pathToFileURL(main).href, "@maim/message/maibot": pathToFileURL(maibot).href };
      const paths = { "@maim/message": [main], "@maim/message/maibot": [maibot] };
      await writeFile(join(folder, "deno.json"), JSON.stringify({ imports }));
      await writeFile(join(folder, "tsconfig.json"), JSON.stringify({ compilerOptions: { paths } }));
      await copyFile(`${ROOT}examples/echo_bot.ts`, join(folder, "echo_bot.ts"));
      await talkTo(folder, ["--answer", "嗯"], Array(4).fill("嗯"));
    } finally {
      await rm(folder, { recursive: true, force: true });
    }
  });
});

describe("examples/chat.ts", () => {
  runtimeTest("deno", "talks to its stand-in and ends with the input", async () => {
    await using child = startInDeno(["run", "-A", "examples/chat.ts", "--user", "小明"]);
    await child.line(/^\(open\)/, START);
    child.write("你好\n");
    await child.line(/^麦麦 You said: 你好$/);
    child.endInput();
    assertEquals(await child.exit(START), { code: 0, signal: null });
  });

  runtimeTest("deno", "takes its input from a pipe that ends at once", async () => {
    await using child = startInDeno(["run", "-A", "examples/chat.ts"]);
    child.write("你好");
    child.endInput();
    assertEquals(await child.exit(START), { code: 0, signal: null });
    const words = child.lines.filter((line) => !/^(?:@std|\()/.test(line));
    assertEquals(words.filter((line) => line !== "麦麦 You said: 你好"), []);
  });

  runtimeTest("deno", "talks to a MaiBot in a group", async () => {
    await using bot = newBot({ answers: ["在的"], tokens: ["secret"], accounts: { tty: "4711" } });
    const url = bot.listen({ port: 0 });
    await using child = startInDeno([
      ...["run", "-A", "examples/chat.ts", "--url", url, "--token", "secret", "--group", "987"],
      ...["--platform", "tty", "--account", "4711"],
    ]);
    await child.line(/^\(open\)/, START);
    child.write("在吗\n");
    const { message, isAnswerable } = await bot.received();
    assertEquals([isAnswerable, message?.message_info.group_info?.group_id], [true, "987"]);
    assertEquals(message?.account_id, "4711");
    const config = { is_mentioned: true, at_bot: true, platform_io_account_id: "4711" };
    assertEquals(message?.message_info.additional_config, config);
    await child.line(/^麦麦 in 987 在的$/);
    child.endInput();
    assertEquals((await child.exit(START)).code, 0);
  });

  runtimeTest("deno", "names account 777 unless told otherwise", async () => {
    await using bot = newBot({ answers: ["在的"] });
    await using child = startInDeno(["run", "-A", "examples/chat.ts", "--url", bot.listen({ port: 0 })]);
    await child.line(/^\(open\)/, START);
    child.write("在吗\n");
    assertEquals((await bot.received()).message?.account_id, "777");
    await child.line(/^麦麦 在的$/);
    child.endInput();
    assertEquals((await child.exit(START)).code, 0);
  });

  runtimeTest("deno", "ends with 1 when nobody is there", async () => {
    await using child = startInDeno(["run", "-A", "examples/chat.ts", "--url", "ws://127.0.0.1:1/ws"]);
    assertEquals((await child.exit(START)).code, 1);
  });
});

describe("examples/", () => {
  runtimeTest("deno", "has the right types", async () => {
    const names = ["echo_bot", "onebot_adapter", "telegram_adapter", "chat"].map((name) => `examples/${name}.ts`);
    await using child = startInDeno(["check", ...names]);
    const { code } = await child.exit({ timeoutMs: 120_000 });
    assertEquals(code, 0, child.lines.join("\n"));
  });
});
