import { readFile, writeFile } from "node:fs/promises";
import { basename } from "node:path";
import { BUDGETS } from "../behaviour/evaluate/alerts.ts";
import type { Figure, Figures } from "../behaviour/evaluate/figures.ts";
import { judgeBy, judgesWithoutTheirCamera } from "../behaviour/evaluate/leave-one-out.ts";
import {
  extentOf,
  type JudgeOf,
  scoreAll,
  scoreAllAtRandom,
  type Verdict,
  verdictOn,
  verdictsWhenDegraded,
} from "../behaviour/evaluate/protocol.ts";
import { camerasOf, ofCameras, type Recordings, readRecordings } from "../behaviour/features/recording.ts";
import { gestureNotes, rateBy } from "../behaviour/train/gesture-file.ts";
import { trainGesture } from "../behaviour/train/gesture-training.ts";
import { loadTrees } from "../behaviour/trees/load.ts";
import { CctvError } from "../errors.ts";
import type { Console } from "./console.ts";
import { checkCameras, TRAINING_OPTIONS, trainingIn, trainingOf } from "./gesture-training.ts";
import { number, readOptions, required, text, texts, type Values } from "./options.ts";

export const EVALUATE_HELP = `aislewatch evaluate --data DIR [--train] [--model FILE]
  Scores recorded tracks and says how well that finds thefts, with a random scorer beside it.
  --train              score by models that are trained here: each camera by one that has not seen it
  --model FILE         score by this model
  --exclude-camera N   score camera N alone, and with --train by a model of all the others; may be
                       given several times
  --robustness         also with jitter, absent joints and fewer frames a second
  --resamples N        of videos, for the intervals (default 200)
  --out FILE           write the figures as JSON
  --seed, --trees, --models, --depth, --harmed   as for train`;

interface Row {
  readonly name: string;
  readonly verdict: Verdict;
  readonly degraded?: ReadonlyMap<string, Figures>;
}

/** @throws CctvError SETTING_INVALID, DATA_INVALID, TREES_NOT_FOUND, TREES_INVALID, TREES_UNSUPPORTED */
export async function evaluate(args: readonly string[], console: Console): Promise<void> {
  const values = readOptions(args, {
    data: { type: "string" },
    model: { type: "string" },
    train: { type: "boolean" },
    "exclude-camera": { type: "string", multiple: true },
    robustness: { type: "boolean" },
    resamples: { type: "string" },
    out: { type: "string" },
    ...TRAINING_OPTIONS,
  });
  const folder = required(values, "data");
  const resamples = number(values, "resamples", 200, 0, 100_000);
  const { seed } = trainingOf(values);
  const all = await readRecordings(folder);
  const excluded = texts(values, "exclude-camera");
  checkCameras(all, excluded, "exclude-camera");
  const judged = excluded.length > 0 ? ofCameras(all, (camera) => excluded.includes(camera)) : all;
  if (judged.persons.length === 0) throw new CctvError("DATA_INVALID", "nobody is seen on these cameras; name others");

  const rows: Row[] = [{ name: "random", verdict: verdictOn(judged, scoreAllAtRandom(judged, seed), resamples) }];
  for (const [name, judgeOf] of await scorersOf(values, all, excluded, console)) {
    console.note(`scoring by ${name}`);
    const verdict = verdictOn(judged, scoreAll(judged, judgeOf), resamples);
    if (!values.robustness) rows.push({ name, verdict });
    else rows.push({ name, verdict, degraded: verdictsWhenDegraded(judged, judgeOf, resamples) });
  }
  for (const line of report(judged, rows)) console.out(line);
  const out = text(values, "out");
  if (out !== undefined) await writeFile(out, `${JSON.stringify(plain(rows), undefined, 2)}\n`);
}

