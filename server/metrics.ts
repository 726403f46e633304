import { textResponse } from "./admission.ts";
import type { ServerStats } from "./events.ts";

/** Type and description of each metric. No metric shows any part of a message or of a token. */
const METRICS: { readonly [Name in keyof ServerStats]: readonly [type: "gauge" | "counter", help: string] } = {
  peers: ["gauge", "Connections that were accepted and are open"],
  connections: ["gauge", "Sockets that still exist"],
  turnedOut: ["gauge", "Sockets that still exist although the server has refused or closed them"],
  authorizing: ["gauge", "Callers about whom authorize has not decided yet"],
  queuedBytes: ["gauge", "Bytes queued to all connections"],
  transferBytes: ["gauge", "Characters in memory of large messages that are still arriving"],
  received: ["counter", "Messages received"],
  sent: ["counter", "Messages sent, counted once for each connection"],
  invalid: ["counter", "Frames received that were not messages"],
  foreign: ["counter", "Messages received for another platform than that of their connection"],
  refused: ["counter", "Callers refused, for any cause"],
  unauthorized: ["counter", "Callers refused because of their token, or by authorize"],
  dropped: ["counter", "Messages dropped"],
  limited: ["counter", "Number of times that a limit was reached"],
};

/** Writes metrics in the text format of Prometheus. */
export function metricsText(stats: ServerStats): string {
  const names = Object.keys(METRICS) as (keyof ServerStats)[];
  return names.map((name) => {
    const [type, help] = METRICS[name];
    const snake = name.replace(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`);
    const full = `maim_${snake}${type === "counter" ? "_total" : ""}`;
    return `# HELP ${full} ${help}\n# TYPE ${full} ${type}\n${full} ${stats[name]}\n`;
  }).join("");
}

/** Answers `/metrics` and `/health`. */
export function answerMetrics(request: Request, stats: () => ServerStats): Response {
  const path = URL.parse(request.url)?.pathname;
  if (path === "/health") return textResponse(200, "ok");
  if (path !== "/metrics") return textResponse(404, "Not found; see /metrics and /health");
  return new Response(metricsText(stats()), {
    headers: { "content-type": "text/plain; version=0.0.4; charset=utf-8" },
  });
}
