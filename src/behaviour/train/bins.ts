/** Bin of a missing value; others are in bins 1 to 255, in ascending order. */
export const MISSING_BIN = 0;
export const BIN_COUNT = 256;

const MAX_CUTS = BIN_COUNT - 2;

/** Values sorted into at most 255 bins a column, one column after the other: all that growing trees needs. */
export interface BinnedColumns {
  readonly rows: number;
  /** For each column the thresholds between its bins, ascending: bin `b` ends below the `b`-th of them. */
  readonly cuts: readonly Float32Array[];
  /** Column after column, a bin per row. */
  readonly bins: Uint8Array;
}

/** @param values row after row of `width` values; NaN is missing. */
export function binColumns(values: Float32Array, width: number, cuts?: readonly Float32Array[]): BinnedColumns {
  const rows = values.length / width;
  const bins = new Uint8Array(values.length);
  const column = new Float32Array(rows);
  const used: Float32Array[] = [];
  for (let index = 0; index < width; index++) {
    for (let row = 0; row < rows; row++) column[row] = values[row * width + index] as number;
    const thresholds = cuts?.[index] ?? cutsOf(column);
    used.push(thresholds);
    const out = bins.subarray(index * rows, (index + 1) * rows);
    for (let row = 0; row < rows; row++) out[row] = binOf(column[row] as number, thresholds);
  }
  return { rows, cuts: used, bins };
}

/**
 * Thresholds so that about as many values lie between each two of them, about half way between
 * neighbouring values; where a column has few different values, between all of those.
 */
function cutsOf(column: Float32Array): Float32Array {
  const sorted = column.filter((value) => !Number.isNaN(value)).sort();
  const step = Math.max(1, sorted.length / (MAX_CUTS + 1));
  const different = sorted.filter((value, index) => index === 0 || value !== sorted[index - 1]);
  if (different.length <= MAX_CUTS + 1)
    return different.subarray(1).map((value, index) => cut(different[index] as number, value));

  const cuts: number[] = [];
  for (let position = step; position < sorted.length && cuts.length < MAX_CUTS; position += step) {
    let index = Math.floor(position);
    while (index < sorted.length && sorted[index] === sorted[index - 1]) index++;
    if (index === sorted.length) break;
    const threshold = cut(sorted[index - 1] as number, sorted[index] as number);
    if (threshold !== cuts.at(-1)) cuts.push(threshold);
  }
  return Float32Array.from(cuts);
}

/** The shortest decimal, about half way, that as a float32 is above `below` and at most `value`: it keeps files small. */
function cut(below: number, value: number): number {
  const half = below / 2 + value / 2;
  for (let digits = 2; digits <= 9; digits++) {
    const short = Math.fround(Number(half.toPrecision(digits)));
    if (short > below && short <= value) return short;
  }
  return value;
}

/** Number of thresholds that a value reaches, and 1. */
function binOf(value: number, cuts: Float32Array): number {
  if (Number.isNaN(value)) return MISSING_BIN;
  let from = 0;
  let to = cuts.length;
  while (from < to) {
    const half = (from + to) >> 1;
    if (value < (cuts[half] as number)) to = half;
    else from = half + 1;
  }
  return from + 1;
}
