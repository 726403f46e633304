import type { Scenario, Step } from "./scenario_types.ts";
import { runScenario } from "./run_scenario.ts";
import type { RuleName } from "./violations.ts";

type Change = (scenario: Scenario) => Scenario[];

function without<T>(list: readonly T[], index: number): T[] {
  return list.filter((_, other) => other !== index);
}

function withClient(scenario: Scenario, index: number, change: object): Scenario {
  const clients = scenario.clients.map((client, other) => other === index ? { ...client, ...change } : client);
  return { ...scenario, clients };
}

const fewerSteps: Change = (scenario) =>
  scenario.steps.map((_, index) => ({ ...scenario, steps: without(scenario.steps, index) }));

const fewerClients: Change = (scenario) => {
  const last = scenario.clients.length - 1;
  const isUsed = scenario.steps.some((step) => "who" in step && step.who === last);
  return last === 0 || isUsed ? [] : [{ ...scenario, clients: scenario.clients.slice(0, last) }];
};

/** Options and handlers go one at a time. */
const fewerOptions: Change = (scenario) => {
  const of = <T extends object>(group: T): T[] =>
    Object.keys(group).map((name) =>
      Object.fromEntries(Object.entries(group).filter(([other]) => other !== name)) as T
    );
  const { server } = scenario;
  const clients = scenario.clients.flatMap(({ options, handlers }, index) => [
    ...of(options).map((fewer) => withClient(scenario, index, { options: fewer })),
    ...of(handlers).map((fewer) => withClient(scenario, index, { handlers: fewer })),
  ]);
  if (server.kind !== "ours") return clients;
  return [
    ...clients,
    ...of(server.options).map((options) => ({ ...scenario, server: { ...server, options } })),
    ...of(server.handlers).map((handlers) => ({ ...scenario, server: { ...server, handlers } })),
  ];
};

const smallerSends: Change = (scenario) =>
  scenario.steps.flatMap((step, index) => {
    if (step.do !== "send") return [];
    const put = (changed: Step): Scenario => ({ ...scenario, steps: scenario.steps.with(index, changed) });
    return [
      ...(step.count > 1 ? [put({ ...step, count: Math.ceil(step.count / 2) })] : []),
      ...(step.size > 1 ? [put({ ...step, size: 1 })] : []),
      ...(step.how === "send" ? [] : [put({ ...step, how: "send" })]),
    ];
  });

const plainNetwork: Change = (scenario) => {
  const { network } = scenario;
  const plain = { jitter: 0, latency: 1, bandwidth: 100_000, byteScale: 1, resetsDiscard: false } as const;
  return Object.entries(plain)
    .filter(([name, value]) => network[name as keyof typeof plain] !== value)
    .map(([name, value]) => ({ ...scenario, network: { ...network, [name]: value } }));
};

const CHANGES: readonly Change[] = [fewerSteps, fewerClients, fewerOptions, smallerSends, plainNetwork];

/** Takes away from a scenario whatever is not needed to break a rule. */
export async function shrink(scenario: Scenario, rule: RuleName): Promise<Scenario> {
  const breaks = async (candidate: Scenario): Promise<boolean> =>
    (await runScenario(candidate)).violations.some((violation) => violation.rule === rule);
  let smallest = scenario;
  for (let hasChanged = true; hasChanged;) {
    hasChanged = false;
    for (const change of CHANGES) {
      for (const candidate of change(smallest)) {
        if (!await breaks(candidate)) continue;
        smallest = candidate;
        hasChanged = true;
        break;
      }
    }
  }
  return smallest;
}
