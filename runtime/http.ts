import { HELLO_HEADER } from "../util/hello_header.ts";
import type { GetOptions, HttpAnswer } from "./types.ts";

/** Reads the first `maxBytes` bytes of a body as text, or the whole body if it is shorter. */
async function readStart(body: ReadableStream<Uint8Array> | null, maxBytes: number): Promise<string> {
  if (body === null || maxBytes === 0) return "";
  const decoder = new TextDecoder();
  const reader = body.getReader();
  let text = "";
  for (let rest = maxBytes; rest > 0;) {
    const { value, done } = await reader.read();
    if (done) break;
    const block = value.subarray(0, rest);
    text += decoder.decode(block, { stream: true });
    rest -= block.length;
  }
  return text;
}

/**
 * Sends a GET request by `fetch` and reads only the start of the answer. The rest of the body is not read: the request
 * is aborted, which ends its connection. `init` holds options that only one runtime has.
 */
export async function getStart(
  url: string,
  { headers, signal, maxBytes }: GetOptions,
  init: RequestInit,
): Promise<HttpAnswer> {
  const request = new AbortController();
  const abort = () => request.abort(signal.reason);
  if (signal.aborted) abort();
  signal.addEventListener("abort", abort);
  try {
    const response = await fetch(url, {
      ...init,
      // A compressed body would have to be decompressed, and may then be a thousand times as large.
      headers: { ...headers, "accept-encoding": "identity" },
      redirect: "manual",
      signal: request.signal,
    });
    const text = await readStart(response.body, maxBytes);
    return { status: response.status, serves: response.headers.get(HELLO_HEADER), text };
  } finally {
    signal.removeEventListener("abort", abort);
    request.abort();
  }
}
