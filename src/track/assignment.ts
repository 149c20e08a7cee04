/** A row and a column that belong together, by index. */
export type Pair = readonly [row: number, column: number];

interface Row {
  readonly costs: readonly number[];
  potential: number;
}

interface Column {
  readonly index: number;
  potential: number;
  row: Row | undefined;
  /** Of the search under way: what it would cost to come here, and from which column. */
  slack: number;
  before: Column | undefined;
  reached: boolean;
}

/**
 * Pairs rows with columns, each at most once, at the least total cost, where a row and a column that stay alone cost
 * `limit` together: a pair at the limit or above it is never made.
 *
 * The Hungarian method with shortest augmenting paths (H. W. Kuhn, 1955; R. Jonker and A. Volgenant, 1987): O(n³).
 *
 * @param costs Rows of equal length; `Infinity` forbids a pair.
 * @param limit Finite.
 * @returns By rising row.
 */
export function assign(costs: readonly (readonly number[])[], limit: number): Pair[] {
  const height = costs.length;
  const width = costs[0]?.length ?? 0;
  if (height > width) {
    const turned = Array.from({ length: width }, (_, column) => costs.map((row) => row[column] ?? limit));
    return assign(turned, limit)
      .map(([column, row]): Pair => [row, column])
      .sort(([one], [other]) => one - other);
  }

  // A pair at the limit counts as none, so the best complete pairing of capped costs holds the best partial one.
  const rows = costs.map((row): Row => ({ costs: row.map((cost) => Math.min(cost, limit)), potential: 0 }));
  const columns = pairAll(rows, width);
  return rows.flatMap((row, index): Pair[] => {
    const column = columns.find((candidate) => candidate.row === row);
    return column && costOf(row, column) < limit ? [[index, column.index]] : [];
  });
}

function costOf(row: Row, column: Column): number {
  return row.costs[column.index] ?? Number.POSITIVE_INFINITY;
}

/** Gives every row a column of its own; there must be at least as many columns as rows. */
function pairAll(rows: readonly Row[], width: number): Column[] {
  const columns = Array.from({ length: width }, (_, index): Column => {
    return { index, potential: 0, row: undefined, slack: 0, before: undefined, reached: false };
  });
  for (const row of rows) moveUp(row, cheapestFreeColumn(row, columns));
  return columns;
}

/** The end of the cheapest chain of moves that makes room for `newcomer`; `before` leads back along it. */
function cheapestFreeColumn(newcomer: Row, columns: readonly Column[]): Column {
  for (const column of columns) {
    column.slack = Number.POSITIVE_INFINITY;
    column.before = undefined;
    column.reached = false;
  }
  let row = newcomer;
  let here: Column | undefined;
  for (;;) {
    const open = columns.filter((column) => !column.reached);
    for (const column of open) {
      const slack = costOf(row, column) - row.potential - column.potential;
      if (slack < column.slack) {
        column.slack = slack;
        column.before = here;
      }
    }
    const nearest = open.reduce((best, column) => (column.slack < best.slack ? column : best));
    shiftPotentials(newcomer, columns, nearest.slack);
    nearest.reached = true;
    if (!nearest.row) return nearest;
    here = nearest;
    row = nearest.row;
  }
}

/** Keeps the reduced costs of made pairs at zero, so that the next search is a shortest path again. */
function shiftPotentials(newcomer: Row, columns: readonly Column[], step: number): void {
  newcomer.potential += step;
  for (const column of columns) {
    if (column.reached) {
      column.potential -= step;
      if (column.row) column.row.potential += step;
    } else {
      column.slack -= step;
    }
  }
}

/** Hands each column of the chain to the row of the one before it, and the first to the newcomer. */
function moveUp(newcomer: Row, end: Column): void {
  for (let column: Column | undefined = end; column; column = column.before)
    column.row = column.before?.row ?? newcomer;
}
