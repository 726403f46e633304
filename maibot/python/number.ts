/**
 * Numbers as Python reads them from JSON: an `int` of any size, or a `float`.
 * @module
 */

/**
 * A Python float with an integer value, such as `1.0` or `1e5`. A JavaScript number cannot tell it from the integer, but
 * MaiBot treats the two differently. Only {@linkcode parsePython} creates it.
 */
export class PythonFloat {
  /** Value of the float. */
  readonly value: number;

  /** Creates the float. */
  constructor(value: number) {
    this.value = value;
  }
}

/** Tells whether Python reads an `int`. From 1e21 on `JSON.stringify` writes an exponent, and Python reads a `float`. */
export function isInteger(value: unknown): value is number | bigint {
  return typeof value === "bigint" || (Number.isInteger(value) && Math.abs(value as number) < 1e21);
}

/** Returns the value of an `int`, `float` or `bool`; `null` for any other type. */
export function numberOf(value: unknown): number | null {
  if (value instanceof PythonFloat) return value.value;
  return typeof value === "number" || typeof value === "bigint" || typeof value === "boolean" ? Number(value) : null;
}

/** Returns `repr(float)`: the shortest digits. Below 1e-4 and from 1e16 on it has an exponent of at least two digits. */
function floatText(value: number): string {
  if (Number.isNaN(value)) return "nan";
  if (!Number.isFinite(value)) return value < 0 ? "-inf" : "inf";
  if (Object.is(value, -0)) return "-0.0";
  const [digits = "", exponent = ""] = value.toExponential().split("e");
  const power = Number(exponent);
  if (value !== 0 && (power < -4 || power >= 16)) {
    return `${digits}e${power < 0 ? "-" : "+"}${String(Math.abs(power)).padStart(2, "0")}`;
  }
  // JavaScript writes no exponent for the values that are left: it does so only below 1e-6 and from 1e21 on.
  const text = String(value);
  return text.includes(".") ? text : `${text}.0`;
}

/** Returns `str()` of an `int` or a `float`. */
export function numberText(value: number | bigint | PythonFloat): string {
  if (value instanceof PythonFloat) return floatText(value.value);
  // Below 1e21 `String` writes the same digits as `JSON.stringify`, which Python reads.
  return isInteger(value) ? String(Object.is(value, -0) ? 0 : value) : floatText(value);
}
