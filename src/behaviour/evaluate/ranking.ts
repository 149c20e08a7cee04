/** Scored things that either are what is looked for or are not, each of a group (a video). */
export interface Scored {
  readonly scores: Float64Array;
  /** 1 for what is looked for. */
  readonly labels: Uint8Array;
  /** Index of the group of each. */
  readonly groups: Int32Array;
}

/** How well scores put what is looked for first. */
export interface RankingQuality {
  /** Chance that one that is looked for scores higher than another one, ties counting half: 0.5 for random scores. */
  readonly auc: number;
  /** Mean precision at each one that is found, from the highest score down; of ties, their common precision. */
  readonly averagePrecision: number;
}

/** A ranking whose groups can be counted more than once, as the bootstrap does, without sorting again. */
export class Ranking {
  readonly #scored: Scored;
  readonly #order: Uint32Array;

  constructor(scored: Scored) {
    this.#scored = scored;
    const { scores } = scored;
    this.#order = Uint32Array.from(scores.keys()).sort(
      (one, other) => (scores[other] as number) - (scores[one] as number),
    );
  }

  /**
   * @param weights how often each group counts; without them, once.
   * @returns NaN where one of the two kinds is lacking.
   */
  quality(weights?: ArrayLike<number>): RankingQuality {
    const { scores, labels, groups } = this.#scored;
    let found = 0;
    let others = 0;
    let pairs = 0;
    let precisions = 0;
    for (let at = 0; at < this.#order.length; ) {
      const score = scores[this.#order[at] as number];
      let tiedFound = 0;
      let tiedOthers = 0;
      for (; at < this.#order.length && scores[this.#order[at] as number] === score; at++) {
        const index = this.#order[at] as number;
        const weight = weights ? (weights[groups[index] as number] as number) : 1;
        if (labels[index]) tiedFound += weight;
        else tiedOthers += weight;
      }
      pairs += tiedOthers * (found + tiedFound / 2);
      found += tiedFound;
      others += tiedOthers;
      if (tiedFound > 0) precisions += (tiedFound * found) / (found + others);
    }
    return { auc: pairs / (found * others), averagePrecision: precisions / found };
  }
}
