/** What a model takes: its size in pixels where that is fixed, else what a side must be a multiple of. */
export type InputSize =
  | { readonly width: number; readonly height: number }
  | { readonly longSide: number; readonly multiple: number };

/** How a picture lies in a model's input: scaled to the content size, at the top left, the rest padding. Pixels. */
export interface Letterbox {
  readonly contentWidth: number;
  readonly contentHeight: number;
  readonly width: number;
  readonly height: number;
}

/** Scales a picture to fit the model's input, aspect kept. */
export function letterbox(width: number, height: number, size: InputSize): Letterbox {
  if ("width" in size) {
    const scale = Math.min(size.width / width, size.height / height);
    return { ...scaled(width, height, scale), width: size.width, height: size.height };
  }
  const content = scaled(width, height, size.longSide / Math.max(width, height));
  const padded = (pixels: number) => Math.ceil(pixels / size.multiple) * size.multiple;
  return { ...content, width: padded(content.contentWidth), height: padded(content.contentHeight) };
}

function scaled(width: number, height: number, scale: number): { contentWidth: number; contentHeight: number } {
  return {
    contentWidth: Math.max(1, Math.round(width * scale)),
    contentHeight: Math.max(1, Math.round(height * scale)),
  };
}

/** Packed RGB into the top left of a packed RGB input whose padding is already as it should be. */
export function copyRows(rgb: Uint8Array, { contentWidth, contentHeight, width }: Letterbox, target: Uint8Array): void {
  const rowLength = contentWidth * 3;
  if (contentWidth === width) {
    target.set(rgb.subarray(0, rowLength * contentHeight));
    return;
  }
  for (let row = 0; row < contentHeight; row++) {
    target.set(rgb.subarray(row * rowLength, (row + 1) * rowLength), row * width * 3);
  }
}

const UNIT = Float32Array.from({ length: 256 }, (_, value) => value / 255);

/** Packed RGB into the top left of three planes of 0..1, red first, whose padding is already as it should be. */
export function copyPlanes(
  rgb: Uint8Array,
  { contentWidth, contentHeight, width, height }: Letterbox,
  target: Float32Array,
): void {
  const plane = width * height;
  let from = 0;
  for (let row = 0; row < contentHeight; row++) {
    const start = row * width;
    for (let to = start; to < start + contentWidth; to++) {
      target[to] = UNIT[rgb[from++] as number] as number;
      target[to + plane] = UNIT[rgb[from++] as number] as number;
      target[to + 2 * plane] = UNIT[rgb[from++] as number] as number;
    }
  }
}
