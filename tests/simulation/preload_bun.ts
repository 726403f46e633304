/**
 * A plugin for Bun: what imports `runtime/mod.ts` gets the simulated runtime.
 * @module
 */

import { fileURLToPath } from "node:url";

interface Builder {
  onLoad(options: { filter: RegExp }, load: () => { contents: string; loader: "ts" }): void;
}
declare const Bun: { plugin(options: { name: string; setup(build: Builder): void }): void };

const simulated = JSON.stringify(fileURLToPath(new URL("runtime.ts", import.meta.url)));

Bun.plugin({
  name: "simulated runtime",
  setup(build) {
    build.onLoad({ filter: /[/\\]runtime[/\\]mod\.ts$/ }, () => ({
      contents: `export { runtime } from ${simulated};`,
      loader: "ts",
    }));
  },
});
