/**
 * Attacks, one after another, each on a fresh server that a healthy peer is talking to throughout.
 * @module
 */

import { Healthy } from "./healthy.ts";
import { pause } from "./pause.ts";
import type { AttackerAnswers } from "./programs/attacker.ts";
import type { Lap } from "./programs/probe.ts";
import { type Check, count, mib, ms, type SoakContext, type SoakReport } from "./scenario.ts";
import { Target } from "./target.ts";
import type { Worker } from "./worker.ts";

const SECONDS = 30;
const QUIET_SECONDS = 3;
/** An attack that takes longer is stuck. */
const LIMIT_MS = 180_000;
const TOKEN = "right";

/** The attacks of `programs/attacker.ts`, as the table calls them. */
const ATTACKS: Readonly<Record<string, string>> = {
  trickle: "handshakes that trickle",
  headerBombs: "header bombs",
  guesses: "10,000 bad tokens, one address",
  spreadGuesses: "10,000 bad tokens, 20 addresses",
  streams: "tokens guessed while streaming, 20 callers",
  badFrames: "100,000 bad frames",
  binaryFrames: "100,000 binary frames",
  deepLists: "lists 10,000 deep, 100 times",
  deepJson: "free JSON 10,000 deep, 100 times",
  manySegments: "a million segments, 3 times",
  giant: "600 MB in fragments",
};

/** What callers can bring about, of the figures the server keeps. */
const FIGURES = ["invalid", "unauthorized", "limited", "dropped", "foreign"];

const COLUMNS = [
  "attack",
  "took",
  "what became of the attacker",
  "server counted",
  "healthy: echoes, failed",
  "healthy: p99 before / during (max)",
  "RSS before / peak / after",
  "server after",
];

/** What was seen. */
interface Outcome {
  readonly fate: string;
  readonly seconds: number;
  readonly figures: string;
  readonly before: Lap;
  readonly during: Lap;
  readonly rss: readonly [before: number, peak: number, after: number];
  readonly isWelcoming: boolean;
  /** Connections that are still counted, without the healthy one. */
  readonly left: number;
  /** Messages that reached the server beyond those of the healthy peer. */
  readonly excess: number;
}

async function observe(name: string, { children, runtime, seconds = SECONDS }: SoakContext): Promise<Outcome> {
  await using target = await Target.start(children, runtime, TOKEN);
  await using attacker: Worker<AttackerAnswers> = children.load("attacker");
  await using healthy = await Healthy.start(children, target);
  const before = await healthy.quiet(QUIET_SECONDS);
  const earlier = await target.figures();
  const { vitals } = target;
  vitals.resetPeak();
  const rss = vitals.rss;
  const start = performance.now();
  const victim = { url: target.url, token: TOKEN, seconds };
  const timeoutMs = seconds * 1000 + LIMIT_MS;
  const fate = await attacker.ask("attack", { name, victim }, { timeoutMs }).catch((error: unknown) => `? ${error}`);
  const taken = (performance.now() - start) / 1000;
  const during = await healthy.lap();
  const later = await target.figures();
  await pause(QUIET_SECONDS * 1000);
  const more = (figure: string): number => (later[figure] ?? NaN) - (earlier[figure] ?? NaN);
  return {
    fate,
    seconds: taken,
    figures: FIGURES.filter((figure) => more(figure) !== 0).map((figure) => `${count(more(figure))} ${figure}`).join(
      ", ",
    ),
    before,
    during,
    rss: [rss, vitals.peak, vitals.rss],
    isWelcoming: await target.welcomes(),
    left: await target.settled("connections", 1, 2000) - 1,
    excess: more("received") - during.echoed - during.failed,
  };
}

function row(title: string, { fate, seconds, figures, before, during, rss, isWelcoming, left }: Outcome): string[] {
  return [
    title,
    `${seconds.toFixed(1)} s`,
    fate.replaceAll("|", "/"),
    figures,
    `${count(during.echoed)}, ${during.failed}`,
    `${ms(before.p99)} / ${ms(during.p99)} (${ms(during.max)}) ms`,
    `${rss.map(mib).join(" / ")} MiB`,
    `${
      isWelcoming ? "alive, lets newcomers in" : "does not let newcomers in"
    }; ${left} connections of the attacker left`,
  ];
}

/** Echoes of the healthy peer that fall between two readings of figures. */
const SLACK = 100;

function checksOf(name: string, title: string, { fate, during, isWelcoming, excess }: Outcome): Check[] {
  const checks = [
    { what: `${title}: the attack was carried out`, isKept: !fate.startsWith("?") },
    { what: `${title}: the healthy peer was answered throughout`, isKept: during.failed === 0 && during.echoed > 0 },
    { what: `${title}: the server is alive and lets newcomers in`, isKept: isWelcoming },
  ];
  if (name === "streams") checks.push({ what: `${title}: nothing they sent was read`, isKept: excess < SLACK });
  return checks;
}

/** Runs all of them. */
export async function attacks(context: SoakContext): Promise<SoakReport> {
  const rows: string[][] = [];
  const checks: Check[] = [];
  for (const [name, title] of Object.entries(ATTACKS)) {
    try {
      const outcome = await observe(name, context);
      rows.push(row(title, outcome));
      checks.push(...checksOf(name, title, outcome));
    } catch (error) {
      // The server is gone, or something waited for did not happen: the other attacks go on.
      rows.push([
        title,
        "",
        `could not be observed to the end: ${error}`.split("\n", 1)[0] ?? "",
        ...Array(5).fill("-"),
      ]);
      checks.push({ what: `${title}: it was observed to the end: ${error}`, isKept: false });
    }
    context.say(rows.at(-1)?.join(" | ") ?? "");
  }
  return { columns: COLUMNS, rows, checks };
}
