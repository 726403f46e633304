import { assertEquals } from "@std/assert";
import { describe, it } from "@std/testing/bdd";

import type { MaibotVersion } from "../../maibot/mod.ts";
import { FakeMaiBot, type MaibotPolicy, type MaibotReceipt } from "../../maibot/fake/mod.ts";
import { parsePython } from "../../maibot/python/json.ts";
import { plainText } from "../../schema.ts";
import { connect } from "../support/fake_maibot.ts";
import { Heard } from "../support/peers/listen.ts";
import { type VerdictVector, verdictVectors } from "../support/maibot_vectors.ts";

/** The policies of the vectors, by their text. */
const POLICIES: Readonly<Record<string, MaibotPolicy>> = {
  '[[adapters]]\nplatform="qq"\n[adapters.private]\ndeny_ids=["u1"]\n': ({ platform, type, id }) =>
    platform !== "qq" || type !== "private" || id !== "u1",
  '[[adapters]]\nplatform="qq"\n[adapters.group]\ndeny_ids=["g1"]\n': ({ platform, type, id }) =>
    platform !== "qq" || type !== "group" || id !== "g1",
  '[defaults.group]\ndefault_action="block"\n[defaults.private]\ndefault_action="block"\n': () => false,
  '[defaults.private]\ndefault_action="block"\n[[adapters]]\nadapter_id="legacy.send.qq"\n[adapters.private]\nallow_ids=["u1"]\n':
    ({ platform, type, id }) => type === "group" || (platform === "qq" && id === "u1"),
  '[[adapters]]\naccount_id="777"\n[adapters.private]\ndeny_ids=["*"]\n': ({ account, type }) =>
    account !== "777" || type !== "private",
  '[[adapters]]\nadapter_id="legacy.send.tp"\ndisabled=true\n[adapters.private]\ndefault_action="allow"\n': (
    { platform },
  ) => platform !== "tp",
};

/** What became of one frame. */
interface Outcome {
  readonly isAccepted: boolean;
  readonly isAnswerable: boolean;
  /** MaiBot's line about one that it drops. */
  readonly reason: string;
  /** Whether the script was asked. */
  readonly isAsked: boolean;
  /** Whether an answer went out. */
  readonly isAnswered: boolean;
  /** Whether MaiBot says that the account should stand at the top. */
  readonly isOldRoute: boolean;
}

/** Vectors that one MaiBot was asked: the configuration is its own. */
function together(vectors: readonly VerdictVector[]): readonly (readonly [what: string, group: VerdictVector[]])[] {
  const what = ({ accounts, policy }: VerdictVector): string =>
    `${JSON.stringify(accounts)}${policy === null ? "" : ` under ${policy.replaceAll("\n", " ").trim()}`}`;
  return [...Map.groupBy(vectors, what)];
}

/** Sends every frame on one connection, one after the other, and tells what became of each. */
async function outcomes(vectors: readonly VerdictVector[], version: MaibotVersion): Promise<Outcome[]> {
  const { accounts = {}, policy = null } = vectors[0] ?? {};
  const asked = new Set<number>();
  const receipts: MaibotReceipt[] = [];
  const old = new Set<number>();
  const allowed = policy === null ? undefined : POLICIES[policy];
  if (policy !== null && allowed === undefined) throw new Error(`Cannot play an unknown policy: ${policy}`);
  await using bot = new FakeMaiBot({
    version,
    accounts,
    ...(allowed === undefined ? {} : { policy: allowed }),
    answers: () => {
      asked.add(receipts.length - 1);
      return `${receipts.length - 1}`;
    },
  });
  bot.on("error", () => {}); // of the bot's own messages, of which there may be many
  bot.on("log", ({ text }) => {
    if (text.startsWith("消息使用旧版路由归属格式")) old.add(receipts.length - 1);
  });
  const received = new Heard<[MaibotReceipt]>((handler) => bot.on("received", handler));
  bot.on("received", (receipt) => void receipts.push(receipt));
  await using qq = await connect(bot, "qq");
  await bot.connected("qq");
  // Answers are out before the next frame is read: one that is no JSON comes last.
  for (const text of [...vectors.map((vector) => vector.text), "{"]) {
    qq.socket.send(text);
    await received.next();
  }
  const answered = new Set(bot.sent.map((message) => Number(plainText(message))));
  return receipts.slice(0, vectors.length).map(({ isAccepted, isAnswerable, log }, index) => ({
    isAccepted,
    isAnswerable,
    reason: isAccepted ? "" : log?.text ?? "",
    isAsked: asked.has(index),
    isAnswered: answered.has(index),
    isOldRoute: old.has(index),
  }));
}

const LOST_ECHO = "收到回送消息 ID，但未找到可回填的本地消息: a -> b";

/** Rows that a fake sees otherwise, and how. */
const OTHERWISE: Readonly<Record<string, Partial<Outcome>>> = {
  // It answers an echo of a message that it never sent as MaiBot does: nothing is there to be renamed.
  "custom echo": { isAccepted: false, isAnswerable: false, reason: LOST_ECHO, isAsked: false, isAnswered: false },
  // What Python's parser says of it is left out.
  "frame trailing": { reason: "平台 qq 收到无法解析的 JSON" },
  // Commands are answered without the script; MaiBot has other warnings about this one.
  command: { isAsked: false, isAnswered: false },
  "segment offline": { isAsked: false, isAnswered: false, isOldRoute: false },
};

/** What 1.3.15 did, as an outcome. */
function recorded({ name, text, isTaken, unanswered, reason, warnings }: VerdictVector): Outcome {
  const isAccepted = isTaken["1.3.15"] === true;
  const isAnswerable = isAccepted && unanswered === null;
  const frame = parsePython(text) as { message_info?: { platform?: unknown } } | undefined; // if it is taken
  return {
    isAccepted,
    isAnswerable,
    reason: isAccepted ? "" : reason,
    isAsked: isAccepted && unanswered !== "no_chat",
    // Only qq is connected.
    isAnswered: isAnswerable && frame?.message_info?.platform === "qq",
    isOldRoute: isAccepted && warnings > (unanswered === "no_chat" ? 1 : 0),
    ...OTHERWISE[name],
  };
}

/** The rows of which a fake makes something else, so that few of hundreds are shown. */
function differences<T>(group: readonly VerdictVector[], found: readonly T[], wanted: readonly T[]): unknown[] {
  assertEquals([found.length, wanted.length], [group.length, group.length]);
  const rows = group.map(({ name }, index) => ({ name, found: found[index], wanted: wanted[index] }));
  return rows.filter((row) => JSON.stringify(row.found) !== JSON.stringify(row.wanted));
}

describe("FakeMaiBot does over the wire what MaiBot 1.3.15 itself did", () => {
  for (const [what, group] of together(verdictVectors)) {
    it(`with ${group.length} frames and ${what}`, async () => {
      assertEquals(differences(group, await outcomes(group, "1.3.15"), group.map(recorded)), []);
    });
  }
});

describe("FakeMaiBot takes over the wire what MaiBot 1.2.1 itself took", () => {
  for (const [what, group] of together(verdictVectors.filter(({ isTaken }) => isTaken["1.2.1"] !== undefined))) {
    it(`with ${group.length} frames and ${what}`, async () => {
      const found = (await outcomes(group, "1.2.1")).map(({ isAccepted }) => isAccepted);
      const wanted = group.map(({ name, isTaken }) => OTHERWISE[name]?.isAccepted ?? isTaken["1.2.1"]);
      assertEquals(differences(group, found, wanted), []);
    });
  }
});
