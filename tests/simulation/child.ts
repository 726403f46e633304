/**
 * The process that runs simulations. `launch.ts` starts it so that `runtime/mod.ts` is the simulated runtime.
 * @module
 */
import { drawScenario } from "./scenario.ts";
import { runScenario } from "./run_scenario.ts";
import { newCounts, faultTable } from "./statistics.ts";

const [from, to] = [Number(Deno.args[0]), Number(Deno.args[1])];
const only = Deno.args[2];
const counts = newCounts();
const t=performance.now();
const by: Record<string, number[]> = {};
for (let seed=from; seed<to; seed++) {
  const {violations, trace} = await runScenario(drawScenario(seed), {counts, isTraced: only==="trace"});
  for (const rule of new Set(violations.map(v=>v.rule))) (by[rule]??=[]).push(seed);
  if (only==="trace") { console.log(JSON.stringify(drawScenario(seed),null,1)); console.log(trace.join("\n")); console.log(violations); }
}
console.log((performance.now()-t)/(to-from), "ms/run", counts);
console.log(faultTable(counts).join("\n"));
for (const [r,s] of Object.entries(by)) console.log(r, s.length, s.slice(0,12).join(" "));
