import { assertEquals } from "@std/assert";
import { describe, it } from "@std/testing/bdd";

import { filesIn, publishedModules, publishedPages, readText } from "./package.ts";
import { type Job, listJobs } from "./runner/jobs.ts";
import { countResults, formatCounts, formatSeconds, readReport } from "./runner/results.ts";

const DENO_REPORT = `<?xml version="1.0" encoding="UTF-8"?>
<testsuites name="deno test" tests="4" failures="1" errors="1" time="0.033">
    <testsuite name="./a_test.ts" tests="4" disabled="1" errors="1" failures="1">
        <testcase name="a &lt;b&gt; &amp; &quot;c&quot;" classname="./a_test.ts" time="0.5" line="1" col="6">
        </testcase>
        <testcase name="fails" classname="./a_test.ts" time="0.000" line="2" col="6">
            <failure message="Uncaught Error: &lt;testcase&gt;">Error: &lt;/testcase&gt;</failure>
        </testcase>
        <testcase name="waits" classname="./a_test.ts" time="0.000" line="3" col="11">
            <skipped/>
        </testcase>
        <testcase name="is cancelled" classname="./a_test.ts" time="0.000" line="5" col="6">
            <error message="Cancelled"/>
        </testcase>
    </testsuite>
</testsuites>`;

const BUN_REPORT = `<?xml version="1.0" encoding="UTF-8"?>
<testsuites name="bun test" tests="3" assertions="0" failures="1" skipped="1" time="0.008951995">
  <testsuite name="a_test.ts" file="a_test.ts" tests="3" assertions="0" failures="1" skipped="1" time="0.1" hostname="vm">
    <testcase name="two&#10;lines" classname="" time="0.00003" file="a_test.ts" line="2" assertions="0" />
    <testcase name="fails" classname="" time="0.000113" file="a_test.ts" line="3" assertions="0">
      <failure type="Error" message="x">Error: x&#10;      at a_test.ts:3:49&#10;</failure>
    </testcase>
    <testcase name="waits" classname="" time="0" file="a_test.ts" line="4" assertions="0">
      <skipped />
    </testcase>
  </testsuite>
</testsuites>`;

describe("readReport()", () => {
  it("reads what deno test writes", () => {
    assertEquals(readReport(DENO_REPORT), [
      { name: 'a <b> & "c"', outcome: "passed", seconds: 0.5 },
      { name: "fails", outcome: "failed", seconds: 0 },
      { name: "waits", outcome: "skipped", seconds: 0 },
      { name: "is cancelled", outcome: "failed", seconds: 0 },
    ]);
  });

  it("reads what bun test writes", () => {
    assertEquals(readReport(BUN_REPORT), [
      { name: "two\nlines", outcome: "passed", seconds: 0.00003 },
      { name: "fails", outcome: "failed", seconds: 0.000113 },
      { name: "waits", outcome: "skipped", seconds: 0 },
    ]);
  });

  it("reads nothing from a report that was never written", () => {
    assertEquals(readReport(""), []);
  });
});

describe("formatCounts()", () => {
  it("names skipped tests only if there are some", () => {
    const counts = { passed: 2, failed: 0, skipped: 0 };
    assertEquals(formatCounts(counts), "2 passed, 0 failed");
    assertEquals(formatCounts({ ...counts, skipped: 4 }), "2 passed, 0 failed, 4 skipped");
    assertEquals(formatCounts(countResults(readReport(DENO_REPORT))), "1 passed, 2 failed, 1 skipped");
  });
});

describe("formatSeconds()", () => {
  for (const [seconds, text] of [[0.04, "0.0 s"], [9.94, "9.9 s"], [59.4, "59 s"], [59.6, "1 min 0 s"]] as const) {
    it(`writes ${seconds} as ${text}`, () => assertEquals(formatSeconds(seconds), text));
  }
});

describe("listJobs()", () => {
  const RUNTIMES = ["deno", "bun"] as const;
  const filesOf = (jobs: readonly Job[]): string[] => jobs.flatMap(({ files }) => files);

  it("runs every test file of the repository in both runtimes: the peers' ones apart", () => {
    const all = filesIn("tests").filter((path) => path.endsWith("_test.ts"));
    const jobs = [false, true].flatMap((isPeers) => listJobs({ files: [], runtimes: RUNTIMES, isPeers }));
    const tests = filesOf(jobs.filter(({ isDoc }) => !isDoc));
    assertEquals(tests.toSorted(), [...all, ...all].toSorted());
  });

  it("runs the examples of every published module and page that has one, in Deno", () => {
    const jobs = listJobs({ files: [], runtimes: RUNTIMES, isPeers: false }).filter(({ isDoc }) => isDoc);
    assertEquals([...new Set(jobs.map(({ runtime }) => runtime))], ["deno"]);
    const files = [...publishedModules, ...publishedPages];
    const withExamples = files.filter((path) => /```ts\n/.test(readText(path)));
    assertEquals(filesOf(jobs).toSorted(), withExamples.toSorted());
  });

  it("runs only the files given, in the runtimes given", () => {
    const jobs = listJobs({ files: ["tests/a_test.ts", "README.md"], runtimes: ["deno"], isPeers: false });
    assertEquals(jobs.map(({ name }) => name), ["deno tests/a_test.ts", "deno examples in README.md"]);
    assertEquals(listJobs({ files: ["README.md"], runtimes: ["bun"], isPeers: false }), []);
  });
});
