import { assertEquals, assertThrows } from "@std/assert";
import { describe, it } from "@std/testing/bdd";

import { maibotIssues } from "../../maibot/mod.ts";
import { MessageClient, MessageRejectedError, MessageServer } from "../../mod.ts";
import { createMessage, type Seg, seg } from "../../schema.ts";
import {
  ACCOUNT,
  at,
  brief,
  changed,
  CONFIG,
  drops,
  GROUP,
  holding,
  INFO,
  inPrivate,
  ITEM,
  SEG,
  USER,
} from "../support/maibot_frames.ts";
import { ABSENT, nestedLists, whilePolluted } from "../support/samples.ts";

describe("maibotIssues()", () => {
  const manifold = changed(
    [ACCOUNT, 777],
    ["$.scope", "\ud800"],
    [`${INFO}.sender_info`, { user_info: 1 }],
    [`${INFO}.platform`, ""],
    [`${INFO}.message_id`, ABSENT],
    [`${INFO}.time`, "now"],
    [`${USER}.user_nickname`, null],
    [`${USER}.user_cardname`, "\ud800"],
    [`${GROUP}.group_id`, ABSENT],
    [`${GROUP}.group_name`, ABSENT],
    [SEG, { type: "seglist", data: [{ type: "face", data: 1 }, null, { type: "image", data: "_-_-" }] }],
    [CONFIG, { is_local_operator: true }],
  );

  it("tells every reason in the order in which MaiBot 1.3.15 comes upon them", () => {
    assertEquals(brief(maibotIssues(manifold)), [
      `group_id_missing ${GROUP}.group_id`,
      `party_kind ${INFO}.sender_info.user_info`,
      `segment_kind ${SEG}.data[1]`,
      `platform_empty ${INFO}.platform`,
      `account_kind ${ACCOUNT}`,
      `message_id_missing ${INFO}.message_id`,
      `time_kind ${INFO}.time`,
      `segment_type ${SEG}.data[0].type`,
      `base64_garbled ${SEG}.data[2].data`,
      `nickname ${USER}.user_nickname`,
      `group_name ${GROUP}.group_name`,
      "surrogate $.scope",
      `surrogate ${USER}.user_cardname`,
      `local_operator ${CONFIG}.is_local_operator`,
    ]);
  });

  it("tells every reason in the order in which MaiBot 1.2.1 comes upon them", () => {
    assertEquals(brief(maibotIssues(manifold, { version: "1.2.1" })), [
      `group_id_missing ${GROUP}.group_id`,
      `party_kind ${INFO}.sender_info.user_info`,
      `segment_kind ${SEG}.data[1]`,
      `message_id_missing ${INFO}.message_id`,
      `time_kind ${INFO}.time`,
      `segment_type ${SEG}.data[0].type`,
      `base64_garbled ${SEG}.data[2].data`,
      `nickname ${USER}.user_nickname`,
      `group_name ${GROUP}.group_name`,
      `platform_empty ${INFO}.platform`,
      `surrogate ${USER}.user_cardname`,
      `local_operator ${CONFIG}.is_local_operator`,
    ]);
  });

  it("tells why no answer can come before what its database refuses, and last what it trusts", () => {
    const message = inPrivate(
      [ACCOUNT, ABSENT],
      [`${INFO}.platform`, "tp"],
      [`${USER}.user_id`, " "],
      [ITEM, { type: "text", data: "\ud800" }],
      [CONFIG, { is_local_operator: true }],
    );
    assertEquals(brief(maibotIssues(message, { accounts: { qq: "777" } })), [
      `platform_foreign ${INFO}.platform`,
      `account_missing ${ACCOUNT}`,
      `target_blank ${USER}.user_id`,
      `surrogate ${ITEM}.data`,
      `local_operator ${CONFIG}.is_local_operator`,
    ]);
  });

  it("takes a group without an id for a private chat, which needs a user", () => {
    const nobody = changed([`${GROUP}.group_id`, ""], [`${USER}.user_id`, ""]);
    assertEquals(brief(maibotIssues(nobody)), [
      `group_id_empty ${GROUP}.group_id`,
      `user_id_empty ${USER}.user_id`,
    ]);
  });

  it("looks into nested lists, for once they are flattened", () => {
    const inner = { type: "seglist", data: [{ type: "seglist", data: [5] }, { type: "text", data: 5 }] };
    assertEquals(brief(maibotIssues(at(ITEM, inner))), [
      `segment_kind ${ITEM}.data[0].data[0]`,
      `list_nested ${ITEM}.type`,
      `list_nested ${ITEM}.data[0].type`,
      `text_kind ${ITEM}.data[1].data`,
    ]);
  });

  it("ends when lists nest without end", () => {
    const message = at(SEG, JSON.parse(nestedLists(3000)));
    assertEquals(drops(message)[0]?.rule, "list_nested");
  });

  it("looks at the segments even where message_info is missing", () => {
    assertEquals(brief(maibotIssues({ message_segment: { type: "face" } })), [
      `message_info ${INFO}`,
      `segment_type ${SEG}.type`,
    ]);
  });

  it("sees an object's own members only", () => {
    whilePolluted({ is_custom_message: true, user_nickname: "n", post_type: "x" }, () => {
      const broken = at(`${USER}.user_nickname`, ABSENT);
      assertEquals(brief(maibotIssues(broken)), [`nickname ${USER}.user_nickname`]);
      assertEquals(brief(maibotIssues({})), [`message_info ${INFO}`, `segment_kind ${SEG}`]);
    });
  });

  it("leaves the message as it is", () => {
    const message = changed([`${USER}.user_id`, 5], [ITEM, { type: "image", data: "A" }]);
    const before = JSON.stringify(message);
    maibotIssues(message);
    assertEquals(JSON.stringify(message), before);
  });

  it("reads 8 MiB of base64 without a copy for each character", () => {
    assertEquals(maibotIssues(holding("image", "QUJD".repeat(2 ** 21))), []);
    assertEquals(drops(holding("image", `${"QUJD".repeat(2 ** 21)}Q`))[0]?.rule, "base64_broken");
  });
});

