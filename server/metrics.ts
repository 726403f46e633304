import { plain } from "./admission.ts";
import type { ServerStats } from "./events.ts";

/** Name, kind and meaning of each figure. Nothing of a message or a token is among them. */
const FIGURES: { readonly [Name in keyof ServerStats]: readonly [kind: "gauge" | "counter", help: string] } = {
  peers: ["gauge", "Connections that are let in now"],
  connections: ["gauge", "Sockets that are not gone yet"],
  queuedBytes: ["gauge", "Bytes queued to all connections"],
  received: ["counter", "Messages received"],
  sent: ["counter", "Messages sent, once per connection"],
  invalid: ["counter", "Frames that were not messages"],
  foreign: ["counter", "Messages for another platform than their connection's"],
  unauthorized: ["counter", "Callers refused for their token"],
  dropped: ["counter", "Messages dropped, as their peer does not read"],
  limited: ["counter", "Times a limit was reached"],
};

/** Writes figures in the text format of Prometheus. */
export function metricsText(stats: ServerStats): string {
  const names = Object.keys(FIGURES) as (keyof ServerStats)[];
  return names.map((name) => {
    const [kind, help] = FIGURES[name];
    const snake = name.replace(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`);
    const full = `maim_${snake}${kind === "counter" ? "_total" : ""}`;
    return `# HELP ${full} ${help}\n# TYPE ${full} ${kind}\n${full} ${stats[name]}\n`;
  }).join("");
}

/** Answers `/metrics` and `/health`. */
export function answerMetrics(request: Request, stats: () => ServerStats): Response {
  const path = URL.parse(request.url)?.pathname;
  if (path === "/health") return plain(200, "ok");
  if (path !== "/metrics") return plain(404, "Nothing here; see /metrics and /health");
  return new Response(metricsText(stats()), {
    headers: { "content-type": "text/plain; version=0.0.4; charset=utf-8" },
  });
}
