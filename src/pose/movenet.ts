import { clamp } from "./normalize.ts";
import { boxOverlap, poseSimilarity, withoutDuplicates } from "./overlap.ts";
import { type Box, type Detection, JOINTS, type Keypoint } from "./person.ts";

/**
 * The six heads of MoveNet MultiPose, each `channels` planes of `height` x `width` cells, row-major.
 * A cell is 4 x 4 pixels of the input. Vectors come as y, x; lengths are in cells.
 */
export interface MovenetHeads {
  readonly width: number;
  readonly height: number;
  /** 1 plane: logit that a person's centre is in this cell. */
  readonly center: Float32Array;
  /** 2 planes: height and width of the box of a person centred here. */
  readonly boxScale: Float32Array;
  /** 2 planes: from this cell to the middle of that box. */
  readonly boxOffset: Float32Array;
  /** 17 planes: logit that a joint is in this cell. */
  readonly keypointHeatmap: Float32Array;
  /** 34 planes: from a person's centre to each joint, roughly. */
  readonly keypointRegression: Float32Array;
  /** 34 planes: from a joint's cell to its exact place. */
  readonly keypointOffset: Float32Array;
}

/** Names and channels of the model's outputs. */
export const MOVENET_OUTPUTS = {
  center: 1,
  box_scale: 2,
  box_offset: 2,
  kpt_heatmap: 17,
  kpt_regress: 34,
  kpt_offset: 34,
} as const;

export const MOVENET_THRESHOLD = 0.16;

const CELL = 4;
/** A centre is a cell that no other within this distance exceeds, in cells: a 5 x 5 maximum pool. */
const PEAK_RADIUS = 2;
const MAX_CENTERS = 100;
/** Variance, in cells², per cell of the map's short side, of where a joint may lie around its regressed place. */
const JOINT_VARIANCE = 0.300048828125;
/** Beyond three standard deviations a joint's weight is next to nothing. */
const SEARCH_DEVIATIONS = 3;
/** Joints below this do not count towards a person's score. */
const JOINT_SCORE_FLOOR = 0.126953125;
/** Two centres describe one person when their joints agree this well, or their boxes do. */
const SAME_POSE = 0.7;
const SAME_BOX = 0.85;

/**
 * Reads persons from the heads as the model's own last layers do, for any number of persons; these are
 * CenterNet's (Zhou et al., "Objects as Points", 2019) with a twist that
 * https://blog.tensorflow.org/2021/05/next-generation-pose-detection-with-movenet-and-tensorflowjs.html
 * describes: each joint is the heatmap's best cell, weighted by its distance from where the centre expects it.
 *
 * A person's score is the centre's probability times the mean score of the joints that are seen.
 *
 * @returns in pixels of the model's input, by falling score, none below `threshold` (above 0, below 1)
 */
export function decodeMovenet(heads: MovenetHeads, threshold: number): Detection[] {
  const search = new JointSearch(heads);
  const persons = findCenters(heads, threshold)
    .map((cell) => readPerson(heads, cell, search))
    .filter(({ score }) => score >= threshold)
    .sort((a, b) => b.score - a.score);
  return withoutDuplicates(persons, isSamePerson, MAX_CENTERS);
}

function isSamePerson(kept: Detection, other: Detection): boolean {
  const area = kept.box.width * kept.box.height;
  return (
    boxOverlap(kept.box, other.box) > SAME_BOX || poseSimilarity(kept.keypoints, other.keypoints, area) > SAME_POSE
  );
}

/** The strongest cells that are local maxima and may reach `threshold`, strongest first. */
function findCenters({ center, width, height }: MovenetHeads, threshold: number): number[] {
  const floor = Math.log(threshold / (1 - threshold));
  const cells: number[] = [];
  for (let y = 0; y < height; y++) {
    for (let x = 0; x < width; x++) {
      const cell = y * width + x;
      if (at(center, cell) >= floor && isPeak(center, x, y, width, height)) cells.push(cell);
    }
  }
  return cells.sort((a, b) => at(center, b) - at(center, a)).slice(0, MAX_CENTERS);
}

function isPeak(map: Float32Array, x: number, y: number, width: number, height: number): boolean {
  const value = at(map, y * width + x);
  const right = Math.min(x + PEAK_RADIUS, width - 1);
  const bottom = Math.min(y + PEAK_RADIUS, height - 1);
  for (let row = Math.max(y - PEAK_RADIUS, 0); row <= bottom; row++) {
    for (let column = Math.max(x - PEAK_RADIUS, 0); column <= right; column++) {
      if (at(map, row * width + column) > value) return false;
    }
  }
  return true;
}

