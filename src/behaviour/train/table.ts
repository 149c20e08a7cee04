import { CctvError } from "../../errors.ts";

/** What a model learns from: rows of numbers, each with a label. */
export interface TrainingTable {
  /** Name of each column. */
  readonly columns: readonly string[];
  /** Row after row, each as long as `columns`; NaN where a value is missing. */
  readonly values: Float32Array;
  /** 1 for rows that are to score high, else 0. */
  readonly labels: Uint8Array;
  /** How much each row counts, 0 or more; rows of weight 0 are left out. */
  readonly weights: Float32Array;
}

export function rowCount(table: TrainingTable): number {
  return table.labels.length;
}

/** @throws CctvError DATA_INVALID where nothing can be learned from it. */
export function checkTable({ columns, values, labels, weights }: TrainingTable): void {
  if (columns.length === 0) throw unfit("it has no columns; give at least one");
  if (values.length !== labels.length * columns.length || weights.length !== labels.length) {
    throw unfit(
      `${labels.length} labels, ${weights.length} weights and ${values.length} values do not make rows of ${columns.length}; give each row its values, a label and a weight`,
    );
  }
  if (values.some((value) => value === Number.POSITIVE_INFINITY || value === Number.NEGATIVE_INFINITY)) {
    throw unfit("a value is infinite; write NaN where a value is not known");
  }
  if (!weights.every((weight) => weight >= 0 && Number.isFinite(weight))) {
    throw unfit("a weight is negative or no number; give weights of 0 or more");
  }
  const total = [0, 0];
  for (const [row, label] of labels.entries()) {
    if (label > 1) throw unfit(`row ${row} has the label ${label}; labels are 0 and 1`);
    total[label] = (total[label] as number) + (weights[row] as number);
  }
  if (!total.every((weight) => weight > 0)) {
    throw unfit("all rows that count have the same label; give examples of both");
  }
}

/** The rows of a table for which `keep` says so. */
export function selectRows(table: TrainingTable, keep: (row: number) => boolean): TrainingTable {
  const rows = Array.from(table.labels.keys()).filter(keep);
  const width = table.columns.length;
  const values = new Float32Array(rows.length * width);
  for (const [to, from] of rows.entries())
    values.set(table.values.subarray(from * width, (from + 1) * width), to * width);
  return {
    columns: table.columns,
    values,
    labels: Uint8Array.from(rows, (row) => table.labels[row] as number),
    weights: Float32Array.from(rows, (row) => table.weights[row] as number),
  };
}

function unfit(found: string): CctvError {
  return new CctvError("DATA_INVALID", `nothing can be learned from this table: ${found}`);
}
