/**
 * Numbers as Python reads them from JSON: an `int` of any size, or a `float`.
 * @module
 */

/**
 * A float whose value is an integer, as `1.0` and `1e5`: JavaScript has no other number for it than the integer's, and
 * MaiBot tells the two apart. Only a frame that is parsed as Python does holds one.
 */
export class PythonFloat {
  /** Its value. */
  readonly value: number;

  /** Keeps a value. */
  constructor(value: number) {
    this.value = value;
  }
}

/** Whether Python has an `int`: beyond 1e21 `JSON.stringify` writes an exponent, and Python reads a float. */
export function isInteger(value: unknown): value is number | bigint {
  return typeof value === "bigint" || (Number.isInteger(value) && Math.abs(value as number) < 1e21);
}

/** The value of an `int`, `float` or `bool`; `null` for anything else. */
export function numberOf(value: unknown): number | null {
  if (value instanceof PythonFloat) return value.value;
  return typeof value === "number" || typeof value === "bigint" || typeof value === "boolean" ? Number(value) : null;
}

/** `repr(float)`: the shortest digits, with an exponent of two places below 1e-4 and from 1e16 on. */
function floatText(value: number): string {
  if (Number.isNaN(value)) return "nan";
  if (!Number.isFinite(value)) return value < 0 ? "-inf" : "inf";
  if (Object.is(value, -0)) return "-0.0";
  const [digits = "", exponent = ""] = value.toExponential().split("e");
  const power = Number(exponent);
  if (value !== 0 && (power < -4 || power >= 16)) {
    return `${digits}e${power < 0 ? "-" : "+"}${String(Math.abs(power)).padStart(2, "0")}`;
  }
  // Below 1e21 and above 1e-7 JavaScript writes no exponent, and 1e-5 to 1e-7 were written above.
  const text = String(value);
  return text.includes(".") ? text : `${text}.0`;
}

/** `str()` of an `int` or a `float`. */
export function numberText(value: number | bigint | PythonFloat): string {
  if (value instanceof PythonFloat) return floatText(value.value);
  // Below 1e21 `String` writes the digits that `JSON.stringify` does, and that Python then reads.
  return isInteger(value) ? String(Object.is(value, -0) ? 0 : value) : floatText(value);
}
