// ffmpeg -> onnxruntime-node -> this package's decoding of the heads, and nothing else. bare.mjs runs it.
import { spawn } from "node:child_process";
import { fileURLToPath } from "node:url";
import { InferenceSession, Tensor } from "onnxruntime-node";
import { decodeMovenet, MOVENET_THRESHOLD } from "../../dist/src/pose/movenet.js";
import { ANALYSED_FPS, CLIP, CLIP_HEIGHT, CLIP_WIDTH } from "../clip.mjs";

const MODEL = fileURLToPath(new URL("../../models/movenet-multipose.onnx", import.meta.url));
const PICTURE_BYTES = CLIP_WIDTH * CLIP_HEIGHT * 3;
/** The model takes sides that are multiples of this; the picture lies at the top, black below. */
const SIDE_MULTIPLE = 64;
const INPUT_HEIGHT = Math.ceil(CLIP_HEIGHT / SIDE_MULTIPLE) * SIDE_MULTIPLE;

const session = await InferenceSession.create(MODEL, {
  intraOpNumThreads: 1,
  interOpNumThreads: 1,
  executionMode: "sequential",
  executionProviders: ["cpu"],
  extra: { session: { intra_op: { allow_spinning: "0" }, inter_op: { allow_spinning: "0" } } },
});
const [inputName] = session.inputNames;
const input = new Uint8Array(CLIP_WIDTH * INPUT_HEIGHT * 3);
const tensor = new Tensor("uint8", input, [1, INPUT_HEIGHT, CLIP_WIDTH, 3]);

const ffmpeg = spawn(
  process.argv[2],
  [
    ...["-hide_banner", "-nostdin", "-loglevel", "error", "-threads", "1", "-re", "-stream_loop", "-1", "-i", CLIP],
    ...["-an", "-threads", "1", "-vf", `fps=${ANALYSED_FPS}`, "-f", "rawvideo", "-pix_fmt", "rgb24", "pipe:1"],
  ],
  { stdio: ["ignore", "pipe", "inherit"] },
);
ffmpeg.on("error", (error) => {
  throw error;
});
process.on("exit", () => ffmpeg.kill());
process.on("SIGTERM", () => process.exit());
process.on("SIGINT", () => process.exit());
process.on("disconnect", () => process.exit());

let isAsked = false;
process.on("message", () => {
  isAsked = true;
});

let pictures = 0;
let people = 0;
let filled = 0;
for await (const chunk of ffmpeg.stdout) {
  let rest = chunk;
  while (rest.length > 0) {
    const part = rest.subarray(0, PICTURE_BYTES - filled);
    input.set(part, filled);
    filled += part.length;
    rest = rest.subarray(part.length);
    if (filled === PICTURE_BYTES) await analyse();
  }
}
process.exit(1); // ffmpeg ended, and has said why

async function analyse() {
  filled = 0;
  const { center, box_scale, box_offset, kpt_heatmap, kpt_regress, kpt_offset } = await session.run({
    [inputName]: tensor,
  });
  const [, , height, width] = center.dims;
  const detections = decodeMovenet(
    {
      width,
      height,
      center: center.data,
      boxScale: box_scale.data,
      boxOffset: box_offset.data,
      keypointHeatmap: kpt_heatmap.data,
      keypointRegression: kpt_regress.data,
      keypointOffset: kpt_offset.data,
    },
    MOVENET_THRESHOLD,
  );
  pictures += 1;
  people += detections.length;
  if (!isAsked) return;
  isAsked = false;
  process.send({ pictures, people, delays: [] });
}
