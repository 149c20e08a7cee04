/** Of a video what its parameter sets or its description tell; each field only where it is told. */
export interface PictureFormat {
  /** Pixels. */
  readonly width?: number;
  readonly height?: number;
  /** Pictures a second. */
  readonly fps?: number;
}

const H264_SEQUENCE = 7;
const H265_SEQUENCE = 33;
/** Profiles whose sequence parameter sets tell the chroma format (H.264, 7.3.2.1.1). */
const HIGH_PROFILES = new Set([100, 110, 122, 244, 44, 83, 86, 118, 128, 138, 139, 134, 135]);
const LONGEST_SIDE = 16_384;
const MOST_FPS = 240;

/** Size and rate of a sequence parameter set of H.264 (ITU-T H.264, 7.3.2.1.1 and E.1.1); empty for anything else. */
export function readH264(unit: Uint8Array): PictureFormat {
  if (((unit[0] ?? 0) & 0x1f) !== H264_SEQUENCE) return {};
  return read(unit.subarray(1), (bits) => {
    const profile = bits.number(8);
    bits.skip(16);
    bits.unsigned();
    const chroma = HIGH_PROFILES.has(profile) ? readChroma(bits) : 1;
    bits.unsigned();
    const orderType = bits.unsigned();
    if (orderType === 0) bits.unsigned();
    else if (orderType === 1) skipOrderCycle(bits);
    bits.unsigned();
    bits.skip(1);
    const across = (bits.unsigned() + 1) * 16;
    const down = (bits.unsigned() + 1) * 16;
    const framesOnly = bits.number(1);
    if (!framesOnly) bits.skip(1);
    bits.skip(1);
    const fields = framesOnly ? 1 : 2;
    const crop = readCrop(bits);
    const unitX = chroma === 1 || chroma === 2 ? 2 : 1;
    const unitY = (chroma === 1 ? 2 : 1) * fields;
    const format = sizeOf(across - unitX * (crop.left + crop.right), down * fields - unitY * (crop.top + crop.bottom));
    return bits.number(1) ? { ...format, ...readTiming(bits) } : format;
  });
}

/** Size of a sequence parameter set of H.265 (ITU-T H.265, 7.3.2.2.1); empty for anything else. */
export function readH265(unit: Uint8Array): PictureFormat {
  if ((((unit[0] ?? 0) >> 1) & 0x3f) !== H265_SEQUENCE) return {};
  return read(unit.subarray(2), (bits) => {
    bits.skip(4);
    const subLayers = bits.number(3);
    bits.skip(1);
    skipProfile(bits, subLayers);
    bits.unsigned();
    const chroma = bits.unsigned();
    if (chroma === 3) bits.skip(1);
    const width = bits.unsigned();
    const height = bits.unsigned();
    const crop = readCrop(bits);
    const unitX = chroma === 1 || chroma === 2 ? 2 : 1;
    const unitY = chroma === 1 ? 2 : 1;
    return sizeOf(width - unitX * (crop.left + crop.right), height - unitY * (crop.top + crop.bottom));
  });
}

function read(payload: Uint8Array, parse: (bits: BitReader) => PictureFormat): PictureFormat {
  const bits = new BitReader(withoutEscapes(payload));
  const format = parse(bits);
  return bits.isBeyondEnd ? {} : format;
}

function sizeOf(width: number, height: number): PictureFormat {
  const fits = (side: number) => side > 0 && side <= LONGEST_SIDE;
  return fits(width) && fits(height) ? { width, height } : {};
}

/** The chroma format: 0 for one plane at a time, 1 for 4:2:0, 2 for 4:2:2, 3 for 4:4:4. */
function readChroma(bits: BitReader): number {
  const format = bits.unsigned();
  const separate = format === 3 && bits.number(1) === 1;
  bits.unsigned();
  bits.unsigned();
  bits.skip(1);
  if (bits.number(1)) {
    for (let list = 0; list < (format === 3 ? 12 : 8); list++) {
      if (bits.number(1)) skipScalingList(bits, list < 6 ? 16 : 64);
    }
  }
  return separate ? 0 : format;
}

function skipScalingList(bits: BitReader, size: number): void {
  let last = 8;
  let next = 8;
  for (let entry = 0; entry < size; entry++) {
    if (next !== 0) next = (last + bits.signed() + 256) % 256;
    if (next !== 0) last = next;
  }
}

function skipOrderCycle(bits: BitReader): void {
  bits.skip(1);
  bits.signed();
  bits.signed();
  const count = Math.min(bits.unsigned(), 255);
  for (let frame = 0; frame < count; frame++) bits.signed();
}

function readCrop(bits: BitReader): { left: number; right: number; top: number; bottom: number } {
  if (!bits.number(1)) return { left: 0, right: 0, top: 0, bottom: 0 };
  return { left: bits.unsigned(), right: bits.unsigned(), top: bits.unsigned(), bottom: bits.unsigned() };
}

/** The start of video usability information, up to the clock. */
function readTiming(bits: BitReader): PictureFormat {
  const aspectExtended = 255;
  if (bits.number(1) && bits.number(8) === aspectExtended) bits.skip(32);
  if (bits.number(1)) bits.skip(1);
  if (bits.number(1)) {
    bits.skip(4);
    if (bits.number(1)) bits.skip(24);
  }
  if (bits.number(1)) {
    bits.unsigned();
    bits.unsigned();
  }
  if (!bits.number(1)) return {};
  const ticks = bits.number(32);
  const scale = bits.number(32);
  // A picture has two fields, and a tick is that of a field.
  const fps = scale / (2 * ticks);
  return !bits.isBeyondEnd && fps > 0 && fps <= MOST_FPS ? { fps: Math.round(fps * 1000) / 1000 } : {};
}

function skipProfile(bits: BitReader, subLayers: number): void {
  bits.skip(88 + 8);
  const present: [boolean, boolean][] = [];
  for (let layer = 0; layer < subLayers; layer++) present.push([bits.number(1) === 1, bits.number(1) === 1]);
  if (subLayers > 0) bits.skip(2 * (8 - subLayers));
  for (const [profile, level] of present) bits.skip((profile ? 88 : 0) + (level ? 8 : 0));
}

/** Takes out the bytes that keep start codes from appearing inside (H.264, 7.4.1.1). */
function withoutEscapes(bytes: Uint8Array): Uint8Array {
  return bytes.filter((byte, at) => !(byte === 3 && at >= 2 && bytes[at - 1] === 0 && bytes[at - 2] === 0));
}

/** Reads bits, high ones first; beyond the end there are zeros. */
class BitReader {
  readonly #bytes: Uint8Array;
  #at = 0;

  constructor(bytes: Uint8Array) {
    this.#bytes = bytes;
  }

  get isBeyondEnd(): boolean {
    return this.#at > this.#bytes.length * 8;
  }

  skip(count: number): void {
    this.#at += count;
  }

  /** An unsigned number of so many bits, at most 32. */
  number(count: number): number {
    let value = 0;
    for (let bit = 0; bit < count; bit++) {
      value = value * 2 + (((this.#bytes[this.#at >> 3] ?? 0) >> (7 - (this.#at & 7))) & 1);
      this.#at++;
    }
    return value;
  }

  /** Exp-Golomb code (H.264, 9.1). */
  unsigned(): number {
    let zeros = 0;
    while (zeros < 32 && !this.isBeyondEnd && this.number(1) === 0) zeros++;
    return 2 ** zeros - 1 + this.number(zeros);
  }

  signed(): number {
    const code = this.unsigned();
    return code % 2 === 0 ? -code / 2 : (code + 1) / 2;
  }
}
