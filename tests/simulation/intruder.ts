import { connectTcp } from "./connect.ts";
import { End } from "./end.ts";
import { FLAVOURS } from "./flavour.ts";
import type { Frame } from "./frames.ts";
import { Process } from "./process.ts";

const NAME = "intruder";

/** A caller with a wrong token that ignores the close frame and keeps its socket. */
export class Intruder extends End {
  constructor(process: Process, url: string) {
    super(process);
    const headers = { platform: NAME, authorization: "guessed", upgrade: "websocket" };
    const request = { kind: "request", head: { url, headers } } as const;
    connectTcp(this, url, () => this.write(request), () => this.forget());
  }

  static newProcess(): Process {
    return new Process(NAME, FLAVOURS.bun);
  }

  receive(frame: Frame): void {
    if (frame.kind === "reset") this.forget();
  }
}