function readPerson(heads: MovenetHeads, cell: number, search: JointSearch): Detection {
  const { width, height } = heads;
  const cells = width * height;
  const x = cell % width;
  const y = (cell - x) / width;
  const box = readBox(heads, cell, x, y);
  const keypoints = JOINTS.map((_, joint): Keypoint => {
    const expectedY = y + at(heads.keypointRegression, 2 * joint * cells + cell);
    const expectedX = x + at(heads.keypointRegression, (2 * joint + 1) * cells + cell);
    return search.find(joint, expectedX, expectedY, box);
  });
  const seen = keypoints.filter(([, , score]) => score > JOINT_SCORE_FLOOR);
  const meanScore = seen.reduce((sum, [, , score]) => sum + score, 0) / Math.max(seen.length, 1);
  return { box: inPixels(box), keypoints, score: sigmoid(at(heads.center, cell)) * meanScore };
}

/** In cells, within the map. */
function readBox({ width, height, boxScale, boxOffset }: MovenetHeads, cell: number, x: number, y: number): Box {
  const cells = width * height;
  const boxHeight = Math.max(at(boxScale, cell), 0);
  const boxWidth = Math.max(at(boxScale, cells + cell), 0);
  const top = y + at(boxOffset, cell) - boxHeight / 2;
  const left = x + at(boxOffset, cells + cell) - boxWidth / 2;
  const clampedLeft = clamp(left, 0, width);
  const clampedTop = clamp(top, 0, height);
  return {
    x: clampedLeft,
    y: clampedTop,
    width: clamp(left + boxWidth, 0, width) - clampedLeft,
    height: clamp(top + boxHeight, 0, height) - clampedTop,
  };
}

function inPixels({ x, y, width, height }: Box): Box {
  return { x: x * CELL, y: y * CELL, width: width * CELL, height: height * CELL };
}

/** Looks for joints around expected places. One for all joints of a picture, as it keeps its scratch memory. */
class JointSearch {
  readonly #heads: MovenetHeads;
  readonly #variance: number;
  readonly #radius: number;
  /** Weight of each column of the window that is being searched. */
  readonly #columnWeights: Float64Array;

  constructor(heads: MovenetHeads) {
    this.#heads = heads;
    this.#variance = Math.min(heads.width, heads.height) * JOINT_VARIANCE;
    this.#radius = Math.ceil(SEARCH_DEVIATIONS * Math.sqrt(this.#variance));
    this.#columnWeights = new Float64Array(heads.width);
  }

  /** In pixels, with score 0 and the expected place where the box holds no cell to look at. */
  find(joint: number, expectedX: number, expectedY: number, box: Box): Keypoint {
    const { width, height, keypointHeatmap } = this.#heads;
    const top = Math.max(Math.ceil(box.y), Math.floor(expectedY - this.#radius));
    const bottom = Math.min(Math.ceil(box.y + box.height) - 1, Math.ceil(expectedY + this.#radius));
    const left = Math.max(Math.ceil(box.x), Math.floor(expectedX - this.#radius));
    const right = Math.min(Math.ceil(box.x + box.width) - 1, Math.ceil(expectedX + this.#radius));
    for (let x = left; x <= right; x++) this.#columnWeights[x] = this.#weight(x - expectedX);

    const plane = joint * width * height;
    let best = 0;
    let bestCell = -1;
    // A weight is at most 1, so a cell whose bare logit is not above this cannot win. Spares most of the exp().
    let logitFloor = Number.NEGATIVE_INFINITY;
    for (let y = top; y <= bottom; y++) {
      const rowWeight = this.#weight(y - expectedY);
      for (let x = left; x <= right; x++) {
        const logit = at(keypointHeatmap, plane + y * width + x);
        if (logit <= logitFloor) continue;
        const score = sigmoid(logit) * rowWeight * (this.#columnWeights[x] as number);
        if (score <= best) continue;
        best = score;
        bestCell = y * width + x;
        logitFloor = Math.log(best / (1 - best));
      }
    }
    if (bestCell < 0) return [expectedX * CELL, expectedY * CELL, 0];
    return this.#place(joint, bestCell, best);
  }

  #weight(distance: number): number {
    return Math.exp(-(distance ** 2) / this.#variance);
  }

  #place(joint: number, cell: number, score: number): Keypoint {
    const { width, height, keypointOffset } = this.#heads;
    const cells = width * height;
    const x = cell % width;
    const y = (cell - x) / width;
    const offsetY = at(keypointOffset, 2 * joint * cells + cell);
    const offsetX = at(keypointOffset, (2 * joint + 1) * cells + cell);
    return [(x + offsetX) * CELL, (y + offsetY) * CELL, score];
  }
}

function sigmoid(logit: number): number {
  return 1 / (1 + Math.exp(-logit));
}

/** Every index here is within the map by construction. */
function at(values: Float32Array, index: number): number {
  return values[index] as number;
}
