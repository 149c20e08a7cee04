/**
 * Reads a TensorFlow.js graph model: model.json (a TensorFlow GraphDef as JSON, and a manifest of the
 * weights) with its .bin files. Weights stay as they are stored; this project's are float16 or int32.
 */
import { readFileSync } from "node:fs";
import { dirname, join } from "node:path";

/**
 * @typedef {{ shape: number[], type: "float16" | "int32", data: Uint16Array | Int32Array }} Weight
 *   float16 values as their bits
 * @typedef {{ name: string, op: string, inputs: string[], attributes: Record<string, any> }} TfNode
 * @typedef {{ nodes: Map<string, TfNode>, weights: Map<string, Weight>, generatedBy: string }} TfjsGraph
 */

/** @param {string} file path of model.json @returns {TfjsGraph} */
export function readTfjsGraph(file) {
  const model = JSON.parse(readFileSync(file, "utf8"));
  const nodes = new Map(model.modelTopology.node.map((node) => [node.name, readNode(node)]));
  const weights = new Map();
  for (const { paths, weights: entries } of model.weightsManifest) {
    const bytes = Buffer.concat(paths.map((path) => readFileSync(join(dirname(file), path))));
    let offset = 0;
    for (const entry of entries) {
      const weight = readWeight(entry, bytes, offset);
      weights.set(entry.name, weight);
      offset += weight.data.byteLength;
    }
    if (offset !== bytes.length) throw new Error(`${file}: the manifest covers ${offset} of ${bytes.length} bytes`);
  }
  return { nodes, weights, generatedBy: model.generatedBy ?? "" };
}

/** The nodes that the outputs need, each after those that it reads. @param {TfjsGraph} graph @param {string[]} outputs */
export function nodesFor(graph, outputs) {
  const ordered = new Set();
  /** @param {string} name */
  const visit = (name) => {
    const node = graph.nodes.get(name);
    if (!node) throw new Error(`the graph has no node ${name}`);
    if (ordered.has(node)) return;
    node.inputs.forEach(visit);
    ordered.add(node);
  };
  outputs.forEach(visit);
  return [...ordered];
}

function readNode({ name, op, input = [], attr = {} }) {
  const attributes = Object.fromEntries(Object.entries(attr).map(([key, value]) => [key, readAttribute(value)]));
  return { name, op, inputs: input, attributes };
}

/** An AttrValue in proto3's JSON: 64-bit integers as strings, bytes as base64. */
function readAttribute(value) {
  if (value.list) return (value.list.i ?? []).map(Number).concat((value.list.s ?? []).map(fromBase64));
  if (value.s !== undefined) return fromBase64(value.s);
  if (value.i !== undefined) return Number(value.i);
  return value.b ?? value.f ?? value.type ?? value.shape;
}

const fromBase64 = (text) => Buffer.from(text, "base64").toString();

/** @returns {Weight} */
function readWeight({ name, shape, dtype, quantization }, bytes, offset) {
  const count = shape.reduce((product, size) => product * size, 1);
  if (dtype === "float32" && quantization?.dtype === "float16") {
    return { shape, type: "float16", data: new Uint16Array(copyOf(bytes, offset, 2 * count)) };
  }
  if (dtype === "int32" && !quantization) {
    return { shape, type: "int32", data: new Int32Array(copyOf(bytes, offset, 4 * count)) };
  }
  throw new Error(
    `weight ${name} is ${dtype} stored as ${quantization?.dtype ?? dtype}; float16 or int32 would be lossless`,
  );
}

/** Typed arrays need an aligned start, which a weight in the middle of a file may not have. */
function copyOf(bytes, offset, length) {
  if (offset + length > bytes.length)
    throw new Error(`the weights end at byte ${bytes.length}, before ${offset + length}`);
  return Uint8Array.prototype.slice.call(bytes, offset, offset + length).buffer;
}
