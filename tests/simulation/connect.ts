import { End } from "./end.ts";
import { ServerEnd } from "./server_socket.ts";
import { sim } from "./simulation.ts";

/** Milliseconds after which a lost packet of a TCP handshake is sent again; doubled each time. */
const SYN_RETRY = 1000;
const MAX_SYN_RETRIES = 6;

/** Opens TCP to the listener of a URL. A listener whose process is frozen answers, too: its kernel does. */
export function connectTcp(client: End, url: string, connected: () => void, failed: (error: Error) => void): void {
  const port = Number(new URL(url).port);
  const { latency, jitter } = sim.network;
  const attempt = (retries: number): void => {
    sim.schedule(latency + sim.random.next() * jitter, null, () => {
      if (client.isGone) return;
      if (sim.now < sim.outageUntil) {
        if (retries < MAX_SYN_RETRIES) sim.schedule(SYN_RETRY * 2 ** retries, null, () => attempt(retries + 1));
        else sim.schedule(0, client.process, () => failed(new Error("tcp connect error: timed out")));
        return;
      }
      const listening = sim.listeners.get(port);
      if (listening === undefined) {
        return void sim.schedule(latency, client.process, () => failed(new Error("tcp connect error")));
      }
      const server = new ServerEnd(listening);
      End.join(client, server);
      sim.onJoin(client, server);
      sim.schedule(latency, client.process, () => {
        if (!client.isGone) connected();
      });
    });
  };
  attempt(0);
}
