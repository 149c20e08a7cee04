/** Bytes of a file from `position`; fewer than `length` at its end. */
export type ReadBytes = (position: number, length: number) => Promise<Uint8Array>;

/** Fields of ModelProto: https://github.com/onnx/onnx/blob/main/onnx/onnx.proto3 */
const GRAPH = 7;
const METADATA_PROPS = 14;
const LAST_FIELD = 31;
/** Fields of StringStringEntryProto. */
const KEY = 1;
const VALUE = 2;

const VARINT = 0;
const FIXED64 = 1;
const LENGTH_DELIMITED = 2;
const FIXED32 = 5;

const MAX_VARINT_LENGTH = 10;
const MAX_FIELDS = 10_000;
/** Longer entries are skipped: what this package looks for is a few words long. */
const MAX_ENTRY_LENGTH = 64 * 1024;

/**
 * Reads the key-value pairs of an ONNX file, which the runtimes do not tell, without reading the weights. Checks on
 * the way that the file's outermost fields are well formed and all there.
 *
 * @throws Error with the reason where they are not
 */
export async function readOnnxMetadata(read: ReadBytes, fileSize: number): Promise<Map<string, string>> {
  if (fileSize === 0) throw new Error("it is empty");
  const metadata = new Map<string, string>();
  let hasGraph = false;
  let position = 0;
  for (let count = 0; position < fileSize; count++) {
    if (count === MAX_FIELDS) throw notOnnx();
    const { field, wireType, start, length } = await readField(read, position);
    if (field < 1 || field > LAST_FIELD) throw notOnnx();
    const end = start + length;
    if (end > fileSize) throw new Error(`it is cut short: it has ${fileSize} of at least ${end} bytes`);
    if (field === GRAPH && wireType === LENGTH_DELIMITED) hasGraph = true;
    if (field === METADATA_PROPS && wireType === LENGTH_DELIMITED && length <= MAX_ENTRY_LENGTH) {
      const [key, value] = parseEntry(await read(start, length));
      metadata.set(key, value);
    }
    position = end;
  }
  if (!hasGraph) throw notOnnx();
  return metadata;
}

interface Field {
  readonly field: number;
  readonly wireType: number;
  /** Where its content starts, and how long that is. */
  readonly start: number;
  readonly length: number;
}

async function readField(read: ReadBytes, position: number): Promise<Field> {
  const head = await read(position, 2 * MAX_VARINT_LENGTH);
  const field = parseField(head, 0);
  return { ...field, start: position + field.start };
}

function parseField(bytes: Uint8Array, offset: number): Field {
  const tag = parseVarint(bytes, offset);
  const field = Math.floor(tag.value / 8);
  const wireType = tag.value % 8;
  switch (wireType) {
    case VARINT: {
      const { end } = parseVarint(bytes, tag.end);
      return { field, wireType, start: tag.end, length: end - tag.end };
    }
    case FIXED64:
      return { field, wireType, start: tag.end, length: 8 };
    case LENGTH_DELIMITED: {
      const length = parseVarint(bytes, tag.end);
      return { field, wireType, start: length.end, length: length.value };
    }
    case FIXED32:
      return { field, wireType, start: tag.end, length: 4 };
    default:
      throw notOnnx();
  }
}

function parseVarint(bytes: Uint8Array, offset: number): { value: number; end: number } {
  let value = 0;
  for (let index = 0; index < MAX_VARINT_LENGTH; index++) {
    const byte = bytes[offset + index];
    if (byte === undefined) throw new Error("it is cut short in the middle of a field");
    value += (byte & 0x7f) * 2 ** (7 * index);
    if (byte < 0x80) return { value, end: offset + index + 1 };
  }
  throw notOnnx();
}

function parseEntry(bytes: Uint8Array): [key: string, value: string] {
  const texts = new Map<number, string>();
  for (let offset = 0; offset < bytes.length; ) {
    const { field, start, length } = parseField(bytes, offset);
    if (start + length > bytes.length) throw notOnnx();
    texts.set(field, new TextDecoder().decode(bytes.subarray(start, start + length)));
    offset = start + length;
  }
  return [texts.get(KEY) ?? "", texts.get(VALUE) ?? ""];
}

function notOnnx(): Error {
  return new Error("it is not an ONNX file");
}
