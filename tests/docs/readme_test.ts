import { assert, assertEquals } from "@std/assert";
import { describe, it } from "@std/testing/bdd";

import { RULES } from "../../maibot/rules.ts";
import { publishedModules, readText } from "../support/package.ts";

interface CodeBlock {
  readonly info: string;
  readonly code: string;
}

interface Page {
  /** One entry a heading: its level, as "##". */
  readonly levels: readonly string[];
  readonly blocks: readonly CodeBlock[];
  /** First two cells of every row of every table. */
  readonly rows: readonly (readonly [first: string, second: string])[];
}

const FENCE = /^```(.*)\n([\s\S]*?)^```$/gm;

function readPage(path: string): Page {
  const text = readText(path);
  const blocks = [...text.matchAll(FENCE)].map(([, info = "", code = ""]) => ({ info, code }));
  const prose = text.replaceAll(FENCE, "");
  const levels = [...prose.matchAll(/^(#+) /gm)].map(([, level = ""]) => level);
  const rows = [...prose.matchAll(/^\|([^|]*)\|([^|]*)\|/gm)].map(([, first = "", second = ""]) => {
    return [first.trim(), second.trim()] as const;
  });
  return { levels, blocks, rows };
}

// A string of either quote, a template, or a comment; whichever starts first ends first.
const TEXT_IN_TS = /"(?:[^"\\\n]|\\.)*"|'(?:[^'\\\n]|\\.)*'|`(?:[^`\\]|\\.)*`|\/\/.*$|\/\*[\s\S]*?\*\//gm;
const COMMENT_IN_SHELL = /(^|\s)#.*$/gm;

/** What a block says apart from its language and line breaks: the code without strings, comments and spaces. */
function skeleton({ info, code }: CodeBlock): CodeBlock {
  if (!info.startsWith("ts")) return { info, code: code.replaceAll(COMMENT_IN_SHELL, "") };
  const bare = code.replaceAll(TEXT_IN_TS, (text) => text.startsWith("/") ? "" : '""');
  return { info, code: bare.replaceAll(/\s+/g, "").replaceAll(/,(?=[)\]}])/g, "") };
}

/** The flags that a program's `--help` lists. */
function flagsIn(help: RegExp, source: string): string[] {
  const [, text = ""] = help.exec(source) ?? [];
  return [...text.matchAll(/^ {2}(--\w+(?: [A-Z:]+)?) +/gm)].map(([, flag = ""]) => flag);
}

/** The members of a union of string literals, wherever it is declared. */
function literals(union: string): string[] {
  const declaration = new RegExp(`export type ${union} =([^;]*);`);
  const [, members = ""] = publishedModules.map((path) => declaration.exec(readText(path))).find(Boolean) ?? [];
  return [...members.matchAll(/"([^"]+)"/g)].map(([, name = ""]) => name);
}

const pages = ["README.md", "README.zh.md"].map((name) => [name, readPage(name)] as const);

describe("README", () => {
  const [[, english], [, chinese]] = pages as [typeof pages[0], typeof pages[0]];

  it("has the same sequence of headings in both languages", () => {
    assert(english.levels.length > 10);
    assertEquals(chinese.levels, english.levels);
  });

  it("has the same code in both languages, but for strings and comments", () => {
    assert(english.blocks.length > 10);
    assertEquals(chinese.blocks.map(skeleton), english.blocks.map(skeleton));
  });

  it("has tables of the same lengths in both languages", () => {
    assertEquals(chinese.rows.length, english.rows.length);
  });

  for (const [name, { blocks, rows }] of pages) {
    for (const kind of ["Connection", "Decode", "Encode"]) {
      it(`lists every code of Message${kind}Error in ${name}`, () => {
        const codes = literals(`Message${kind}ErrorCode`);
        assert(codes.length > 2);
        const listed = rows.filter(([first]) => first === `\`Message${kind}Error\``).map(([, second]) => second);
        assertEquals(listed.toSorted(), codes.map((code) => `\`${code}\``).toSorted());
      });
    }

    it(`lists every reason of a drop in ${name}`, () => {
      const reasons = literals("DropReason");
      assert(reasons.length > 3);
      const listed = rows.map(([first]) => first.replaceAll("`", ""));
      assertEquals(reasons.filter((reason) => !listed.includes(reason)), []);
    });

    it(`lists every flag of both programs in ${name}`, () => {
      const server = flagsIn(/const HELP = `([^`]*)`/, readText("server/program.ts"));
      const maibot = flagsIn(/EN: ProgramTexts = \{\s*help: `([^`]*)`/, readText("maibot/fake/program_texts.ts"));
      assert(server.length > 5 && maibot.length > 5);
      const listed = rows.filter(([first]) => first.startsWith("`--")).map(([first]) => first);
      assertEquals(listed, [...server, ...maibot].map((flag) => `\`${flag}\``));
    });

    it(`says what to do for every rule by which MaiBot drops or never answers in ${name}`, () => {
      const listed = rows.flatMap(([, second]) => [...second.matchAll(/`([a-z0-9_]+)`/g)]).map(([, rule = ""]) => rule);
      const grave = Object.entries(RULES).filter(([, { level }]) => level === "drop" || level === "unanswered");
      assertEquals(grave.map(([rule]) => rule).filter((rule) => !listed.includes(rule)), []);
    });

    it(`names no rule that does not exist in ${name}`, () => {
      const [, section = ""] = /\n## (?:Why does MaiBot|为什么 MaiBot)([\s\S]*?)\n## /.exec(readText(name)) ?? [];
      const cells = [...section.matchAll(/^\|[^|]*\|([^|]*)\|/gm)].map(([, second = ""]) => second);
      const named = cells.flatMap((cell) => [...cell.matchAll(/`(\w+)`/g)]).map(([, rule = ""]) => rule);
      assert(named.length > 30);
      assertEquals(named.filter((rule) => !Object.hasOwn(RULES, rule)), []);
    });

    it(`says why a block is not run in ${name}`, () => {
      const text = readText(name);
      const ignored = blocks.filter(({ info }) => info.includes("ignore")).length;
      const reasons = [
        ...text.matchAll(/(?:not\s+run\s+as\s+a\s+test|不作为测试运行)[^\n]*(?:\n[^\n]+)*\n\n```ts ignore/g),
      ];
      assertEquals(reasons.length, ignored);
    });
  }
});
