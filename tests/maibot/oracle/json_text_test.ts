import { assertEquals } from "@std/assert";
import { describe, it } from "@std/testing/bdd";

import { jsonText, RawJson, readAsPython } from "./json_text.ts";

describe("readAsPython() tells whether JSON.parse left a text as Python reads it", () => {
  const faithful = ["1", "-0", "1e25", "1E21", "1.5e0", "0.1", '"\\ud800"', '{"__proto__":{"a":[1.5]}}', "null"];
  for (const text of faithful) it(`it did: ${text}`, () => assertEquals(readAsPython(text).isFaithful, true));

  const changed = [
    ...["1.0", "-0.0", "1e5", "1e400", "NaN", "[Infinity]", "9007199254740993", "18446744073709551615"],
    ...["100000000000000000000.5", '{"a":[[1.0]]}', "", "{"],
  ];
  for (const text of changed) it(`it did not: ${text}`, () => assertEquals(readAsPython(text).isFaithful, false));
});

describe("jsonText()", () => {
  it("writes raw numbers as they stand", () => {
    assertEquals(
      jsonText({ a: [new RawJson("1.0"), { b: "\ud800" }], c: null }),
      '{"a":[1.0,{"b":"\\ud800"}],"c":null}',
    );
  });
});
