/** Where to listen. */
export interface ListenAddress {
  readonly hostname: string;
  readonly port: number;
}

/**
 * Checks where somebody wants to listen.
 *
 * @throws {RangeError} If the port is out of range.
 * @throws {TypeError} If there is no host name.
 */
export function checkAddress({ hostname, port }: ListenAddress): void {
  if (!Number.isInteger(port) || port < 0 || port > 65535) {
    throw new RangeError(`'port' is ${port}; use 0 to 65535, where 0 picks a free one`);
  }
  if (typeof hostname !== "string" || hostname === "") {
    throw new TypeError("'hostname' is not an address; use 127.0.0.1, or 0.0.0.0 for every interface");
  }
}

/** The host to dial for one that is listened on: an address that means "every interface" cannot be dialled. */
export function dialableHost(hostname: string): string {
  if (hostname === "0.0.0.0") return "127.0.0.1";
  if (hostname === "::" || hostname === "[::]") return "[::1]";
  return hostname.includes(":") && !hostname.startsWith("[") ? `[${hostname}]` : hostname;
}
