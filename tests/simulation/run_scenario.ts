import { judge } from "./verdict.ts";
import type { Scenario } from "./scenario_types.ts";
import { begin, sim, Simulation } from "./simulation.ts";
import { type Counts, newCounts } from "./statistics.ts";
import { Random } from "./random.ts";
import type { RuleName, Violation } from "./violations.ts";
import { World } from "./world.ts";

/** What a run shows. */
export interface RunResult {
  readonly violations: readonly Violation[];
  /** Empty unless the run is traced. */
  readonly trace: readonly string[];
}

/** Options of a run. */
export interface RunOptions {
  readonly counts?: Counts;
  readonly ignored?: ReadonlySet<RuleName>;
  readonly isTraced?: boolean;
}

const NOTHING_IGNORED: ReadonlySet<RuleName> = new Set();

/** Runs one scenario to its end and judges it. Only one run at a time. */
export async function runScenario(scenario: Scenario, options: RunOptions = {}): Promise<RunResult> {
  const { counts = newCounts(), ignored = NOTHING_IGNORED, isTraced = false } = options;
  const world = new World(scenario, counts, ignored);
  const { oracle } = world;
  const textReceived = oracle.textReceived.bind(oracle);
  oracle.textReceived = (text, connection, isFromClient) => {
    textReceived(text, connection, isFromClient);
    if (isFromClient) { for (const server of world.servers) server.textReceived(text, connection); }
  };
  begin(new Simulation(scenario.seed, scenario.network, oracle, isTraced));
  const restore = replaceGlobals(scenario.seed, oracle);
  try {
    world.start();
    await sim.run(Infinity);
    judge(world, scenario, counts);
  } finally {
    restore();
  }
  counts.runs++;
  counts.events += sim.events;
  return { violations: oracle.violations, trace: sim.trace.lines };
}

/** The time of day, `Math.random` and the console are the run's own while it lasts. */
function replaceGlobals(seed: number, oracle: World["oracle"]): () => void {
  const { random } = Math;
  const { now } = Date;
  const { error } = console;
  Math.random = new Random(seed ^ 0x5bd1e995).next;
  Date.now = () => 1_800_000_000_000 + Math.floor(sim.now);
  // deno-lint-ignore no-console -- the library prints there what nobody listens to.
  console.error = (...args) => oracle.broken("console", args.join(" "));
  return () => {
    Math.random = random;
    Date.now = now;
    // deno-lint-ignore no-console
    console.error = error;
  };
}
