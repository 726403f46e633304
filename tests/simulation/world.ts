import { ClientEnd } from "./client_socket.ts";
import { ClientNode } from "./client_node.ts";
import type { End } from "./end.ts";
import { Intruder } from "./intruder.ts";
import { Oracle } from "./oracle.ts";
import type { Process } from "./process.ts";
import { PythonServer } from "./python_server.ts";
import { OurServer } from "./server_node.ts";
import type { Direction, Scenario, Step, Who } from "./scenario_types.ts";
import { sim } from "./simulation.ts";
import { type Counts, faultIn } from "./statistics.ts";
import type { RuleName } from "./violations.ts";

/** A server of a run: ours, or the model of the Python server. */
export interface ServerNode {
  readonly process: Process;
  /** Calls that have not come to an end. */
  readonly pending: readonly string[];
  send(count: number, size: number, how: "send" | "custom" | "broadcast" | "peer", to: string): void;
  textReceived(text: string, connection: number): void;
  closePeer(platform: string, code: number): void;
  removeToken(): void;
  close(): Promise<void>;
}

const PORT = 18_000;
const URL_OF_SERVER = `ws://10.0.0.1:${PORT}/ws`;
/** Milliseconds that the clients get to close before the server closes at the end of a run. */
const LAST_PAUSE = 20_000;

/** Everything that takes part in a run, and what is done to it. */
export class World {
  readonly oracle: Oracle;
  readonly #scenario: Scenario;
  readonly #counts: Counts;
  readonly #clients: (ClientNode | null)[] = [];
  /** Clients of the next dial whose hello is cut off. */
  readonly #cutsHello = new Map<Process, "this" | "both">();
  /** Connections of intruders. */
  readonly intrusions: Set<number> = new Set();
  readonly #intruders = Intruder.newProcess();
  readonly all: ClientNode[] = [];
  readonly servers: ServerNode[] = [];
  #server: ServerNode | null = null;
  #isStarting = false;
  #lives = 0;
  #lastFault = "none";

  constructor(scenario: Scenario, counts: Counts, ignored: ReadonlySet<RuleName>) {
    this.#scenario = scenario;
    this.#counts = counts;
    this.oracle = new Oracle(ignored);
  }

  /** Plans the whole run; `Simulation.run` then lets it happen. */
  start(): void {
    const { clients, steps, endAt } = this.#scenario;
    sim.onJoin = (client, server) => this.#joined(client, server);
    this.#startServer();
    clients.forEach((_, index) => this.#startClient(index));
    for (const step of steps) sim.schedule(step.at, null, () => this.#perform(step));
    sim.schedule(endAt, null, () => {
      for (const node of this.#clients) this.#closeClient(node);
      this.#intruders.kill();
    });
    sim.schedule(endAt + LAST_PAUSE, null, () => {
      for (const node of this.all) if (node.process.isAlive) this.#closeClient(node);
      this.#closeServer();
    });
  }

  /** A message was reported as dropped. */
  reported(): void {
    faultIn(this.#counts, this.#lastFault).reports++;
  }

  /** A client waits for its next attempt to connect. */
  reconnected(): void {
    faultIn(this.#counts, this.#lastFault).reconnects++;
  }

  #joined(client: End, server: End): void {
    if (client instanceof Intruder) this.intrusions.add(client.connection);
    const directions = client instanceof ClientEnd ? this.#cutsHello.get(client.process) : undefined;
    if (directions === undefined) return;
    this.#cutsHello.delete(client.process);
    server.out?.cutAfterResponse(directions);
  }

  // ---- lives

  #startServer(): void {
    if (this.#server !== null || this.#isStarting) return;
    this.#isStarting = true;
    const { server: spec } = this.#scenario;
    const name = `server.${this.#lives++}`;
    const process = spec.kind === "ours" ? OurServer.newProcess(name, spec) : PythonServer.newProcess(name);
    sim.schedule(0, process, () => {
      sim.log(name, () => "starts");
      const node = spec.kind === "ours"
        ? new OurServer(this, spec, process, PORT)
        : new PythonServer(this, spec, process, PORT);
      this.#server = node;
      this.#isStarting = false;
      this.servers.push(node);
    });
  }

  #startClient(index: number): void {
    const spec = this.#scenario.clients[index];
    if (spec === undefined) return;
    const process = ClientNode.newProcess(`client${index}.${this.#lives++}`, spec);
    sim.schedule(1, process, () => {
      sim.log(process.name, () => "starts");
      const node = new ClientNode(this, spec, process, URL_OF_SERVER);
      this.#clients[index] = node;
      this.all.push(node);
    });
  }

  #closeClient(node: ClientNode | null | undefined): void {
    if (node && !node.isClosed) sim.schedule(0, node.process, () => void (node.isClosed || node.close()));
  }

  #closeServer(): ServerNode | null {
    const server = this.#server;
    this.#server = null;
    if (server !== null) sim.schedule(0, server.process, () => void server.close());
    return server;
  }

  #kill(process: Process): void {
    this.oracle.killed.add(process.name);
    process.kill();
    if (sim.listeners.get(PORT)?.process === process) sim.listeners.delete(PORT);
  }

