import sharp from "sharp";
import type { Frame } from "../frame/frame.ts";
import { type Box, joint, type Keypoint, LIMBS } from "./person.ts";

export interface Drawable {
  readonly box: Box;
  /** In COCO order; none draws no skeleton. */
  readonly keypoints?: readonly Keypoint[];
  /** Any text; wrapped, and cut where it grows too long. */
  readonly label?: string;
  /** Stands out among the others. */
  readonly highlighted?: boolean;
}

export interface DrawOptions {
  /** A line at the lower edge. */
  readonly caption?: string;
}

export const HIGHLIGHT_COLOUR = "#ff4d3d";
export const PALE_COLOUR = "#7fd1c7";

/** Joints below this score are not drawn. */
const JOINT_FLOOR = 0.2;
const QUALITY = 85;
/** Letters. */
const LINE_LENGTH = 30;
const MOST_LINES = 3;
/** Width of a letter of most monospaced fonts, in font sizes. */
const LETTER_WIDTH = 0.602;
const LINE_HEIGHT = 1.35;
const FONT = "DejaVu Sans Mono, Liberation Mono, Menlo, Consolas, monospace";

interface Canvas {
  readonly width: number;
  readonly height: number;
  /** Pixels of the thinnest line. */
  readonly stroke: number;
  /** Pixels, 0 where there are no letters to write with. */
  readonly fontSize: number;
}

/**
 * The frame as a JPEG of the same size with boxes, skeletons and labels drawn on it. Where the machine has no fonts,
 * the labels are left out.
 */
export async function drawPersons(
  frame: Frame,
  persons: readonly Drawable[],
  { caption = "" }: DrawOptions = {},
): Promise<Buffer> {
  const { width, height, data } = frame;
  const scale = Math.min(width, height) / 360;
  const fontSize = (await hasFonts()) ? Math.max(10, Math.round(11.5 * scale)) : 0;
  const canvas: Canvas = { width, height, stroke: Math.max(1, scale), fontSize };

  const pale = persons.filter(({ highlighted }) => !highlighted);
  const strong = persons.filter(({ highlighted }) => highlighted);
  const marks = [...pale, ...strong].flatMap((person) => [drawBox(person, canvas), drawSkeleton(person, canvas)]);
  const texts = [...pale, ...strong].map((person) => drawLabel(person, canvas));
  const overlay = `<svg xmlns="http://www.w3.org/2000/svg" width="${width}" height="${height}">${marks.join("")}${texts.join("")}${drawCaption(caption, canvas)}</svg>`;

  return sharp(data, { raw: { width, height, channels: 3 } })
    .composite([{ input: Buffer.from(overlay) }])
    .jpeg({ quality: QUALITY, chromaSubsampling: "4:4:4" })
    .toBuffer();
}

function drawBox({ box, highlighted }: Drawable, { width, height, stroke }: Canvas): string {
  const place = `x="${pixel(box.x * width)}" y="${pixel(box.y * height)}" width="${pixel(box.width * width)}" height="${pixel(box.height * height)}"`;
  const rect = (colour: string, line: number, opacity: number) =>
    `<rect ${place} rx="${pixel(2 * stroke)}" fill="none" stroke="${colour}" stroke-width="${pixel(line)}" stroke-opacity="${opacity}"/>`;
  if (!highlighted) return rect("#000", 2 * stroke, 0.25) + rect(PALE_COLOUR, stroke, 0.8);
  return rect("#000", 4.5 * stroke, 0.45) + rect(HIGHLIGHT_COLOUR, 2.5 * stroke, 1);
}

function drawSkeleton({ keypoints = [], highlighted }: Drawable, { width, height, stroke }: Canvas): string {
  const seen = keypoints.map(([x, y, score]) => (score >= JOINT_FLOOR ? { x: x * width, y: y * height } : undefined));
  const limbs = LIMBS.flatMap(([one, other]) => {
    const from = seen[joint[one]];
    const to = seen[joint[other]];
    return from && to ? [`M${pixel(from.x)} ${pixel(from.y)}L${pixel(to.x)} ${pixel(to.y)}`] : [];
  }).join("");
  const colour = highlighted ? "#fff" : PALE_COLOUR;
  const path = (line: string, thickness: number, opacity: number) =>
    `<path d="${limbs}" fill="none" stroke="${line}" stroke-width="${pixel(thickness)}" stroke-linecap="round" stroke-opacity="${opacity}"/>`;
  if (!highlighted) return path(colour, 1.2 * stroke, 0.8);

  const dots = seen.flatMap((point) =>
    point
      ? [
          `<circle cx="${pixel(point.x)}" cy="${pixel(point.y)}" r="${pixel(1.6 * stroke)}" fill="${HIGHLIGHT_COLOUR}"/>`,
        ]
      : [],
  );
  return path("#000", 3.4 * stroke, 0.45) + path(colour, 1.6 * stroke, 1) + dots.join("");
}

