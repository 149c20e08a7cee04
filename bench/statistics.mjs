/** @param {readonly number[]} values at least one */
export function median(values) {
  return percentile(values, 50);
}

/**
 * Interpolated between the two nearest values.
 * @param {readonly number[]} values at least one
 * @param {number} rank 0..100
 */
export function percentile(values, rank) {
  const sorted = [...values].sort((a, b) => a - b);
  const position = ((sorted.length - 1) * rank) / 100;
  const low = Math.floor(position);
  const high = Math.ceil(position);
  return sorted[low] + (sorted[high] - sorted[low]) * (position - low);
}

/**
 * The slope of the least-squares line through points.
 * @param {readonly { x: number, y: number }[]} points at least two with different x
 */
export function slope(points) {
  const mean = (of) => points.reduce((sum, point) => sum + of(point), 0) / points.length;
  const meanX = mean(({ x }) => x);
  const meanY = mean(({ y }) => y);
  const covariance = mean(({ x, y }) => (x - meanX) * (y - meanY));
  return covariance / mean(({ x }) => (x - meanX) ** 2);
}
