import {
  assert,
  assertEquals,
  assertExists,
  assertGreater,
  assertInstanceOf,
  AssertionError,
  assertLess,
  assertMatch,
  assertNotEquals,
  assertRejects,
  assertStrictEquals,
  assertStringIncludes,
  assertThrows,
  fail,
} from "@std/assert";
import { parseArgs } from "@std/cli/parse-args";
import { red } from "@std/fmt/colors";
import { describe, it } from "@std/testing/bdd";
import { fileURLToPath } from "node:url";

import { runtimeProgram, spawnLines } from "./peers/process.ts";
import { runtimeTest } from "./peers/skip.ts";

// These hold for the packages of JSR as well as for the stand-ins: whichever this machine uses is what is tested.

const cycle: { self?: unknown } = {};
cycle.self = cycle;
const otherCycle: { self?: unknown } = {};
otherCycle.self = otherCycle;

const EQUAL: readonly (readonly [name: string, left: unknown, right: unknown])[] = [
  ["not-a-number", { a: NaN }, { a: NaN }],
  ["zeros of either sign", 0, -0],
  ["nested data in another key order", { a: [1, { b: null }], c: "d" }, { c: "d", a: [1, { b: null }] }],
  ["an object without a prototype", Object.assign(Object.create(null), { a: 1 }), { a: 1 }],
  ["bytes", new Uint8Array([1, 2]), new Uint8Array([1, 2])],
  ["maps and sets", new Map([[{ a: 1 }, new Set([1, 2])]]), new Map([[{ a: 1 }, new Set([2, 1])]])],
  ["dates", new Date(5), new Date(5)],
  ["cycles", cycle, otherCycle],
];

const UNEQUAL: readonly (readonly [name: string, left: unknown, right: unknown])[] = [
  ["a key that is undefined", { a: undefined }, {}],
  ["another key that is undefined", { a: undefined }, { b: undefined }],
  ["a number and a string", 1, "1"],
  ["null and undefined", null, undefined],
  ["an array and an object", [], {}],
  ["a longer array", [1], [1, undefined]],
  ["other bytes", new Uint8Array([1, 2]), new Uint8Array([1, 3])],
  ["a view of another kind", new Uint8Array([1]), new Uint16Array([1])],
  ["another map", new Map([[1, 2]]), new Map([[1, 3]])],
  ["another class", new RangeError("a"), new TypeError("a")],
];

describe("assertEquals()", () => {
  for (const [name, left, right] of EQUAL) {
    it(`takes as equal ${name}`, () => {
      assertEquals(left, right);
      assertThrows(() => assertNotEquals(left, right), AssertionError);
    });
  }
  for (const [name, left, right] of UNEQUAL) {
    it(`tells apart ${name}`, () => {
      assertNotEquals(left, right);
      assertThrows(() => assertEquals(left, right), AssertionError);
    });
  }
});

const FAILING: readonly (readonly [name: string, check: () => void])[] = [
  ["assert", () => assert(0)],
  ["assertExists", () => assertExists(null)],
  ["assertGreater", () => assertGreater(1, 1)],
  ["assertInstanceOf", () => assertInstanceOf(new TypeError("x"), RangeError)],
  ["assertLess", () => assertLess(1, 1)],
  ["assertMatch", () => assertMatch("abc", /d/)],
  ["assertStrictEquals", () => assertStrictEquals<unknown>({}, {})],
  ["assertStringIncludes", () => assertStringIncludes("abc", "d")],
  ["fail", () => fail("x")],
  ["assertThrows", () => assertThrows(() => {})],
  ["assertThrows given a class", () => {
    assertThrows(() => {
      throw new TypeError("a");
    }, RangeError);
  }],
  ["assertThrows given a text", () => {
    assertThrows(
      () => {
        throw new TypeError("a");
      },
      TypeError,
      "b",
    );
  }],
];

describe("an assertion that does not hold", () => {
  for (const [name, check] of FAILING) {
    it(`${name}() throws AssertionError`, () => {
      assertThrows(check, AssertionError);
    });
  }
});

describe("an assertion that holds", () => {
  it("passes", () => {
    assert(1);
    assertExists(0);
    assertGreater(2, 1);
    assertInstanceOf(new TypeError("x"), Error);
    assertLess("a", "b");
    assertMatch("abc", /b/);
    assertStrictEquals(NaN, NaN);
    assertStringIncludes("abc", "b");
  });
});

describe("assertThrows()", () => {
  it("returns what was thrown", () => {
    const thrown = new TypeError("the text");
    const check = () => {
      throw thrown;
    };
    assertStrictEquals(assertThrows(check), thrown);
    assertStrictEquals(assertThrows(check, TypeError, "text").message, "the text");
  });
});

describe("assertRejects()", () => {
  it("returns the reason", async () => {
    const { message } = await assertRejects(() => Promise.reject(new TypeError("the text")), TypeError, "text");
    assertEquals(message, "the text");
    assertEquals(await assertRejects(() => Promise.reject(1)), 1);
  });

  it("rejects when the promise is kept, the class is another or the function throws", async () => {
    const reason = new TypeError("a");
    const throwNow = (): Promise<void> => {
      throw reason;
    };
    await assertRejects(() => assertRejects(() => Promise.resolve()), AssertionError);
    await assertRejects(() => assertRejects(() => Promise.reject(reason), RangeError), AssertionError);
    await assertRejects(() => assertRejects(throwNow), AssertionError);
  });
});

describe("it()", () => {
  runtimeTest("deno", "registers tests whose leaks fail them, and skips", async () => {
    const [run, leaking] = ["./std/run.ts", "./std/leaking.ts"].map((path) =>
      fileURLToPath(new URL(path, import.meta.url))
    );
    const command = runtimeProgram("deno");
    await using child = spawnLines(command, ["run", "-A", run ?? "", "test", "-A", leaking ?? ""]);
    assertEquals((await child.exit({ timeoutMs: 60_000 })).code, 1);
    const output = child.lines.join("\n");
    assertMatch(output, /leak/i);
    assertStringIncludes(output, "1 passed | 1 failed | 1 ignored");
  });
});

describe("parseArgs()", () => {
  it("reads strings, booleans, lists, defaults, aliases and the rest", () => {
    const args = ["-u", "ws://a", "file", "--tag=1", "--tag", "2", "--verbose", "7", "--", "--not"];
    const parsed = parseArgs(args, {
      string: ["url", "tag", "name"],
      boolean: ["verbose", "quiet"],
      collect: ["tag"],
      default: { name: "nobody" },
      alias: { url: "u" },
    });
    const { url, tag, name, verbose, quiet, _ } = parsed;
    assertEquals({ url, tag, name, verbose, quiet, _ }, {
      url: "ws://a",
      tag: ["1", "2"],
      name: "nobody",
      verbose: true,
      quiet: false,
      _: ["file", 7, "--not"],
    });
  });
});

describe("red()", () => {
  it("keeps the text", () => {
    assertStringIncludes(red("text"), "text");
  });
});
