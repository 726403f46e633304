import { assertEquals } from "@std/assert";
import { describe, it } from "@std/testing/bdd";

import { countCodeLines, findImports, readSource } from "../support/source_code.ts";

const IMPORTS: readonly (readonly [what: string, code: string, specifiers: readonly string[]])[] = [
  ["a static import", 'import { a } from "./a.ts";', ["./a.ts"]],
  ["an import over several lines", 'import {\n  a,\n  type B,\n} from "./a.ts";', ["./a.ts"]],
  ["an import of types", 'import type { A } from "./a.ts";', ["./a.ts"]],
  ["an import for its effects", 'import "./a.ts";', ["./a.ts"]],
  ["an import with attributes", 'import a from "./a.json" with { type: "json" };', ["./a.json"]],
  ["an export from another module", 'export * from "./a.ts";\nexport type { B } from "./b.ts";', ["./a.ts", "./b.ts"]],
  ["a dynamic import", 'const a = await import("node:util");', ["node:util"]],
  ["the type of an import", 'let a: import("./a.ts").A;', ["./a.ts"]],
  ["single quotes", "import { a } from './a.ts';", ["./a.ts"]],
  ["an import after a regular expression", 'const a = /["`]/g;\nimport { b } from "./b.ts";', ["./b.ts"]],
  ["an import within a placeholder", 'const a = `${await import("./a.ts")} "`;', ["./a.ts"]],
  ["no import in a comment", '// import "./a.ts"\n/* import "./b.ts" */', []],
  ["no import in a string", `const a = 'import "./a.ts"';`, []],
  ["no import in a template", 'const a = `import "./a.ts" ${`import "./b.ts"`}`;', []],
  ["no import in a regular expression", 'const a = [/import "a"/];', []],
];

describe("findImports()", () => {
  for (const [what, code, specifiers] of IMPORTS) {
    it(`finds ${what}`, () => assertEquals(findImports(readSource(code)).specifiers, specifiers));
  }

  it("tells of a dynamic import whose specifier is computed", () => {
    const { specifiers, computed } = findImports(readSource('await import(NAME); await import("./a.ts");'));
    assertEquals([specifiers, computed], [["./a.ts"], ["import(NAME)"]]);
  });
});

describe("readSource()", () => {
  it("leaves code alone and every character where it was", () => {
    const code = 'const a = b / c; // "d"\nconst e = `f${{ g: "}" }}`; /* h */ i();';
    const { withoutComments, bare } = readSource(code);
    assertEquals(withoutComments, 'const a = b / c;       \nconst e = `f${{ g: "}" }}`;         i();');
    assertEquals(bare, 'const a = b / c;       \nconst e = ` ${{ g: " " }}`;         i();');
  });
});

describe("countCodeLines()", () => {
  it("counts neither empty lines nor comments", () => {
    assertEquals(countCodeLines(readSource("/**\n * A.\n */\n\nconst a = 1; // B\n// C\nconst b = `\n//\n`;")), 4);
  });
});
