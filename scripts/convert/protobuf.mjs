/**
 * Writes the protobuf wire format: https://protobuf.dev/programming-guides/encoding/
 * Only what ONNX needs: varints, 32-bit floats and length-delimited fields.
 */
const VARINT = 0;
const LENGTH_DELIMITED = 2;
const FIXED32 = 5;

export class ProtobufMessage {
  /** @type {Uint8Array[]} */
  #parts = [];
  #length = 0;

  get length() {
    return this.#length;
  }

  /** @param {number} field @param {number | bigint} value int32, int64 or an enumeration */
  int(field, value) {
    return this.#tag(field, VARINT).#varint(BigInt(value));
  }

  /** @param {number} field @param {number} value */
  float(field, value) {
    const bytes = Buffer.alloc(4);
    bytes.writeFloatLE(value);
    return this.#tag(field, FIXED32).#append(bytes);
  }

  /** @param {number} field @param {string | Uint8Array} value */
  bytes(field, value) {
    const bytes = typeof value === "string" ? Buffer.from(value) : value;
    return this.#tag(field, LENGTH_DELIMITED).#varint(BigInt(bytes.length)).#append(bytes);
  }

  /** @param {number} field @param {ProtobufMessage} message */
  message(field, message) {
    this.#tag(field, LENGTH_DELIMITED).#varint(BigInt(message.length));
    for (const part of message.#parts) this.#append(part);
    return this;
  }

  toBuffer() {
    return Buffer.concat(this.#parts, this.#length);
  }

  /** @param {number} field @param {number} wireType */
  #tag(field, wireType) {
    return this.#varint(BigInt((field << 3) | wireType));
  }

  /** @param {bigint} value negative ones as two's complement of 64 bits */
  #varint(value) {
    let rest = BigInt.asUintN(64, value);
    const bytes = [];
    while (rest > 0x7fn) {
      bytes.push(Number(rest & 0x7fn) | 0x80);
      rest >>= 7n;
    }
    bytes.push(Number(rest));
    return this.#append(Uint8Array.from(bytes));
  }

  /** @param {Uint8Array} bytes */
  #append(bytes) {
    this.#parts.push(bytes);
    this.#length += bytes.length;
    return this;
  }
}
