import { assert, assertEquals } from "@std/assert";
import { describe, it } from "@std/testing/bdd";

import { currentRuntime } from "../support/peers/process.ts";
import { runCampaign } from "./campaign.ts";
import { KEPT } from "./kept.ts";
import { runChild } from "./launch.ts";
import { drawScenario } from "./scenario.ts";
import type { Scenario, Step, Who } from "./scenario_types.ts";
import type { ChildReport } from "./task.ts";
import { RULES } from "./violations.ts";

const RUNS = 5000;
/** Processes at a time. */
const JOBS = 2;

type RunReport = ChildReport & { is: "run" };

/** Runs one scenario in a process of its own. */
async function runOne(scenario: Scenario): Promise<RunReport> {
  const reports: RunReport[] = [];
  const add = (report: ChildReport): void => {
    if (report.is === "run") reports.push(report);
  };
  await runChild({ do: "one", seed: scenario.seed, scenario }, add, currentRuntime);
  const [report] = reports;
  assert(report !== undefined, "the process reports a run");
  return report;
}

describe("Simulation", () => {
  it(`of ${RUNS} seeds keeps all rules`, async () => {
    const { counts, failures } = await runCampaign({
      from: 1,
      runs: RUNS,
      jobs: JOBS,
      runtime: currentRuntime,
      ignored: [],
    });
    const shown = [...failures].slice(0, 5).map(([seed, [first]]) => `deno task sim --seed=${seed}: ${first?.text}`);
    assertEquals(shown, []);
    assertEquals(counts.runs, RUNS);
    const holes = Object.entries(counts.faults).filter(([, { reports, reconnects }]) => reports + reconnects === 0);
    assertEquals(holes.map(([name]) => name), [], "these faults change nothing: the model has a hole");
  });

  it("without faults loses nothing, reports nothing and loses no connection", async () => {
    const send = (at: number, who: Who): Step => ({ at, do: "send", who, count: 20, size: 30, how: "send", to: "qq" });
    const scenario: Scenario = {
      ...drawScenario(1),
      server: { kind: "ours", flavour: "deno", options: {}, handlers: {} },
      clients: [{ platform: "qq", flavour: "bun", options: {}, handlers: {} }],
      steps: [500, 550, 2500].flatMap((at) => [send(at, 0), send(at, "server")]),
      endAt: 5000,
    };
    const { violations, trace } = await runOne(scenario);
    assertEquals(violations, []);
    assertEquals(trace.filter((line) => / handled \d/.test(line)).length, 120);
    assertEquals(trace.filter((line) => / drop \d| status waiting/.test(line)), []);
  });

  it("repeats a seed exactly", async () => {
    const scenario = drawScenario(22);
    const [first, second] = [await runOne(scenario), await runOne(scenario)];
    assert(first.trace.length > 50, "something happens");
    assertEquals(first, second);
  });
});

describe("Kept scenario", () => {
  for (const { name, rule, what, scenario } of KEPT) {
    it(`${name}: ${what}`, async () => {
      const { violations } = await runOne(scenario);
      assertEquals([...new Set(violations.map((violation) => violation.rule))], [], RULES[rule]);
    });
  }
});