  // ---- steps

  #processOf(who: Who): Process | null {
    return who === "server" ? this.#server?.process ?? null : this.#clients[who]?.process ?? null;
  }

  /** The WebSocket that a client has now. */
  #endOf(who: number): ClientEnd | null {
    const ends = [...this.#clients[who]?.process.sockets ?? []].filter((end) => end instanceof ClientEnd);
    return ends.findLast(({ connection }) => connection > 0) ?? null;
  }

  #perform(step: Step): void {
    sim.log("STEP", () => JSON.stringify(step));
    if (step.do !== "send" && step.do !== "flush") {
      this.#lastFault = step.do;
      faultIn(this.#counts, step.do).drawn++;
    }
    switch (step.do) {
      case "send":
        return this.#send(step);
      case "flush": {
        const node = this.#clients[step.who];
        if (node) sim.schedule(0, node.process, () => node.flush());
        return;
      }
      case "close":
        return this.#closeClient(this.#clients[step.who]);
      case "newClient":
        this.#closeClient(this.#clients[step.who]);
        return this.#startClient(step.who);
      case "closeServer":
        return void this.#closeServer();
      case "restartServer":
        this.#closeServer();
        return void sim.schedule(step.pause, null, () => this.#startServer());
      case "intruders":
        for (let left = step.count; left > 0; left--) new Intruder(this.#intruders, URL_OF_SERVER);
        return;
      case "removeToken":
        return this.#inServer((server) => server.removeToken());
      case "closePeer": {
        const { platform } = this.#scenario.clients[step.who] ?? {};
        return this.#inServer((server) => server.closePeer(platform ?? "", step.code));
      }
      case "kill":
        return this.#killStep(step.who, step.pause);
      case "freeze":
        return this.#processOf(step.who)?.freeze(sim.now, step.ms);
      case "slow":
        return this.#slow(step.who, step.delay, step.ms);
      default:
        return this.#performInNetwork(step);
    }
  }

  #performInNetwork(step: Step & { do: "cut" | "cutHello" | "reset" | "fin" | "outage" | "stall" }): void {
    switch (step.do) {
      case "cut":
        return this.#cut(this.#endOf(step.who), step.direction, step.losesInFlight);
      case "cutHello": {
        const process = this.#processOf(step.who);
        if (process !== null) this.#cutsHello.set(process, step.direction === "both" ? "both" : "this");
        return;
      }
      case "reset":
      case "fin":
        return this.#breakByMiddlebox(this.#endOf(step.who), step.do);
      case "outage":
        sim.outageUntil = Math.max(sim.outageUntil, sim.now + step.ms);
        for (const node of this.all) this.#cutAll(node);
        return;
      case "stall":
        for (const node of this.all) {
          for (const end of node.process.sockets) {
            (end as End).out?.stall(step.ms);
            (end as End).in?.stall(step.ms);
          }
        }
    }
  }

  #inServer(action: (server: ServerNode) => void): void {
    const server = this.#server;
    if (server !== null) sim.schedule(0, server.process, () => action(server));
  }

  #send({ who, count, size, how, to }: Step & { do: "send" }): void {
    if (who === "server") return this.#inServer((server) => server.send(count, size, how, to ?? ""));
    const node = this.#clients[who];
    if (node) sim.schedule(0, node.process, () => node.send(count, size, how === "custom" ? how : "send"));
  }

  #killStep(who: Who, pause: number | null): void {
    const process = this.#processOf(who);
    if (process === null) return;
    this.#kill(process);
    if (who === "server") {
      this.#server = null;
      if (pause !== null) sim.schedule(pause, null, () => this.#startServer());
    } else {
      this.#clients[who] = null;
      if (pause !== null) sim.schedule(pause, null, () => this.#startClient(who));
    }
  }

  #slow(who: Who, delay: number, ms: number): void {
    const process = this.#processOf(who);
    if (process === null) return;
    process.readDelay = delay;
    sim.schedule(ms, null, () => process.readDelay = 0);
  }

  #cut(end: ClientEnd | null, direction: Direction, losesInFlight: boolean): void {
    if (direction !== "down") end?.out?.cut(losesInFlight);
    if (direction !== "up") end?.in?.cut(losesInFlight);
  }

  #cutAll(node: ClientNode): void {
    for (const end of node.process.sockets) {
      (end as End).out?.cut(true);
      (end as End).in?.cut(true);
    }
  }

  /** Something between both sides ends TCP, towards both of them. */
  #breakByMiddlebox(end: ClientEnd | null, how: "fin" | "reset"): void {
    if (end === null) return;
    const [out, into] = [end.out, end.in];
    if (how === "reset") {
      out?.reset();
      into?.reset();
    } else {
      out?.finish();
      into?.finish();
    }
  }
}
