import { createRequire } from "node:module";
import { cpus } from "node:os";
import { median, percentile } from "./statistics.mjs";

const require = createRequire(import.meta.url);

/**
 * @typedef {object} Results
 * @property {import("./rounds.mjs").Round[]} rounds at least one
 * @property {import("./measure/memory.mjs").MemoryUse} [memory]
 * @property {number} seconds of a window
 * @property {string} ffmpeg version
 * @property {number[]} load average of the machine before
 */

/**
 * @param {Results} results
 * @returns {string} Markdown
 */
export function report({ rounds, memory, seconds, ffmpeg, load }) {
  return [
    conditions(rounds.length, seconds, ffmpeg, load),
    contenders(rounds),
    ratios(rounds),
    floods(rounds),
    ...(memory ? [memoryTable(memory)] : []),
  ].join("\n\n");
}

function conditions(count, seconds, ffmpeg, load) {
  const processors = cpus();
  const versions = [
    `Node.js ${process.versions.node}`,
    `Node-RED ${require("node-red/package.json").version}`,
    `onnxruntime-node ${require("onnxruntime-node/package.json").version}`,
    `ffmpeg ${ffmpeg}`,
  ];
  return [
    `${processors.length} x ${processors[0]?.model ?? "unknown processor"}, ${versions.join(", ")}; `,
    `load before: ${load.map((value) => value.toFixed(2)).join(" ")}. `,
    `Windows of ${seconds} s; medians of ${count} rounds, in brackets the least and the most.`,
  ].join("");
}

/** @param {import("./rounds.mjs").Round[]} rounds */
function contenders(rounds) {
  const row = (name, measured) => [
    name,
    spread(measured.map(({ cpu }) => cpu.msPerPicture)),
    spread(measured.map(({ cpu }) => cpu.ffmpegMsPerPicture)),
    spread(measured.map(({ cpu }) => cpu.picturesPerSecond)),
    spread(measured.map(({ cpu }) => cpu.peoplePerPicture)),
    ...tripCells(measured),
  ];
  const peer = rounds.map((round) => round.peer);
  const failure = peer.find((measured) => "notMeasured" in measured);
  const peerName = "@good-i-deer object detection";
  return table(
    ["", "CPU ms per analysed picture", "of it ffmpeg", "pictures/s", "people per picture", ...TRIP_HEADINGS],
    [
      row(
        "this package in Node-RED",
        rounds.map((round) => round.pipeline),
      ),
      row(
        "bare ffmpeg + onnxruntime",
        rounds.map((round) => round.bare),
      ),
      failure ? [peerName, `not measured: ${oneLine(failure.notMeasured)}`] : row(peerName, peer),
    ],
  );
}

const TRIP_HEADINGS = ["HTTP p50 ms", "HTTP p99 ms", "HTTP most ms"];

/** @param {readonly { trips?: number[] }[]} measured */
function tripCells(measured) {
  if (measured.some(({ trips }) => trips === undefined)) return ["-", "-", "-"];
  const over = (summary) => spread(measured.map(({ trips }) => summary(trips)));
  return [
    over((trips) => percentile(trips, 50)),
    over((trips) => percentile(trips, 99)),
    over((trips) => Math.max(...trips)),
  ];
}

/** Of the same round, so that what else the machine does falls out as far as it can. */
function ratios(rounds) {
  const cost = (measured) => measured.cpu.msPerPicture;
  const toBare = rounds.map(({ pipeline, bare }) => cost(pipeline) / cost(bare));
  const rows = [["this package / bare", spread(toBare, 2)]];
  if (!rounds.some(({ peer }) => "notMeasured" in peer)) {
    const toPeer = rounds.map(({ pipeline, peer }) => cost(pipeline) / cost(peer));
    rows.push(["this package / @good-i-deer object detection", spread(toPeer, 2)]);
  }
  return table(["CPU per analysed picture", "ratio"], rows);
}

/** @param {import("./rounds.mjs").Round[]} rounds */
function floods(rounds) {
  /** @param {(flood: import("./measure/flood.mjs").Flood) => number} of */
  const over = (of) => [
    spread(rounds.map(({ flood }) => of(flood))),
    spread(rounds.map(({ slowFlood }) => of(slowFlood))),
  ];
  return table(
    ["flooded: 25 pictures/s come in, ms", "onnxruntime-node", "WebAssembly"],
    [
      ["inference, p50", ...over(({ inferenceP50 }) => inferenceP50)],
      ["inference, p99", ...over(({ inferenceP99 }) => inferenceP99)],
      ["wait for the model, p99", ...over(({ queueP99 }) => queueP99)],
      ["age of a picture when its analysis begins, p99", ...over(({ ageP99 }) => ageP99)],
      ["the same, most", ...over(({ ageMax }) => ageMax)],
      ["beyond one inference and one frame, most", ...over(({ worstExcess }) => worstExcess)],
      ["share of pictures within that, %", ...over(({ withinLimit }) => withinLimit * 100)],
      ["HTTP round trip, p50", ...over(({ trips }) => percentile(trips, 50))],
      ["HTTP round trip, p99", ...over(({ trips }) => percentile(trips, 99))],
      ["HTTP round trip, most", ...over(({ trips }) => Math.max(...trips))],
    ],
  );
}

/** A shorter slope shows where garbage happened to be collected. */
const LEAST_MINUTES_FOR_SLOPE = 5;

/** @param {import("./measure/memory.mjs").MemoryUse} memory */
function memoryTable({ minutes, startMb, endMb, largestMb, percentPerHour }) {
  return table(
    [`resident memory over ${minutes} minutes, Node-RED and ffmpeg`, ""],
    [
      ["first minute, MB", startMb.toFixed(0)],
      ["last minute, MB", endMb.toFixed(0)],
      ["most, MB", largestMb.toFixed(0)],
      ["slope, % an hour", minutes < LEAST_MINUTES_FOR_SLOPE ? "the run was too short" : percentPerHour.toFixed(1)],
    ],
  );
}

function table(headings, rows) {
  const line = (cells) => `| ${cells.join(" | ")} |`;
  const filled = rows.map((row) => [...row, ...Array(headings.length - row.length).fill("")]);
  return [line(headings), line(headings.map(() => "---")), ...filled.map(line)].join("\n");
}

function spread(values, digits = 1) {
  const show = (value) => value.toFixed(digits);
  if (values.length === 1) return show(values[0]);
  return `${show(median(values))} (${show(Math.min(...values))}–${show(Math.max(...values))})`;
}

function oneLine(text) {
  return text.replace(/\s+/g, " ").replaceAll("|", "\\|").slice(0, 300);
}