describe("maibotIssues() lists", () => {
  const face = seg.of("face", 14); // a drop
  const nobody = seg.of("at", ""); // damage
  const holds = (...pieces: Seg[]): unknown => at(SEG, { type: "seglist", data: pieces });
  const times = (count: number, piece: Seg): Seg[] => Array.from({ length: count }, () => piece);

  it("the first 100", () => {
    const issues = maibotIssues(holds(...times(1000, face)));
    assertEquals(
      issues.map(({ path }) => path),
      Array.from({ length: 100 }, (_, index) => `${SEG}.data[${index}].type`),
    );
  });

  it("the first drop as well where 1000 others stand before it", () => {
    const issues = maibotIssues(holds(...times(1000, nobody), face, face));
    assertEquals(brief(issues.slice(100)), [`segment_type ${SEG}.data[1000].type`]);
    assertEquals(new Set(issues.slice(0, 100).map(({ rule }) => rule)), new Set(["at_nobody"]));
  });

  it("no later drop where one stands among the first", () => {
    const issues = maibotIssues(holds(face, ...times(1000, nobody), face));
    assertEquals([issues.length, drops(holds(face, ...times(1000, nobody), face)).length], [100, 1]);
  });
});

describe("maibotIssues() ends", () => {
  const list = (data: unknown[]): Seg => ({ type: "seglist", data: data as Seg[] });

  it("for a list that holds itself twice", () => {
    const data: unknown[] = [];
    data.push(list(data), list(data), seg.text("a"));
    assertEquals(
      brief(maibotIssues(at(SEG, list(data)))),
      [0, 1].map((index) => `list_nested ${SEG}.data[${index}].type`),
    );
  });

  it("for a list that stands 2^32 times in a message", () => {
    let piece: Seg = seg.text("a");
    for (let depth = 0; depth < 32; depth++) piece = list([piece, piece]);
    assertEquals(drops(at(SEG, piece))[0]?.rule, "list_nested");
  });

  it("for a type or an id that stands so often, or holds itself", () => {
    let twice: unknown = [];
    for (let depth = 0; depth < 64; depth++) twice = [twice, twice];
    const own: unknown[] = [];
    own.push(own, own);
    for (const value of [twice, own]) {
      assertEquals(drops(at(`${SEG}.data`, [{ type: value, data: { qq: value } }]))[0]?.rule, "segment_type");
      assertEquals(brief(maibotIssues(holding("at", { qq: value }))), []);
      assertEquals(brief(maibotIssues(at(`${INFO}.message_id`, value))), [`id_kind ${INFO}.message_id`]);
    }
  });

  it("so that a client refuses such a message", async () => {
    await using server = new MessageServer();
    await using client = new MessageClient(server.listen({ port: 0 }), { platform: "qq", validate: maibotIssues });
    await client.connect();
    const data: unknown[] = [];
    data.push(list(data), list(data));
    const message = { ...createMessage({ platform: "qq", user: "1" }, seg.text("a")), message_segment: list(data) };
    assertThrows(() => client.send(message), MessageRejectedError, "list_nested");
  });
});

describe("maibotIssues() of JSON deeper than the stack", () => {
  for (const member of ["type", "data"]) {
    it(`answers when it is the ${member} of a segment`, () => {
      const deep = JSON.parse("[".repeat(100_000) + "]".repeat(100_000));
      const message = createMessage({ platform: "qq", user: "1" }, seg.text("a"));
      const issues = maibotIssues({ ...message, message_segment: { type: "text", data: "a", [member]: deep } });
      assertEquals(issues[0]?.level, "drop");
    });
  }
});
