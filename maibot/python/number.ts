/**
 * The numbers that Python reads from JSON. A number is an `int` of any size, or a `float`.
 * @module
 */

/**
 * A Python float with an integer value, such as `1.0` or `1e5`. In JavaScript, this float and the integer are the same
 * number, but MaiBot treats the two differently. Only {@linkcode parsePython} creates a `PythonFloat`.
 */
export class PythonFloat {
  /** Value of the float. */
  readonly value: number;

  /** Creates the float. */
  constructor(value: number) {
    this.value = value;
  }
}

/**
 * Tells whether Python reads a value as an `int`. For a number from 1e21 on, `JSON.stringify` writes an exponent, so
 * Python reads a `float`.
 */
export function isInteger(value: unknown): value is number | bigint {
  return typeof value === "bigint" || (Number.isInteger(value) && Math.abs(value as number) < 1e21);
}

/** Returns the value of an `int`, `float` or `bool`; `null` for any other type. */
export function numberOf(value: unknown): number | null {
  if (value instanceof PythonFloat) return value.value;
  return typeof value === "number" || typeof value === "bigint" || typeof value === "boolean" ? Number(value) : null;
}

/**
 * Returns Python's `repr()` of a float: the fewest digits that give the same float. Below 1e-4 and from 1e16 on, the
 * text has an exponent of at least two digits.
 */
function floatText(value: number): string {
  if (Number.isNaN(value)) return "nan";
  if (!Number.isFinite(value)) return value < 0 ? "-inf" : "inf";
  if (Object.is(value, -0)) return "-0.0";
  const [digits = "", exponent = ""] = value.toExponential().split("e");
  const power = Number(exponent);
  if (value !== 0 && (power < -4 || power >= 16)) {
    return `${digits}e${power < 0 ? "-" : "+"}${String(Math.abs(power)).padStart(2, "0")}`;
  }
  // For the other values, JavaScript writes no exponent: it writes one only below 1e-6 and from 1e21 on.
  const text = String(value);
  return text.includes(".") ? text : `${text}.0`;
}

/** Returns Python's `str()` of an `int` or a `float`. */
export function numberText(value: number | bigint | PythonFloat): string {
  if (value instanceof PythonFloat) return floatText(value.value);
  // Python reads the text of `JSON.stringify`. Below 1e21, `String` writes the same digits.
  return isInteger(value) ? String(Object.is(value, -0) ? 0 : value) : floatText(value);
}
