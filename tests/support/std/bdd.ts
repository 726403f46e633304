/**
 * Stands in for `@std/testing/bdd` where JSR cannot be reached: `describe` and `it` on `Deno.test`, leak sanitizers
 * included, and on `bun:test`. Nested names are joined; there are no hooks.
 * @module
 */

/** The body of a test. */
type TestBody = () => void | Promise<void>;

/** How a test is treated, beside being run. */
interface TestOptions {
  /** Does not run it. @default {false} */
  readonly ignore?: boolean;
  /** Runs it and no test without the same mark. @default {false} */
  readonly only?: boolean;
}

/** Registers one test. */
type Register = (name: string, body: TestBody, options: TestOptions) => void;

/** Takes a name, maybe options, and a function. */
interface Declare<F> {
  (name: string, fn: F): void;
  (name: string, options: TestOptions, fn: F): void;
}

/** {@linkcode it} or {@linkcode describe} with its variants. */
interface DeclareWithVariants<F> extends Declare<F> {
  readonly only: Declare<F>;
  readonly skip: Declare<F>;
  readonly ignore: Declare<F>;
}

/** What is used of `bun:test`. */
interface BunTestModule {
  readonly test: BunTest & { readonly only: BunTest; readonly skip: BunTest };
}

type BunTest = (name: string, body: TestBody, timeoutMs: number) => void;

const BUN_TIMEOUT_MS = 120_000;
// A name Deno cannot see through: it would try to load a literal one.
const BUN_TEST_MODULE: string = "bun:test";

const register: Register = typeof Deno === "undefined" ? await createBunRegister() : registerInDeno;

function registerInDeno(name: string, fn: TestBody, options: TestOptions): void {
  Deno.test({ name, fn, ...options });
}

async function createBunRegister(): Promise<Register> {
  const { test }: BunTestModule = await import(BUN_TEST_MODULE);
  return (name, body, { ignore, only }) => {
    const declare = ignore ? test.skip : only ? test.only : test;
    declare(name, body, BUN_TIMEOUT_MS);
  };
}

let path: readonly string[] = [];
let inherited: TestOptions = {};

function declareTest(name: string, fn: TestBody, options: TestOptions): void {
  register([...path, name].join(" "), fn, { ...inherited, ...options });
}

function declareSuite(name: string, fn: () => void, options: TestOptions): void {
  const outer = { path, inherited };
  path = [...path, name];
  inherited = { ...inherited, ...options };
  try {
    fn();
  } finally {
    ({ path, inherited } = outer);
  }
}

function createVariant<F>(
  declare: (name: string, fn: F, options: TestOptions) => void,
  preset: TestOptions,
): Declare<F> {
  return (name: string, ...rest: [fn: F] | [options: TestOptions, fn: F]) => {
    const [options, fn] = rest.length === 1 ? [{}, rest[0]] : rest;
    declare(name, fn, { ...options, ...preset });
  };
}

function createVariants<F>(declare: (name: string, fn: F, options: TestOptions) => void): DeclareWithVariants<F> {
  const skip = createVariant(declare, { ignore: true });
  return Object.assign(createVariant(declare, {}), {
    skip,
    ignore: skip,
    only: createVariant(declare, { only: true }),
  });
}

/** Declares a group of tests. */
export const describe: DeclareWithVariants<() => void> = createVariants(declareSuite);

/** Declares one test. */
export const it: DeclareWithVariants<TestBody> = createVariants(declareTest);
