/**
 * Explains the errors of the runtimes after a failed dial. Only code in this folder interprets the text of such an
 * error.
 * @module
 */

/** Hints for errors of Deno, Bun and their TLS libraries: each says what is wrong and what to do. */
const HINTS: readonly (readonly [pattern: RegExp, hint: string])[] = [
  [
    /CaUsedAsEndEntity/,
    "the server uses a CA certificate as its own; make one with basicConstraints=critical,CA:FALSE (README, TLS)",
  ],
  [
    /UnknownIssuer|self.signed|unable to verify|unable to get (local )?issuer|UNABLE_TO|DEPTH_ZERO/i,
    "the certificate is not signed by a known CA; pass the CA's PEM as tls.ca",
  ],
  [
    /not valid for name|NotValidForName|altnames|Hostname|IP address mismatch/i,
    "the certificate is for another host name; dial a name that it lists",
  ],
  [/Expired|NotValidYet|has expired/i, "the certificate is not valid today; renew it or set the clock"],
  [/InvalidContentType|WRONG_VERSION_NUMBER/, "the server does not use TLS on this port; use ws:// instead of wss://"],
  [
    /invalid HTTP version|HPE_INVALID_CONSTANT/,
    "the server seems to use TLS on this port; use wss:// instead of ws://",
  ],
  [/dns error|ENOTFOUND|EAI_AGAIN/, "the host name is not known; check its spelling"],
  [/Requires net access|NotCapable/, "Deno was started without --allow-net; run it with --allow-net or -A"],
  [
    /tcp connect error|ECONNREFUSED|Failed to connect/,
    "nothing answers there; check host and port, and that the server runs",
  ],
  [
    /connection closed before message completed|Connection ended/,
    "the server closed the connection during the handshake; check host and port, and whether it needs ws:// or wss://",
  ],
];

/** Explanation of a failed dial or of a lost connection. */
export interface DialFailure {
  /** The runtime's own text, with its error code; empty if there is none. */
  readonly text: string;
  /** Hint for the user: what is wrong and what to do; `null` for an unknown error. */
  readonly hint: string | null;
}

/** Explains the error of a failed dial or of a lost connection. */
export function explainFailure(error: unknown): DialFailure {
  if (!(error instanceof Error)) return { text: "", hint: null };
  const { message, code } = error as Error & { code?: unknown };
  const words = message.replace(
    /^(failed to connect to WebSocket: |error sending request .*: client error \(Connect\): )/s,
    "",
  );
  const text = typeof code === "string" && !words.includes(code) ? `${words} (${code})` : words;
  return { text, hint: HINTS.find(([pattern]) => pattern.test(text))?.[1] ?? null };
}
