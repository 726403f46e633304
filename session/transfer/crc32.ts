/** The CRC-32 polynomial of zlib, PNG and Ethernet, in reversed bit order. */
const POLYNOMIAL = 0xedb88320;

/** Lookup tables: four of them process four bytes in one step. */
const TABLES: readonly Int32Array[] = Array.from({ length: 4 }, () => new Int32Array(256));
const [T0, T1, T2, T3] = TABLES as [Int32Array, Int32Array, Int32Array, Int32Array]; // four were made
for (let byte = 0; byte < 256; byte++) {
  let value = byte;
  for (let bit = 0; bit < 8; bit++) value = (value & 1) === 0 ? value >>> 1 : (value >>> 1) ^ POLYNOMIAL;
  T0[byte] = value;
}
for (let byte = 0; byte < 256; byte++) {
  for (let table = 1; table < 4; table++) {
    const before = (TABLES[table - 1] as Int32Array)[byte] as number;
    (TABLES[table] as Int32Array)[byte] = (before >>> 8) ^ (T0[before & 255] as number);
  }
}

/** Computes the CRC-32 of a text that comes in chunks. The result equals `zlib.crc32` of the same bytes. */
export class Crc32 {
  #value = -1;
  /** Bitwise OR of all character codes so far. */
  #seen = 0;

  /** Checksum of all chunks so far: an unsigned 32-bit number. */
  get value(): number {
    return ~this.#value >>> 0;
  }

  /** True if all chunks so far were ASCII. If not, the checksum is meaningless. */
  get isAscii(): boolean {
    return this.#seen < 128;
  }

  /** Adds a chunk. Each character is read as one byte, so the result is correct only for ASCII. */
  push(ascii: string): void {
    let value = this.#value;
    let seen = this.#seen;
    let at = 0;
    for (; at + 4 <= ascii.length; at += 4) {
      const a = ascii.charCodeAt(at);
      const b = ascii.charCodeAt(at + 1);
      const c = ascii.charCodeAt(at + 2);
      const d = ascii.charCodeAt(at + 3);
      seen |= a | b | c | d;
      value ^= a | (b << 8) | (c << 16) | (d << 24);
      value = T3[value & 255]! ^ T2[(value >>> 8) & 255]! ^ T1[(value >>> 16) & 255]! ^ T0[value >>> 24]!;
    }
    for (; at < ascii.length; at++) {
      const code = ascii.charCodeAt(at);
      seen |= code;
      value = (value >>> 8) ^ T0[(value ^ code) & 255]!;
    }
    this.#value = value;
    this.#seen = seen;
  }
}
