/**
 * Turns a fully convolutional TensorFlow.js graph into ONNX. TensorFlow keeps pictures as NHWC and ONNX
 * as NCHW, so the picture is transposed once at the start, and every tensor after it is NCHW.
 *
 * Weights keep their float16 bits: they are only reordered, and cast to float32 when the model is loaded.
 */
import { onnxModel } from "./onnx-writer.mjs";
import { nodesFor, readTfjsGraph } from "./tfjs-graph.mjs";

const FLOAT = 1;
/** Pictures are multiples of this, so a convolution of stride 2 always meets an even size. */
const SIZE_MULTIPLE = 32;

/**
 * @typedef {import("./tfjs-graph.mjs").TfNode} TfNode
 * @typedef {import("./tfjs-graph.mjs").Weight} Weight
 * @typedef {{ node: string, name: string, channels: number }} Head where to cut, and the output's name
 */

/**
 * @param {string} file path of a TensorFlow.js model.json
 * @param {{ name: string, description: string, heads: Head[], headStride: number, metadata: Record<string, string> }} options
 * @returns {Buffer} the bytes of an .onnx file
 */
export function convertTfjsToOnnx(file, { name, description, heads, headStride, metadata }) {
  const graph = readTfjsGraph(file);
  const builder = new GraphBuilder(graph);
  for (const node of nodesFor(
    graph,
    heads.map((head) => head.node),
  ))
    builder.add(node);
  for (const head of heads) builder.output(head);
  return onnxModel({
    name,
    description,
    nodes: builder.nodes,
    initializers: builder.initializers,
    inputs: [{ name: "picture", type: "uint8", shape: ["batch", "height", "width", 3] }],
    outputs: heads.map((head) => ({
      name: head.name,
      type: "float",
      shape: ["batch", head.channels, `height / ${headStride}`, `width / ${headStride}`],
    })),
    metadata: { ...metadata, source: graph.generatedBy, stride: String(SIZE_MULTIPLE) },
  });
}

class GraphBuilder {
  nodes = [];
  initializers = [];
  #graph;
  /** ONNX name of each TensorFlow node's result. @type {Map<string, string>} */
  #results = new Map();

  constructor(graph) {
    this.#graph = graph;
  }

  /** @param {TfNode} node */
  add(node) {
    const translate = TRANSLATIONS[node.op];
    if (!translate) throw new Error(`cannot convert ${node.op} (${node.name}); known are ${Object.keys(TRANSLATIONS)}`);
    const result = translate(node, this);
    if (result) this.#results.set(node.name, result);
  }

  /** @param {Head} head */
  output(head) {
    this.nodes.push({ op: "Identity", inputs: [this.tensor(head.node)], outputs: [head.name] });
  }

  /** Appends an ONNX node and returns the name of its result. */
  emit(op, inputs, attributes = {}) {
    const result = `${op.toLowerCase()}_${this.nodes.length}`;
    this.nodes.push({ op, inputs, outputs: [result], attributes });
    return result;
  }

  /** @param {string} name of a TensorFlow node */
  node(name) {
    return this.#graph.nodes.get(name);
  }

  /** @param {string} name of a TensorFlow node that is computed */
  tensor(name) {
    const result = this.#results.get(name);
    if (!result) throw new Error(`${name} is not a picture-like tensor`);
    return result;
  }

  /** @param {string} name of a TensorFlow constant @returns {Weight} */
  weight(name) {
    const weight = this.#graph.weights.get(name);
    if (!weight) throw new Error(`${name} is not a constant`);
    return weight;
  }

  /** A float32 tensor from float16 bits. @param {Uint16Array} bits @param {number[]} shape */
  constant(bits, shape) {
    const name = `weight_${this.initializers.length}`;
    this.initializers.push({ name, type: "float16", shape, data: new Uint8Array(bits.buffer) });
    return this.emit("Cast", [name], { to: FLOAT });
  }

  /** @param {number[]} values */
  floats(values, shape = [values.length]) {
    const name = `number_${this.initializers.length}`;
    this.initializers.push({ name, type: "float", shape, data: new Uint8Array(Float32Array.from(values).buffer) });
    return name;
  }