async function scorersOf(
  values: Values,
  all: Recordings,
  excluded: readonly string[],
  console: Console,
): Promise<[string, JudgeOf][]> {
  const scorers: [string, JudgeOf][] = [];
  const path = text(values, "model");
  if (path !== undefined) scorers.push([basename(path), await judgeFrom(path, console)]);
  if (values.train !== true) return scorers;

  const settings = trainingOf(values);
  const train = trainingIn(console);
  if (excluded.length === 0) {
    const judgeOf = await judgesWithoutTheirCamera(all, settings, train, (camera) =>
      console.note(`training without camera ${camera}`),
    );
    return [...scorers, ["trained here", judgeOf]];
  }
  const others = ofCameras(all, (camera) => !excluded.includes(camera));
  console.note(`training on cameras ${camerasOf(others).join(", ")}`);
  const judge = judgeBy(await trainGesture(others, settings, train));
  return [...scorers, ["trained here", () => judge]];
}

async function judgeFrom(path: string, console: Console): Promise<JudgeOf> {
  const rate = rateBy(await loadTrees(path));
  const { smoothing, cameras } = gestureNotes(JSON.parse(await readFile(path, "utf8")));
  console.note(
    `${basename(path)} learned from cameras ${cameras.join(", ")}: where they are those of this data, its figures are too good`,
  );
  return () => ({ rate, smoothing });
}

function report(judged: Recordings, rows: readonly Row[]): string[] {
  const { videos, thefts, personHours } = extentOf(judged);
  const cameras = camerasOf(judged);
  const lines = [
    `cameras ${cameras.join(", ")}: ${videos} videos, ${thefts} thefts, ${personHours.toFixed(2)} person-hours; brackets hold 95 %, by resampling videos`,
  ];
  const protocols = [
    ["LOCO", "leave one camera out, mean of the cameras", ({ loco }: Verdict) => loco],
    ["split", "all thefts and every third other video, pooled", ({ split }: Verdict) => split],
  ] as const;
  for (const [name, how, of] of protocols) {
    lines.push("", `${name} (${how})`, heading(""));
    lines.push(...rows.map((row) => figureLine(row.name, of(row.verdict))));
  }
  lines.push("", `AUC of each camera${" ".repeat(12)}${cameras.map((camera) => camera.padStart(8)).join("")}`);
  for (const { name, verdict } of rows) {
    const aucs = cameras.map((camera) => (verdict.loco.cameras.get(camera) ?? Number.NaN).toFixed(3).padStart(8));
    lines.push(`${name.padEnd(NAME_WIDTH)}${aucs.join("")}`);
  }
  for (const { name, degraded } of rows) {
    if (!degraded) continue;
    lines.push("", `${name}, seen worse (LOCO)`, heading(""));
    lines.push(...Array.from(degraded, ([how, figures]) => figureLine(how, figures)));
  }
  return lines;
}

const NAME_WIDTH = 30;
const CELL_WIDTH = 20;

function heading(name: string): string {
  const recall = BUDGETS.map((budget) => `recall at ${budget}/h`.padEnd(CELL_WIDTH));
  return [name.padEnd(NAME_WIDTH), "AUC".padEnd(CELL_WIDTH), "AP".padEnd(CELL_WIDTH), ...recall].join("").trimEnd();
}

function figureLine(name: string, { auc, averagePrecision, recall }: Figures): string {
  const cells = [cell(auc, 3), cell(averagePrecision, 3), ...recall.map((figure) => cell(figure, 2))];
  return `${name.padEnd(NAME_WIDTH)}${cells.join("")}`.trimEnd();
}

function cell({ value, interval: [low, high] }: Figure, digits: number): string {
  return `${value.toFixed(digits)} [${low.toFixed(digits)}, ${high.toFixed(digits)}]`.padEnd(CELL_WIDTH);
}

function plain(rows: readonly Row[]): object {
  const figures = ({ cameras, recall, ...rest }: Figures): object => ({
    ...rest,
    recall: Object.fromEntries(BUDGETS.map((budget, index) => [budget, recall[index]])),
    cameras: Object.fromEntries(cameras),
  });
  return Object.fromEntries(
    rows.map(({ name, verdict, degraded }) => [
      name,
      {
        loco: figures(verdict.loco),
        split: figures(verdict.split),
        ...(degraded && { degraded: Object.fromEntries(Array.from(degraded, ([how, of]) => [how, figures(of)])) }),
      },
    ]),
  );
}
