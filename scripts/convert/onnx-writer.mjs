/**
 * Writes ONNX files. Field numbers are those of onnx.proto3:
 * https://github.com/onnx/onnx/blob/main/onnx/onnx.proto3
 */
import { ProtobufMessage } from "./protobuf.mjs";

/** TensorProto.DataType */
export const DATA_TYPE = { float: 1, uint8: 2, int32: 6, int64: 7, float16: 10 };

const ATTRIBUTE_TYPE = { float: 1, int: 2, string: 3, ints: 7 };
const IR_VERSION = 8;
const OPSET = 17;

/**
 * @typedef {keyof typeof DATA_TYPE} DataType
 * @typedef {number | string} Dimension a size, or the name of a size that is known at run time only
 * @typedef {{ name: string, type: DataType, shape: Dimension[] }} Value
 * @typedef {{ name: string, type: DataType, shape: number[], data: Uint8Array }} Tensor little-endian bytes
 * @typedef {{ op: string, inputs: string[], outputs: string[], attributes?: Record<string, number | string | number[]> }} Node
 *   A whole number becomes an int attribute, any other number a float.
 * @typedef {object} Model
 * @property {string} name
 * @property {Node[]} nodes in the order of execution
 * @property {Tensor[]} initializers
 * @property {Value[]} inputs
 * @property {Value[]} outputs
 * @property {string} [producer]
 * @property {string} [description]
 * @property {Record<string, string>} [metadata]
 */

/** @param {Model} model @returns {Buffer} the bytes of an .onnx file */
export function onnxModel({ metadata = {}, producer = "node-red-cctv", description = "", ...graph }) {
  const file = new ProtobufMessage().int(1, IR_VERSION).bytes(2, producer).bytes(6, description);
  file.message(7, graphMessage(graph));
  file.message(8, new ProtobufMessage().bytes(1, "").int(2, OPSET));
  for (const [key, value] of Object.entries(metadata)) {
    file.message(14, new ProtobufMessage().bytes(1, key).bytes(2, value));
  }
  return file.toBuffer();
}

/** @param {Omit<Model, "metadata" | "producer" | "description">} graph */
function graphMessage({ name, nodes, initializers, inputs, outputs }) {
  const message = new ProtobufMessage();
  for (const node of nodes) message.message(1, nodeMessage(node));
  message.bytes(2, name);
  for (const tensor of initializers) message.message(5, tensorMessage(tensor));
  for (const input of inputs) message.message(11, valueMessage(input));
  for (const output of outputs) message.message(12, valueMessage(output));
  return message;
}

/** @param {Node} node */
function nodeMessage({ op, inputs, outputs, attributes = {} }) {
  const message = new ProtobufMessage();
  for (const input of inputs) message.bytes(1, input);
  for (const output of outputs) message.bytes(2, output);
  message.bytes(3, outputs[0] ?? op).bytes(4, op);
  for (const [name, value] of Object.entries(attributes)) message.message(5, attributeMessage(name, value));
  return message;
}

/** @param {string} name @param {number | string | number[]} value */
function attributeMessage(name, value) {
  const message = new ProtobufMessage().bytes(1, name);
  if (Array.isArray(value)) {
    for (const item of value) message.int(8, item);
    return message.int(20, ATTRIBUTE_TYPE.ints);
  }
  if (typeof value === "string") return message.bytes(4, value).int(20, ATTRIBUTE_TYPE.string);
  if (Number.isInteger(value)) return message.int(3, value).int(20, ATTRIBUTE_TYPE.int);
  return message.float(2, value).int(20, ATTRIBUTE_TYPE.float);
}

/** @param {Tensor} tensor */
function tensorMessage({ name, type, shape, data }) {
  const message = new ProtobufMessage();
  for (const size of shape) message.int(1, size);
  return message.int(2, DATA_TYPE[type]).bytes(8, name).bytes(9, data);
}

/** @param {Value} value */
function valueMessage({ name, type, shape }) {
  const dimensions = new ProtobufMessage();
  for (const size of shape) {
    const dimension = new ProtobufMessage();
    dimensions.message(1, typeof size === "number" ? dimension.int(1, size) : dimension.bytes(2, size));
  }
  const tensorType = new ProtobufMessage().int(1, DATA_TYPE[type]).message(2, dimensions);
  return new ProtobufMessage().bytes(1, name).message(2, new ProtobufMessage().message(1, tensorType));
}
