import { runtime } from "../runtime/mod.ts";
import type { Timer } from "../runtime/clock.ts";
import { MessageConnectionError } from "../util/connection_error.ts";
import { isObject, typeName } from "../util/values.ts";
import type { MessageServerOptions } from "./options.ts";

/** What becomes of a caller after `authorize`. `error` is for the event `error`. */
export type Authorized =
  | { readonly verdict: "accepted" | "refused" }
  | { readonly verdict: "refused" | "late" | "failed"; readonly error: unknown };

function wrongAnswer(received: string): Authorized {
  const need = `true, false, or { platforms: ["qq"] } with an array of platform names`;
  const text = `'authorize' must return ${need}; received ${received}, so the caller was refused`;
  return { verdict: "refused", error: new TypeError(`MessageServer: ${text}`) };
}

function readAnswer(answer: unknown, platform: string): Authorized {
  if (typeof answer === "boolean") return { verdict: answer ? "accepted" : "refused" };
  if (!isObject(answer)) return wrongAnswer(typeName(answer));
  const { platforms } = answer;
  if (!Array.isArray(platforms)) return wrongAnswer(`{ platforms: ${typeName(platforms)} }`);
  if (!platforms.every((name) => typeof name === "string")) return wrongAnswer("an array that holds other values");
  return { verdict: platforms.includes(platform) ? "accepted" : "refused" };
}

function lateError(ms: number): MessageConnectionError {
  const text = `'authorize' did not return within ${ms} ms, so the caller was refused with HTTP 503`;
  return new MessageConnectionError("timeout", `${text}; make it faster, or raise 'authorizeTimeout'`);
}

/**
 * Asks `authorize` about a caller, and waits at most `timeout` milliseconds. What `authorize` returns or throws after
 * that is ignored.
 */
export async function askAuthorize(
  authorize: NonNullable<MessageServerOptions["authorize"]>,
  { request, platform, timeout }: { request: Request; platform: string; timeout: number },
): Promise<Authorized> {
  let timer: Timer | undefined;
  const late = new Promise<Authorized>((resolve) => {
    timer = runtime.after(timeout, () => resolve({ verdict: "late", error: lateError(timeout) }));
  });
  try {
    const answer = (async () => readAnswer(await authorize(request), platform))();
    return await Promise.race([answer, late]);
  } catch (error) {
    return { verdict: "failed", error };
  } finally {
    runtime.cancel(timer);
  }
}
