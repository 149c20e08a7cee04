import { unsupported } from "./refusals.ts";

type Link = "identity" | "logit" | "log";

/** How XGBoost gets from the sum of the leaves (the margin) to a prediction. All arithmetic rounds to float32. */
export interface Objective {
  readonly name: string;
  /** Turns base_score, which is stored as a prediction, into a margin. */
  readonly link: Link;
  /** Length of a prediction for so many margins. */
  outputs(groups: number): number;
  predict(margins: Float32Array): Float32Array;
}

type Transform = Pick<Objective, "outputs" | "predict">;

const each = (convert: (margin: number) => number): Transform => ({
  outputs: (groups) => groups,
  predict: (margins) => margins.map(convert),
});

const identity = each((margin) => margin);
const sigmoid = each((margin) => 1 / Math.fround(1 + Math.fround(Math.exp(Math.min(-margin, LARGEST_EXPONENT)))));
const exponential = each(Math.exp);
const hinge = each((margin) => (margin > 0 ? 1 : 0));
const softmax: Transform = { outputs: (groups) => groups, predict: shares };
const likeliest: Transform = {
  outputs: () => 1,
  predict: (margins) => Float32Array.of(margins.indexOf(Math.max(...margins))),
};

/** e to this is still a float32. */
const LARGEST_EXPONENT = 88.7;

const OBJECTIVES: Readonly<Record<string, { link: Link; transform: Transform }>> = {
  "binary:hinge": { link: "identity", transform: hinge },
  "binary:logistic": { link: "logit", transform: sigmoid },
  "binary:logitraw": { link: "identity", transform: identity },
  "count:poisson": { link: "log", transform: exponential },
  "multi:softmax": { link: "identity", transform: likeliest },
  "multi:softprob": { link: "identity", transform: softmax },
  "rank:map": { link: "identity", transform: identity },
  "rank:ndcg": { link: "identity", transform: identity },
  "rank:pairwise": { link: "identity", transform: identity },
  "reg:absoluteerror": { link: "identity", transform: identity },
  "reg:gamma": { link: "log", transform: exponential },
  "reg:linear": { link: "identity", transform: identity },
  "reg:logistic": { link: "logit", transform: sigmoid },
  "reg:pseudohubererror": { link: "identity", transform: identity },
  "reg:quantileerror": { link: "identity", transform: identity },
  "reg:squarederror": { link: "identity", transform: identity },
  "reg:squaredlogerror": { link: "identity", transform: identity },
  "reg:tweedie": { link: "log", transform: exponential },
  "survival:aft": { link: "log", transform: exponential },
  "survival:cox": { link: "log", transform: exponential },
};

/** @throws CctvError TREES_UNSUPPORTED for an objective that nobody told this package about. */
export function objectiveNamed(name: string): Objective {
  const found = Object.hasOwn(OBJECTIVES, name) ? OBJECTIVES[name] : undefined;
  if (!found) {
    const known = Object.keys(OBJECTIVES).join(", ");
    throw unsupported(`its objective is ${JSON.stringify(name.slice(0, 40))}`, `train it with one of ${known}`);
  }
  return { name, link: found.link, ...found.transform };
}

/** @returns the margin of a base score, not finite where the link does not take it. */
export function baseMargin(link: Link, baseScore: number): number {
  const score = Math.fround(baseScore);
  if (link === "log") return Math.fround(Math.log(score));
  if (link === "logit") return Math.fround(-Math.log(Math.fround(Math.fround(1 / score) - 1)));
  return score;
}

/** Softmax; XGBoost sums in double precision. */
function shares(margins: Float32Array): Float32Array {
  const top = Math.max(...margins);
  const powers = margins.map((margin) => Math.exp(margin - top));
  const sum = Math.fround(powers.reduce((total, power) => total + power, 0));
  return powers.map((power) => power / sum);
}
