import type { RuntimeName } from "../support/peers/process.ts";
import { runChild } from "./launch.ts";
import { addCounts, type Counts, newCounts } from "./statistics.ts";
import type { RuleName, Violation } from "./violations.ts";

/** Options of a campaign. */
export interface CampaignOptions {
  /** First seed. */
  readonly from: number;
  readonly runs: number;
  /** Processes at a time. */
  readonly jobs: number;
  readonly runtime?: RuntimeName;
  readonly ignored?: readonly RuleName[];
  /** Told from time to time how many runs are over. */
  readonly onProgress?: (runs: number, failed: number) => void;
}

/** What a campaign shows. */
export interface CampaignResult {
  readonly counts: Counts;
  /** Violations by seed, in the order of the seeds. */
  readonly failures: ReadonlyMap<number, readonly Violation[]>;
  readonly seconds: number;
}

/** Runs many seeds, in several processes at a time. */
export async function runCampaign(options: CampaignOptions): Promise<CampaignResult> {
  const { from, runs, jobs, runtime, ignored = [], onProgress } = options;
  const counts = newCounts();
  const failures: [number, readonly Violation[]][] = [];
  const start = performance.now();
  const done = Array<number>(jobs).fill(0);
  const share = (job: number): number => from + Math.floor(runs * job / jobs);
  await Promise.all(
    done.map((_, job) =>
      runChild({ do: "seeds", from: share(job), to: share(job + 1), ignored }, (report) => {
        if (report.is === "violations") failures.push([report.seed, report.violations]);
        else if (report.is === "counts") addCounts(counts, report.counts);
        else if (report.is === "progress") {
          done[job] = report.runs;
          onProgress?.(done.reduce((sum, each) => sum + each), failures.length);
        }
      }, runtime)
    ),
  );
  const sorted = new Map(failures.toSorted(([a], [b]) => a - b));
  return { counts, failures: sorted, seconds: (performance.now() - start) / 1000 };
}