/** Above the box where there is room, else below it, and never outside the picture. */
function drawLabel({ box, label = "", highlighted }: Drawable, canvas: Canvas): string {
  const lines = wrap(label);
  const plate = plateOf(lines, canvas);
  const gap = 3 * canvas.stroke;
  const above = box.y * canvas.height - plate.height - gap;
  const below = (box.y + box.height) * canvas.height + gap;
  const left = box.x * canvas.width - gap / 2;
  const colour = highlighted ? { plate: HIGHLIGHT_COLOUR, text: "#fff" } : { plate: "#10211f", text: PALE_COLOUR };
  return drawText(lines, canvas, { left, top: above >= 0 ? above : below, opacity: 0.92, ...colour });
}

function drawCaption(caption: string, canvas: Canvas): string {
  return drawText(caption ? [caption] : [], canvas, {
    left: 0,
    top: canvas.height,
    plate: "#000",
    text: "#fff",
    opacity: 0.6,
  });
}

interface TextStyle {
  readonly left: number;
  readonly top: number;
  readonly plate: string;
  readonly text: string;
  readonly opacity: number;
}

function drawText(lines: readonly string[], canvas: Canvas, style: TextStyle): string {
  const { fontSize, stroke } = canvas;
  if (fontSize === 0 || lines.length === 0) return "";
  const plate = plateOf(lines, canvas);
  const left = Math.max(0, Math.min(style.left, canvas.width - plate.width));
  const top = Math.max(0, Math.min(style.top, canvas.height - plate.height));
  const spans = lines.map((line, index) => {
    const baseline = top + fontSize * (LINE_HEIGHT * index + 1.15);
    return `<text x="${pixel(left + fontSize / 2)}" y="${pixel(baseline)}">${escapeXml(line)}</text>`;
  });
  return (
    `<rect x="${pixel(left)}" y="${pixel(top)}" width="${pixel(plate.width)}" height="${pixel(plate.height)}" rx="${pixel(2 * stroke)}" fill="${style.plate}" fill-opacity="${style.opacity}"/>` +
    `<g font-family="${FONT}" font-size="${fontSize}" font-weight="bold" fill="${style.text}" xml:space="preserve">${spans.join("")}</g>`
  );
}

/** Size of the ground behind some lines of text, pixels. */
function plateOf(lines: readonly string[], { fontSize }: Canvas): { width: number; height: number } {
  const letters = Math.max(0, ...lines.map((line) => [...line].length));
  return {
    width: Math.ceil(fontSize * (letters * LETTER_WIDTH + 1)),
    height: Math.ceil(fontSize * (lines.length * LINE_HEIGHT + 0.25)),
  };
}

function wrap(text: string): string[] {
  const lines: string[] = [];
  for (const word of text.split(/\s+/).filter(Boolean)) {
    const last = lines.at(-1);
    if (last !== undefined && last.length + 1 + word.length <= LINE_LENGTH) lines[lines.length - 1] = `${last} ${word}`;
    else lines.push(word);
  }
  const kept = lines.slice(0, MOST_LINES).map((line) => shorten(line));
  if (lines.length > MOST_LINES) kept[MOST_LINES - 1] = shorten(`${kept[MOST_LINES - 1]} …`);
  return kept;
}

function shorten(line: string): string {
  const letters = [...line];
  return letters.length <= LINE_LENGTH ? line : `${letters.slice(0, LINE_LENGTH - 1).join("")}…`;
}

const ENTITIES: Record<string, string> = { "&": "&amp;", "<": "&lt;", ">": "&gt;", '"': "&quot;", "'": "&apos;" };

/** Also without the characters that no XML 1.0 document may hold, not even escaped. */
function escapeXml(text: string): string {
  return text
    .replace(/[^\t\n\r\u0020-\ud7ff\ue000-\ufffd\u{10000}-\u{10ffff}]/gu, "")
    .replace(/[&<>"']/g, (character) => ENTITIES[character] ?? "");
}

function pixel(value: number): string {
  return value.toFixed(1);
}

let fonts: Promise<boolean> | undefined;

/** A machine without fonts draws the same little box for every letter. */
function hasFonts(): Promise<boolean> {
  fonts ??= Promise.all(["A", "B"].map(drawLetter)).then(([one, other]) => !one?.equals(other ?? one));
  return fonts;
}

function drawLetter(letter: string): Promise<Buffer> {
  const svg = `<svg xmlns="http://www.w3.org/2000/svg" width="24" height="24"><text y="20" font-family="${FONT}" font-size="20">${letter}</text></svg>`;
  return sharp(Buffer.from(svg)).raw().toBuffer();
}
