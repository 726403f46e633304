import { assert, assertEquals, assertNotEquals } from "@std/assert";
import { describe, it } from "@std/testing/bdd";

import { generateText } from "./generate.ts";
import { faults, parse } from "./oracle.ts";
import { describeFailures, type Failure, replayLine, runFuzz, shrink } from "./run.ts";

const RUNS = 2500;

describe("the codec", () => {
  it(`makes of ${RUNS} texts what the oracle says`, async () => {
    const { counts, failures } = await runFuzz({ from: 1, count: RUNS });
    assertEquals(failures.length, 0, await describeFailures(failures));
    // What never comes up is not tested.
    for (const code of ["ok", "invalid_json", "invalid_shape", "too_deep"]) assert((counts[code] ?? 0) > 25, code);
  });
});

describe("generateText()", () => {
  it("makes the same text for the same number, and others for others", () => {
    const [first, again, other] = [3, 3, 4].map(generateText);
    assertEquals(first, again);
    assertNotEquals(first, other);
  });
});

describe("parse()", () => {
  it("takes the JSON that JSON.parse() takes, and no other", () => {
    for (let seed = 1; seed <= 3000; seed++) {
      const text = generateText(seed);
      let isJson = true;
      try {
        JSON.parse(text);
      } catch {
        isJson = false;
      }
      assertEquals(parse(text) !== null, isJson, text);
    }
  });
});

describe("faults()", () => {
  it("finds every fault of a message", () => {
    const text =
      '{"message_info":{"platform":"","time":1e400},"message_segment":{"type":"seglist","data":[{"type":"text"}]}}';
    const found = ["$.message_info.platform", "$.message_info.time", "$.message_segment.data[0].data"];
    assertEquals(faults(parse(text)!.value, 32), found.map((path) => `invalid_shape ${path}`));
  });
});

describe("shrink()", () => {
  it("cuts away what a failure does not need", async () => {
    const check = ({ text }: { text: string }) => Promise.resolve(/b.*d/s.test(text) ? `a difference\n${text}` : null);
    const failure: Failure = { text: "aaaabccccccccccddddeeee", seed: 1, message: "a difference\n" };
    assertEquals(await shrink(failure, check), { text: "bd", seed: 1, message: "a difference\nbd" });
  });
});

describe("replayLine()", () => {
  it("holds the text in ASCII, safe within quotes", () => {
    const line = replayLine({ text: "it's 你\n\ud800", seed: 7 });
    assertEquals(line, "deno task fuzz --seed=7 --text='\"it\\u0027s \\u4f60\\n\\ud800\"'");
  });
});
