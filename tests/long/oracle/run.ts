/**
 * One run: a client, a faulty proxy and a server, what happens to them, and the verdict.
 * @module
 */

import { MessageClient, MessageConnectionError } from "../../../mod.ts";
import { FaultyProxy } from "../../support/peers/faulty_proxy.ts";
import { withTimeout } from "../../support/peers/inbox.ts";
import { type Counts, Ledger } from "./ledger.ts";
import { idOf, numbered } from "./messages.ts";
import { type ClientTimes, mayBeSilent, wasKilledReading } from "./promise_b.ts";
import type { FaultName, Scenario, Step } from "./scenario.ts";
import { CLOSE_SLACK, type PythonHosts, ServerStarter, type TestServer } from "./servers.ts";

/** Milliseconds after which a run hangs. */
const LONGEST_RUN = 90_000;
/** Milliseconds that a client may take until it is open again. */
const QUIET_WITHIN = 3000;

/** What is done to the line between both. */
const LINE_FAULTS: Partial<Record<FaultName, (proxy: FaultyProxy, ms: number) => void>> = {
  "reset": (proxy) => proxy.reset(),
  "fin": (proxy) => proxy.finish(),
  "half-open up": (proxy) => proxy.swallow({ up: true, down: false }),
  "half-open down": (proxy) => proxy.swallow({ up: false, down: true }),
  "half-open": (proxy) => proxy.swallow({ up: true, down: true }),
  "stall": (proxy, ms) => proxy.stall(ms),
  "freeze the line": (proxy, ms) => proxy.freeze(ms),
  "cut after 101": (proxy) => proxy.cutNext(),
};

const pause = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms));

class Run {
  readonly #scenario: Scenario;
  readonly #ledger: Ledger;
  readonly #platform: string;
  readonly #servers: ServerStarter;
  readonly #times: ClientTimes = { opened: [], ended: [], passed: new Set(), closedAt: Infinity, killed: [] };
  #server!: TestServer;
  #proxy!: FaultyProxy;
  #client!: MessageClient;
  #isServing = true;
  /** Faults that last follow each other. */
  #faults: Promise<void> = Promise.resolve();
  #number = 0;

  constructor(scenario: Scenario, ledger: Ledger, hosts: PythonHosts | null) {
    this.#scenario = scenario;
    this.#ledger = ledger;
    this.#platform = `p${scenario.seed}`;
    this.#servers = new ServerStarter(this.#platform, scenario, ledger, hosts);
  }

