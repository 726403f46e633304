import { assert, assertEquals, assertNotEquals, assertThrows } from "@std/assert";
import { describe, it } from "@std/testing/bdd";

import { readText } from "../../support/package.ts";
import { reachOf } from "./coverage.ts";
import { drawMutants, namedMutants, share } from "./mutants.ts";
import { NAMED } from "./named.ts";
import { applyChange, findChanges, functionLines, isParsed } from "./operators.ts";
import { killedShare } from "./report.ts";
import { targetFiles, testsOf } from "./targets.ts";
import type { Result } from "./trial.ts";

/** Everything a source can become, by operator. */
function changed(source: string, operator: string): string[] {
  return findChanges(source).filter((change) => change.operator === operator).map((change) =>
    applyChange(source, change)
  );
}

const CHANGES: readonly (readonly [operator: string, source: string, changed: readonly string[]])[] = [
  ["< to <=", "f(a < b);", ["f(a <= b);"]],
  ["&& to ||", "f(a && b);", ["f(a || b);"]],
  ["left side only", "f(a && b);", ["f((a));"]],
  ["+ to -", "f(a + b);", ["f(a - b);"]],
  ["+ to -", 'f(a + "b" + c);', []],
  ["drop the default", "f(a ?? b);", ["f(a);"]],
  ["negate", "if (a) b();", ["if (!(a)) b();"]],
  ["never", "while (a) b();", ["while (false) b();"]],
  ["always", "f(a ? b : c);", ["f(true ? b : c);"]],
  ["one more", "f(7);", ["f(8);"]],
  ["one less", "f(0, 1);", ["f(0, 0);"]],
  ["drop the statement", "a();\nb = c;", [";\nb = c;", "a();\n;"]],
  ["drop the statement", "throw new Error(`a ${1 + 2}`);", [";"]],
  ["one more", "throw new Error(`a ${1 + 2}`, 3);", []],
  ["return at once", "function f() { a(); }", ["function f() { return; a(); }"]],
  ["drop await", "await a();", ["a();"]],
  ["true to false", "f(true);", ["f(false);"]],
  ["true to false", "let a: true;", []],
  ["one more", "let a: 7;", []],
  ["drop ?.", "a?.b; a?.[b]; a?.(b);", ["a.b; a?.[b]; a?.(b);", "a?.b; a[b]; a?.(b);", "a?.b; a?.[b]; a(b);"]],
  ["min to max", "Math.min(a, b);", ["Math.max(a, b);"]],
  ["min is argument 2", "f(Math.min(a, b));", ["f((b));"]],
  ["drop !", "f(!a);", ["f(a);"]],
  ["drop -", "f(-a);", ["f(a);"]],
  ["++ and --", "f(a++, --b);", ["f(a--, --b);", "f(a++, ++b);"]],
];

describe("findChanges()", () => {
  for (const [operator, source, expected] of CHANGES) {
    it(`finds "${operator}" in ${source}`, () => assertEquals(changed(source, operator), expected));
  }
});

describe("isParsed()", () => {
  it("tells code from what is none, whatever its types are", () => {
    assertEquals(["const a: number = true;", "const a = ;"].map(isParsed), [true, false]);
  });
});

describe("functionLines()", () => {
  it("finds the function of more than one line around a place", () => {
    const source = "a();\nfunction f() {\n  b(() => c());\n}\nd();";
    const lines = ["a()", "b(", "c()", "d()"].map((text) => functionLines(source, source.indexOf(text)));
    assertEquals(lines, [[1, 5], [2, 4], [2, 4], [1, 5]]);
  });
});

describe("reachOf()", () => {
  it("tells a test that runs the line from one that enters the function", () => {
    const measured = { key: "", seconds: 1, lines: { "a.ts": [2, 5] } };
    const reach = (file: string, line: number) => reachOf(measured, file, line, [line - 1, line + 1]);
    assertEquals([reach("a.ts", 2), reach("a.ts", 3), reach("a.ts", 8), reach("b.ts", 2)], [
      ...["line", "function", "none", "none"],
    ]);
  });
});

describe("namedMutants()", () => {
  it("finds the place of each in today's code", () => {
    const mutants = namedMutants();
    assertEquals(mutants.map(({ operator }) => operator), NAMED.map(({ name }) => name));
    for (const { file, source } of mutants) assertNotEquals(source, readText(file));
  });
});

describe("share()", () => {
  it("shares out by size, at least one each", () => {
    assertEquals(share(10, [50, 30, 20]), [5, 3, 2]);
    assertEquals(share(10, [1000, 1]), [9, 1]);
    assertEquals(share(7, [1, 1, 1]).reduce((sum, each) => sum + each), 7);
  });
});

describe("drawMutants()", () => {
  it("draws the same for the same seed, others for another, of every file, and none twice", () => {
    const [first, again, other] = [1, 1, 2].map((seed) => drawMutants(10, seed));
    const idsOf = (mutants = first) => mutants!.map(({ id }) => id);
    assertEquals(idsOf(), idsOf(again));
    assertNotEquals(idsOf(), idsOf(other));
    assertEquals(new Set(idsOf()).size, first!.length);
    const files = new Set(first!.map(({ file }) => file));
    assertEquals([...files].toSorted(), targetFiles().toSorted());
  });
});

describe("testsOf()", () => {
  it("gives the tests of the room first, and fails for a file of none", () => {
    const tests = testsOf("session/session.ts", "");
    assert(tests[0]?.startsWith("tests/session/") && tests.at(-1)?.startsWith("tests/server/"));
    assertThrows(() => testsOf("util/queue.ts", ""), Error, "no tests");
  });
});

describe("killedShare()", () => {
  it("counts what failed and what hung", () => {
    const result: Result = {
      ...{ id: "", file: "", line: 1, operator: "", isNamed: false, before: "", after: "", by: "", seconds: 0 },
      outcome: "killed",
    };
    const outcomes = ["killed", "timeout", "survived", "unreached"] as const;
    assertEquals(killedShare(outcomes.map((outcome) => ({ ...result, outcome }))), 0.5);
  });
});
