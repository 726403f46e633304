import { assertEquals, assertMatch, assertStringIncludes } from "@std/assert";
import { describe } from "@std/testing/bdd";

import { hintOf } from "../../maibot/mod.ts";
import { MAIBOT_VERSIONS } from "../../maibot/rules.ts";
import { createMessage, seg } from "../../schema.ts";
import { type Language, locale, start, wire } from "../support/maibot_program.ts";
import { dialAs, type Program, RUNTIMES } from "../support/peers/program.ts";
import { runtimeTest } from "../support/peers/skip.ts";

/** A frame that names no account. */
const nameless = (text: string): string => wire(text, {});

/** The account that the next answer is sent as. */
async function speaker(peer: Awaited<ReturnType<typeof dialAs>>): Promise<unknown> {
  return JSON.parse((await peer.message())?.text ?? "null").message_info.user_info.user_id;
}

/** How often a line was printed. */
function count({ child }: Program, fits: RegExp): number {
  return child.lines.filter((line) => fits.test(line)).length;
}

for (const runtime of RUNTIMES) {
  describe(`maibot/main.ts under ${runtime} and accounts`, () => {
    const missing: readonly (readonly [Language, verdict: string, level: string])[] = [
      ["en", "< qq ? MaiBot stores it and does not answer: hi", "no answer"],
      ["zh", "< qq ? MaiBot 会存下，但不会回复: hi", "不会回复"],
    ];
    for (const [language, verdict, level] of missing) {
      runtimeTest(
        runtime,
        `says in ${language} that a message without an account is never answered, and why`,
        async () => {
          await using program = await start(runtime, ["--answer", "收到"], locale(language));
          await using peer = await dialAs("qq", program.url);
          peer.text(nameless("hi"));
          await program.child.line(/^! error 固定引用规则需要明确的 bot 发送账号$/);
          const hint = `    ${level} $.account_id: ${hintOf({ rule: "account_missing" }, language)}`;
          assertEquals(program.child.lines.slice(2, 4), [verdict, hint]);
          peer.text(wire("ho"));
          await program.child.line(/^> qq 收到$/);
          assertEquals([await speaker(peer), count(program, /^>/)], ["777", 1]);
        },
      );
    }

    runtimeTest(runtime, "answers a message without an account when given --maibot 1.2.1", async () => {
      await using program = await start(runtime, ["--echo", "--maibot", "1.2.1"]);
      await using peer = await dialAs("qq", program.url);
      peer.text(nameless("hi"));
      await program.child.line(/^> qq hi$/);
      assertEquals(await speaker(peer), "777");
      assertEquals(program.child.lines.slice(1), ["+ qq", "< qq ✓ MaiBot takes it: hi", "> qq hi"]);
    });

    for (const version of MAIBOT_VERSIONS) {
      runtimeTest(runtime, `names the place of a rule in the version that it plays: ${version}`, async () => {
        await using program = await start(runtime, ["--maibot", version]);
        await using peer = await dialAs("qq", program.url);
        peer.text("5");
        const hint = hintOf({ rule: "not_object" }, "en", version);
        assertStringIncludes(hint, `MaiBot ${version}`);
        await program.child.line((line) => line === `    drop $: ${hint}`);
      });
    }

    runtimeTest(runtime, "speaks as --account, and says why a message to another one has no answer", async () => {
      await using program = await start(runtime, ["--answer", "收到", "--account", "42"]);
      await using peer = await dialAs("qq", program.url);
      peer.text(wire("hi", { account: "43" }));
      await program.child.line(/^< qq \? /);
      await program.child.line(/^ {4}no answer \$\.account_id: .*\[bot\]/);
      await program.child.line(/^! warning 适配器名单禁止创建聊天运行实例$/);
      peer.text(wire("hi", { additional_config: { self_id: 43 } }));
      await program.child.line(/^ {4}no answer \$\.message_info\.additional_config: .*\[bot\]/);
      peer.text(wire("hi", { additional_config: { self_id: 42 } }));
      await program.child.line(/^> qq 收到$/);
      assertEquals([await speaker(peer), count(program, /^>/)], ["42", 1]);
    });

    runtimeTest(runtime, "has an account on each platform of --bot, and on no other", async () => {
      await using program = await start(runtime, ["--echo", "--bot", "qq:777", "--bot", "telegram: 12:34 "]);
      await using telegram = await dialAs("telegram", program.url);
      telegram.text(wire("hi", { platform: "telegram", account: "12:34" }));
      assertEquals(await speaker(telegram), "12:34");
      await using qq = await dialAs("qq", program.url);
      qq.text(wire("ho"));
      assertEquals(await speaker(qq), "777");
      await using discord = await dialAs("discord", program.url);
      discord.text(wire("ha", { platform: "discord", account: "1" }));
      await program.child.line(/^< discord \? .*: ha$/);
      await program.child.line(/^ {4}no answer \$\.message_info\.platform: .*\[bot\] platforms/);
      assertEquals(count(program, /^>/), 2);
    });

    const loops: readonly (readonly [Language, RegExp])[] = [
      ["en", /^! the adapter sends the bot's own messages back: .*replyTarget\(message\)/],
      ["zh", /^! 适配器把机器人自己的消息又发了回来：.*replyTarget\(message\)/],
    ];
    for (const [language, fits] of loops) {
      runtimeTest(runtime, `says in ${language} that an adapter sends the bot's own messages back`, async () => {
        await using program = await start(runtime, ["--echo"], locale(language));
        await using peer = await dialAs("qq", program.url);
        const own = createMessage({ platform: "qq", user: "777", account: "777" }, seg.text("again"));
        for (let sent = 0; sent < 6; sent++) peer.text(JSON.stringify(own));
        assertMatch(await program.child.line(fits), fits);
        assertEquals(count(program, /^> qq again$/), 5);
      });
    }
  });
}
