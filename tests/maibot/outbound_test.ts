import { assert, assertEquals, assertThrows } from "@std/assert";
import { describe, it } from "@std/testing/bdd";

import { decodeMessage } from "../../codec.ts";
import { replyTarget } from "../../maibot/mod.ts";
import { FakeMaiBot, type MaibotReceipt, type SayTarget } from "../../maibot/fake/mod.ts";
import { MessageConnectionError } from "../../mod.ts";
import type { MessageBase, Seg } from "../../schema.ts";
import { connect } from "../support/fake_maibot.ts";
import { type SaidVector, saidVectors } from "../support/maibot_vectors.ts";
import { Heard } from "../support/peers/listen.ts";

// What MaiBot was recorded with: its accounts, and a group "G". Source: maibot.md 4.
const ACCOUNTS = { qq: "777", tp: "888" };

type Fields = Readonly<Record<string, unknown>>;

const nameOf = ({ version, name }: SaidVector): string => `${version}, ${name}`;

/** The frame as it leaves. */
function messageOf(frame: Fields): MessageBase {
  const message = decodeMessage(JSON.stringify(frame));
  assert("message_info" in message);
  return message;
}

/** Where a row says that MaiBot spoke: by the keys that it always adds, else by the name of the row. */
function targetOf({ name, frame }: SaidVector): SayTarget {
  const info = frame === null ? null : messageOf(frame).message_info;
  const config = info?.additional_config as Fields | undefined; // an object in every row
  const { platform_io_target_group_id: group, platform_io_target_user_id: user } = config ?? {};
  const platform = info?.platform ?? (name.startsWith("platform not configured") ? "nowhere" : "qq");
  const isGroup = info === null ? /group/.test(name) : typeof group === "string";
  const group_name = /nameless|empty|without a name/.test(name) ? "" : "G";
  if (isGroup) return { platform, group: { platform, group_id: String(group ?? "g1"), group_name } };
  return { platform, user: String(user ?? "u1") };
}

/** The message that is answered, as an adapter sent it. */
function inboundOf(vector: SaidVector, text: string, named?: string): Fields {
  const { additional_config, ...top } = vector.inbound ?? {};
  const { platform, group, user = "u1" } = targetOf(vector);
  const group_info = typeof group !== "object"
    ? {}
    : { group_info: { ...group, group_name: named ?? group.group_name } };
  const user_info = { platform, user_id: user, user_nickname: "Nick" };
  const message_info = { platform, message_id: "in", time: 1790000000.5, ...group_info, user_info, additional_config };
  return { ...top, message_info, message_segment: { type: "seglist", data: [{ type: "text", data: text }] } };
}

function contentOf({ frame }: SaidVector): readonly Seg[] {
  return frame === null ? [{ type: "text", data: "hello" }] : messageOf(frame).message_segment.data as Seg[]; // a seglist
}

/** Keys in order, and values, without what is never the same. */
function shapeOf(text: string | null): string | null {
  const message = JSON.parse(text ?? "null");
  if (message === null) return null;
  for (const key of ["message_id", "time"]) delete message.message_info[key];
  return JSON.stringify(message);
}

// ------------------------------------------------------------------------------------------ replyTarget

describe("replyTarget() of what MaiBot sent", () => {
  for (const vector of saidVectors) {
    if (vector.frame === null) continue;
    const { frame, inbound } = vector;
    it(nameOf(vector), () => {
      const { connection_id, route_scope } = inbound?.additional_config as Record<string, string> | null ?? {};
      const scope = connection_id ?? route_scope;
      const { platform, group, user } = targetOf(vector);
      assertEquals(replyTarget(messageOf(frame)), {
        kind: group === undefined ? "private" : "group",
        id: String(typeof group === "object" ? group.group_id : user),
        platform,
        account: ACCOUNTS[platform as keyof typeof ACCOUNTS],
        ...(scope === undefined ? {} : { scope }),
      });
    });
  }
});

// ------------------------------------------------------------------------------------------ FakeMaiBot

/** What MaiBot's sending service said, without its thinking. */
const SAID = saidVectors.filter(({ name, inbound }) => inbound !== null && !name.startsWith("whole"));
/** What it said first. A session of another account, which sends nothing, can not be named to a fake. */
const FIRST = saidVectors.filter(({ inbound, frame }) => inbound === null && frame !== null);
/** What the whole bot answered. */
const ANSWERED = saidVectors.filter(({ name }) => name.startsWith("whole"));

describe("FakeMaiBot.say() says to a message what MaiBot said", () => {
  for (const vector of SAID) {
    it(nameOf(vector), async () => {
      const { version, frame } = vector;
      const { platform } = targetOf(vector);
      await using bot = new FakeMaiBot({ version, accounts: ACCOUNTS });
      const received = new Heard<[MaibotReceipt]>((handler) => bot.on("received", handler));
      await using peer = await connect(bot, platform);
      await bot.connected(platform);
      if (vector.name.startsWith("group_name empty")) {
        // The name was told by an earlier message.
        peer.socket.send(JSON.stringify(inboundOf(vector, "hi", "G")));
        await received.next();
      }
      const say = () => bot.say(contentOf(vector), inboundOf(vector, "hi") as unknown as MessageBase); // as decoded
      if (frame === null) {
        assertEquals([assertThrows(say, MessageConnectionError).code, bot.sent], ["no_route", []]);
      } else {
        say();
        assertEquals(shapeOf(await peer.text()), shapeOf(JSON.stringify(frame)));
      }
    });
  }
});

describe("FakeMaiBot.say() says first what MaiBot said", () => {
  for (const vector of FIRST) {
    it(nameOf(vector), async () => {
      const { version, frame } = vector;
      const to = targetOf(vector);
      await using bot = new FakeMaiBot({ version, accounts: ACCOUNTS });
      await using peer = await connect(bot, to.platform);
      await bot.connected(to.platform);
      bot.say(contentOf(vector), to);
      assertEquals(shapeOf(await peer.text()), shapeOf(JSON.stringify(frame)));
    });
  }
});

describe("FakeMaiBot answers what the whole MaiBot answered", () => {
  for (const vector of ANSWERED) {
    it(nameOf(vector), async () => {
      const { name, version, frame } = vector;
      await using bot = new FakeMaiBot({ version, accounts: ACCOUNTS, answers: () => contentOf(vector) });
      await using peer = await connect(bot);
      await bot.connected("qq");
      const received = new Heard<[MaibotReceipt]>((handler) => bot.on("received", handler));
      peer.socket.send(JSON.stringify(inboundOf(vector, name.endsWith("/clear") ? "/clear" : "hi")));
      const [{ isAnswerable }] = await received.next();
      assertEquals(isAnswerable, frame !== null);
      if (frame !== null) return assertEquals(shapeOf(await peer.text()), shapeOf(JSON.stringify(frame)));
      peer.socket.send("{"); // an answer would be out before this is read
      await received.next();
      assertEquals(bot.sent, []);
    });
  }
});

describe("the recorded messages of MaiBot", () => {
  it("are all asked about", () => {
    const lost = saidVectors.filter(({ inbound, frame }) => inbound === null && frame === null);
    assertEquals(SAID.length + FIRST.length + ANSWERED.length + lost.length, saidVectors.length);
    assert(lost.every(({ name }) => /session account=(?:999|555)/.test(name)));
  });
});