  get #token(): { token?: string } {
    const { token } = this.#scenario.spec;
    return token === null ? {} : { token };
  }

  async run(): Promise<void> {
    await using _servers = this.#servers;
    this.#server = await this.#servers.start();
    await using proxy = this.#proxy = await FaultyProxy.listen(this.#server.port);
    proxy.onText = (text) => {
      const id = /"(c\.\d+)"/.exec(text)?.[1];
      if (id !== undefined) this.#times.passed.add(id);
    };
    const { client } = this.#scenario;
    this.#client = new MessageClient(proxy.url, { platform: this.#platform, ...this.#token, ...client });
    this.#listen(this.#client);
    await this.#client.connect({ retry: true });
    const began = performance.now();
    for (const step of this.#scenario.steps) {
      const rest = began + step.at - performance.now();
      if (rest > 0) await pause(rest);
      this.#step(step);
    }
    await this.#end();
  }

  #listen(client: MessageClient, isIntruder: boolean = false): void {
    const ledger = this.#ledger;
    const handled = (id: string) => {
      // What Python sends has no id: nobody watches it.
      if (this.#scenario.server !== "python") ledger.handled(id, `the ${isIntruder ? "intruder" : "client"}`);
    };
    client.on("message", (message) => handled(idOf(message)));
    client.on("custom", (message) => handled(idOf(message)));
    client.on("invalid", (error) => ledger.broken(`invalid event of a client: ${error.message}`));
    client.on("error", (error) => ledger.broken(`error event of a client: ${error}`));
    if (isIntruder) return;
    client.on("drop", ({ message, reason }) => ledger.dropped(idOf(message), reason));
    let wasOpen = false;
    client.on("status", (status) => {
      const reason = "reason" in status && status.reason !== undefined ? ` (${status.reason.message})` : "";
      ledger.log(`status ${status.state}${reason}`);
      const { opened, ended } = this.#times;
      if (status.state === "open") opened.push(performance.now());
      else if (opened.length > 0 && status.state !== "connecting") ended.push(performance.now());
      if (status.state === "waiting" && wasOpen) ledger.reconnected();
      wasOpen = status.state === "open";
    });
  }

  #step(step: Step): void {
    if (step.do === "send") this.#send(step.count, step.size);
    else if (step.do === "fault") this.#fault(step.fault, step.ms);
    else if (this.#isServing) this.#server.send(this.#platform, step.count);
  }

  #send(count: number, size: number): void {
    for (let index = 0; index < count; index++) {
      const id = `c.${++this.#number}`;
      this.#ledger.sent(id, null);
      const isCustom = this.#number % 3 === 0 && this.#scenario.server !== "python";
      try {
        this.#client.send(numbered(id, this.#platform, size, isCustom));
      } catch (error) {
        this.#ledger.thrown(id, `${error}`);
        if (!(error instanceof MessageConnectionError)) throw error;
      }
    }
  }

  #fault(name: FaultName, ms: number): void {
    const harmLine = LINE_FAULTS[name];
    if (harmLine !== undefined) {
      this.#ledger.fault(name);
      return harmLine(this.#proxy, ms);
    }
    this.#faults = this.#faults.then(async () => {
      if (!this.#isServing) return;
      this.#ledger.fault(name);
      await this.#harmServer(name, ms);
      this.#ledger.log(`${name} is over`);
    });
    this.#faults.catch(() => {}); // awaited at the end
  }

  async #harmServer(name: FaultName, ms: number): Promise<void> {
    const server = this.#server;
    if (name === "peer.close()") server.closePeers();
    else if (name === "newest wins") await this.#intrude(ms);
    else if (name.startsWith("removeToken")) await this.#changeToken(name, ms);
    else if (name === "SIGSTOP") {
      await server.signal?.("SIGSTOP");
      await pause(ms);
      await server.signal?.("SIGCONT");
    } else {
      this.#isServing = false;
      if (name === "SIGKILL and restart") {
        this.#times.killed.push(performance.now());
        await server.signal?.("SIGKILL");
      } else {
        await server.close();
      }
      if (name === "server.close()") return;
      this.#server = await this.#servers.start();
      this.#proxy.target = this.#server.port;
      this.#isServing = true;
    }
  }

  async #changeToken(name: FaultName, ms: number): Promise<void> {
    this.#server.removeToken();
    this.#proxy.finish(); // the token is asked for on the next connection
    if (name === "removeToken") return;
    await pause(Math.min(ms, 20));
    this.#server.addToken();
  }

  /** Another client takes the platform. */
  async #intrude(ms: number): Promise<void> {
    const url = `ws://127.0.0.1:${this.#server.port}/ws`;
    const intruder = new MessageClient(url, { platform: this.#platform, closeTimeout: 500, ...this.#token });
    this.#listen(intruder, true);
    await intruder.connect().catch((error: unknown) => this.#ledger.log(`the intruder fails: ${error}`));
    await pause(Math.min(ms, 100));
    await intruder.close();
  }

  async #end(): Promise<void> {
    const { end: { pause: ms, isQuiet, last, first } } = this.#scenario;
    await pause(ms);
    if (isQuiet && this.#isServing) await this.#quiet();
    this.#send(last, 20);
    if (this.#scenario.server === "python" && first === "server") this.#server.closePeers();
    if (this.#scenario.server === "python" || first === "client") {
      await this.#closeClient();
      await this.#faults;
      await this.#proxy.endAll();
      await this.#closeServer();
    } else if (first === "server" && this.#isServing) {
      await this.#faults;
      await this.#closeServer();
      await this.#closeClient();
    } else {
      const closed = this.#closeClient();
      await this.#faults;
      await Promise.all([closed, this.#closeServer()]);
    }
  }

  /** Waits until the client is open, or closed for good, and everything is confirmed. */
  async #quiet(): Promise<void> {
    const request = new AbortController();
    const timer = setTimeout(() => request.abort(), QUIET_WITHIN);
    try {
      await this.#whenOpen(request.signal);
      const result = await this.#client.flush({ confirmed: true, signal: request.signal });
      if (result === "confirmed") this.#ledger.confirmed();
    } catch (error) {
      if (!request.signal.aborted) throw error;
      this.#ledger.log("there is no quiet");
    } finally {
      clearTimeout(timer);
    }
  }

  async #whenOpen(signal: AbortSignal): Promise<void> {
    const { promise, resolve } = Promise.withResolvers<void>();
    const check = () => {
      const { state } = this.#client.status;
      if (state === "open" || state === "closed" || signal.aborted) resolve();
    };
    const remove = this.#client.on("status", check);
    signal.addEventListener("abort", check);
    check();
    await promise;
    remove();
    signal.throwIfAborted();
  }

  async #closeClient(): Promise<void> {
    this.#ledger.fault("client.close()");
    const began = performance.now();
    await this.#client.close();
    const took = performance.now() - began;
    if (took > this.#scenario.client.closeTimeout + CLOSE_SLACK) this.#ledger.broken(`client.close() took ${took} ms`);
    this.#times.closedAt = performance.now();
    this.#ledger.log("the client is closed");
  }

  async #closeServer(): Promise<void> {
    if (!this.#isServing) return;
    this.#isServing = false;
    if (this.#scenario.server !== "python") this.#ledger.fault("server.close() at the end");
    await this.#server.settled?.();
    await this.#server.close();
    this.#ledger.log("the server is closed");
  }

  judge(counts: Counts): void {
    const isPython = this.#scenario.server === "python";
    this.#ledger.judge(counts, {
      mayResend: this.#scenario.client.outbox.inDoubt === "resend",
      isDiscarded: ({ wasDiscarded }) => wasDiscarded || (isPython && wasKilledReading(this.#times)),
      isAllowed: (entry) => isPython && mayBeSilent(entry, this.#times, this.#proxy, this.#scenario),
    });
  }
}

/** Runs a scenario and adds what came of it to the counts. */
export async function runScenario(scenario: Scenario, hosts: PythonHosts | null, counts: Counts): Promise<Ledger> {
  const ledger = new Ledger();
  const run = new Run(scenario, ledger, hosts);
  try {
    await withTimeout(run.run(), LONGEST_RUN, () => `the end of run ${scenario.seed}`);
  } catch (error) {
    ledger.broken(`the run failed: ${error instanceof Error ? error.stack : error}`);
  }
  run.judge(counts);
  return ledger;
}
