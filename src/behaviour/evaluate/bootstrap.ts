/** How often each group counts in each resample: as many draws as there are groups, with replacement. */
export function* resamples(groups: number, count: number, random: () => number): Generator<Uint16Array> {
  for (let resample = 0; resample < count; resample++) {
    const times = new Uint16Array(groups);
    for (let draw = 0; draw < groups; draw++) {
      const group = Math.floor(random() * groups);
      times[group] = (times[group] as number) + 1;
    }
    yield times;
  }
}

/** The least and the most of the middle 95 %; what is NaN is left out. */
export type Interval = readonly [low: number, high: number];

/** Percentile interval (Efron, 1979) of what was measured on resamples. */
export function interval(values: readonly number[]): Interval {
  const sorted = values.filter((value) => !Number.isNaN(value)).sort((one, other) => one - other);
  const at = (share: number): number => sorted[Math.round(share * (sorted.length - 1))] ?? Number.NaN;
  return [at(0.025), at(0.975)];
}