  /** An operand of element-wise arithmetic: a computed tensor, one number, or one number per channel. */
  operand(name) {
    if (this.#results.has(name)) return this.tensor(name);
    const { shape, type, data } = this.weight(name);
    const channels = shape.at(-1) ?? 1;
    if (type !== "float16" || data.length !== channels) {
      throw new Error(`constant ${name} of shape [${shape}] is not one float per channel`);
    }
    return this.constant(data, shape.length === 0 ? [] : [1, channels, 1, 1]);
  }
}

/** @type {Record<string, (node: TfNode, builder: GraphBuilder) => string | undefined>} */
const TRANSLATIONS = {
  Const: () => undefined,
  Placeholder: (_node, builder) => builder.emit("Transpose", ["picture"], { perm: [0, 3, 1, 2] }),
  Cast: floatCast,
  Sub: (node, builder) => elementwise("Sub", node, builder),
  Mul: (node, builder) => (isResizeSize(node) ? undefined : elementwise("Mul", node, builder)),
  AddV2: (node, builder) => elementwise("Add", node, builder),
  _FusedConv2D: (node, builder) => convolution(node, builder, reorderKernel),
  DepthwiseConv2dNative: (node, builder) => convolution(node, builder, reorderDepthwiseKernel),
  FusedDepthwiseConv2dNative: (node, builder) => convolution(node, builder, reorderDepthwiseKernel),
  ResizeBilinear: resizeBilinear,
  // A resize's size is computed as shape * constant: `resizeBilinear` reads the constant instead.
  Shape: () => undefined,
  StridedSlice: () => undefined,
};

function floatCast(node, builder) {
  if (node.attributes.DstT !== "DT_FLOAT") throw new Error(`${node.name} casts to ${node.attributes.DstT}`);
  return builder.emit("Cast", [builder.tensor(node.inputs[0])], { to: FLOAT });
}

function elementwise(op, node, builder) {
  return builder.emit(
    op,
    node.inputs.map((name) => builder.operand(name)),
  );
}

const isResizeSize = (node) => node.attributes.T === "DT_INT32";

function convolution(node, builder, reorder) {
  const { strides, dilations, data_format: layout, padding, fused_ops: fused = [] } = node.attributes;
  if (layout !== "NHWC" || dilations.some((step) => step !== 1)) {
    throw new Error(`${node.name}: only NHWC convolutions without dilation can be converted`);
  }
  const [picture, kernel, bias] = node.inputs;
  const weight = builder.weight(kernel);
  const [height, width] = weight.shape;
  const { bits, shape, groups } = reorder(weight);
  const inputs = [builder.tensor(picture), builder.constant(bits, shape)];
  if (fused.includes("BiasAdd")) inputs.push(builder.constant(builder.weight(bias).data, [shape[0]]));
  const result = builder.emit("Conv", inputs, {
    kernel_shape: [height, width],
    strides: [strides[1], strides[2]],
    pads: pads(padding, [height, width], [strides[1], strides[2]]),
    group: groups,
  });
  return activation(
    fused.filter((name) => name !== "BiasAdd"),
    result,
    builder,
  );
}

/** @param {string[]} names */
function activation(names, tensor, builder) {
  if (names.length === 0) return tensor;
  if (names.length > 1) throw new Error(`cannot convert the fused operations ${names}`);
  if (names[0] === "Relu") return builder.emit("Relu", [tensor]);
  if (names[0] === "Relu6") return builder.emit("Clip", [tensor, builder.floats([0], []), builder.floats([6], [])]);
  throw new Error(`cannot convert the activation ${names[0]}`);
}

/** TensorFlow's SAME padding for sizes that the stride divides: the odd pixel goes below and to the right. */
function pads(padding, kernel, strides) {
  if (padding === "VALID") return [0, 0, 0, 0];
  if (padding !== "SAME") throw new Error(`cannot convert the padding ${padding}`);
  const total = kernel.map((size, axis) => Math.max(size - strides[axis], 0));
  const before = total.map((pixels) => Math.floor(pixels / 2));
  return [...before, ...total.map((pixels, axis) => pixels - before[axis])];
}

/** [height, width, in, out] to [out, in, height, width] */
function reorderKernel({ shape, data }) {
  const [height, width, inputs, outputs] = shape;
  const bits = new Uint16Array(data.length);
  let from = 0;
  for (let pixel = 0; pixel < height * width; pixel++) {
    for (let input = 0; input < inputs; input++) {
      for (let output = 0; output < outputs; output++) {
        bits[(output * inputs + input) * height * width + pixel] = data[from++];
      }
    }
  }
  return { bits, shape: [outputs, inputs, height, width], groups: 1 };
}

/** [height, width, channels, 1] to [channels, 1, height, width] */
function reorderDepthwiseKernel({ shape, data }) {
  const [height, width, channels, multiplier] = shape;
  if (multiplier !== 1) throw new Error(`cannot convert a depthwise convolution with multiplier ${multiplier}`);
  const { bits } = reorderKernel({ shape: [height, width, 1, channels], data });
  return { bits, shape: [channels, 1, height, width], groups: channels };
}

function resizeBilinear(node, builder) {
  const { align_corners: alignCorners, half_pixel_centers: halfPixelCenters } = node.attributes;
  if (alignCorners || !halfPixelCenters) throw new Error(`${node.name}: only half-pixel centres can be converted`);
  const [picture, size] = node.inputs;
  const factors = upscaling(builder, picture, size);
  return builder.emit("Resize", [builder.tensor(picture), "", builder.floats([1, 1, ...factors])], {
    mode: "linear",
    coordinate_transformation_mode: "half_pixel",
  });
}

/** The constant of `size = Shape(picture)[1:3] * constant`, which is how Keras writes UpSampling2D. */
function upscaling(builder, picture, size) {
  const product = builder.node(size);
  const slice = builder.node(product?.inputs[0]);
  const shape = builder.node(slice?.inputs[0]);
  if (product?.op !== "Mul" || slice?.op !== "StridedSlice" || shape?.op !== "Shape" || shape.inputs[0] !== picture) {
    throw new Error(`${size} is not the picture's size times a constant`);
  }
  return builder.weight(product.inputs[1]).data;
}
