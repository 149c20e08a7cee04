import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import sharp from "sharp";
import { Frame } from "../../src/frame/frame.ts";
import { type Drawable, drawPersons, HIGHLIGHT_COLOUR } from "../../src/pose/draw.ts";
import type { Keypoint } from "../../src/pose/person.ts";

type Colour = readonly [red: number, green: number, blue: number];

const WIDTH = 640;
const HEIGHT = 360;
const GREY: Colour = [120, 120, 120];

const camera = { id: "door", name: "Door", location: "", site: "" };
const grey = () => {
  const data = Buffer.alloc(WIDTH * HEIGHT * 3, 120);
  return new Frame({ data, width: WIDTH, height: HEIGHT, timestamp: 0, sequence: 0, camera });
};

/** From x 160 to 320 and y 90 to 270. */
const box = { x: 0.25, y: 0.25, width: 0.25, height: 0.5 };

async function draw(persons: readonly Drawable[], caption = ""): Promise<(x: number, y: number) => Colour> {
  return pixelsOf(await drawPersons(grey(), persons, { caption }));
}

async function pixelsOf(jpeg: Buffer): Promise<(x: number, y: number) => Colour> {
  const { data, info } = await sharp(jpeg).raw().toBuffer({ resolveWithObject: true });
  assert.deepEqual([info.width, info.height, info.channels], [WIDTH, HEIGHT, 3]);
  return (x, y) => {
    const at = (y * WIDTH + x) * 3;
    return [data[at] ?? 0, data[at + 1] ?? 0, data[at + 2] ?? 0];
  };
}

const rgb = (hex: string) => [1, 3, 5].map((at) => Number.parseInt(hex.slice(at, at + 2), 16)) as never as Colour;
const distance = (one: Colour, other: Colour) => Math.hypot(one[0] - other[0], one[1] - other[1], one[2] - other[2]);
const isLike = (actual: Colour, expected: Colour, tolerance: number) =>
  assert.ok(distance(actual, expected) <= tolerance, `${actual} is not like ${expected}`);

/** Two joints with their scores, the others absent. */
const shoulders = (left: Keypoint, right: Keypoint): Keypoint[] =>
  Array.from({ length: 17 }, (_, index) => (index === 5 ? left : index === 6 ? right : [0, 0, 0]));

describe("drawPersons", () => {
  it("marks the box of the highlighted person in the strong colour and touches nothing else", async () => {
    const at = await draw([{ box, highlighted: true }]);
    for (const [x, y] of [
      [240, 90],
      [240, 270],
      [160, 180],
      [320, 180],
    ] as const) {
      isLike(at(x, y), rgb(HIGHLIGHT_COLOUR), 40);
    }
    for (const [x, y] of [
      [240, 180],
      [240, 60],
      [240, 300],
      [100, 180],
      [380, 180],
      [5, 5],
      [634, 354],
    ] as const) {
      isLike(at(x, y), GREY, 4);
    }
  });

  it("marks the others in the pale colour", async () => {
    const at = await draw([{ box }]);
    // The line lies across two rows of pixels and is not opaque, so the pale colour shows as a tint.
    for (const [red, green] of [at(240, 89), at(240, 90)]) assert.ok(green - red > 20, `${red} ${green}`);
    isLike(at(240, 180), GREY, 4);
  });

  it("draws the highlighted person over the others", async () => {
    const at = await draw([{ box, highlighted: true }, { box }]);
    isLike(at(240, 90), rgb(HIGHLIGHT_COLOUR), 40);
  });

  it("draws a limb between joints that are seen, and none to one that is not", async () => {
    const seen = await draw([{ box, highlighted: true, keypoints: shoulders([0.3, 0.5, 0.9], [0.45, 0.5, 0.9]) }]);
    isLike(seen(240, 180), [255, 255, 255], 80);
    const unseen = await draw([{ box, highlighted: true, keypoints: shoulders([0.3, 0.5, 0.9], [0.45, 0.5, 0.19]) }]);
    isLike(unseen(240, 180), GREY, 4);
  });

  const labels = {
    "with markup": `<&"'> </text></svg>`,
    "with characters that XML forbids": "a\u0000b\u0001c\ud800d\uffff",
    "that is long": "wrist at the waist ".repeat(40),
    "of one endless word": "x".repeat(500),
    "in other scripts": "Gang 3 · 通路 · ممر · 🙂",
    "of nothing but spaces": "   ",
  };
  for (const [what, label] of Object.entries(labels)) {
    it(`draws on with a label ${what}`, async () => {
      const at = await draw([{ box, label, highlighted: true }], label);
      isLike(at(240, 270), rgb(HIGHLIGHT_COLOUR), 40);
      isLike(at(634, 180), GREY, 4);
    });
  }

  it("writes the label above the box, where the machine has letters to write with", async function () {
    const at = await draw([{ box, label: "#12 · head bowed", highlighted: true }]);
    if (distance(at(161, 78), GREY) < 5) this.skip();
    isLike(at(161, 78), rgb(HIGHLIGHT_COLOUR), 50);
    isLike(at(161, 40), GREY, 4);
  });

  it("leaves labels out on a machine without fonts", async () => {
    const folder = await mkdtemp(join(tmpdir(), "no-fonts-"));
    try {
      const config = join(folder, "fonts.conf");
      await writeFile(config, '<?xml version="1.0"?><!DOCTYPE fontconfig SYSTEM "fonts.dtd"><fontconfig/>');
      const program = `
        import { Frame } from ${JSON.stringify(new URL("../../src/frame/frame.js", import.meta.url))};
        import { drawPersons } from ${JSON.stringify(new URL("../../src/pose/draw.js", import.meta.url))};
        const frame = new Frame({ data: Buffer.alloc(${WIDTH * HEIGHT * 3}, 120), width: ${WIDTH}, height: ${HEIGHT}, timestamp: 0, sequence: 0, camera: {} });
        const persons = [{ box: ${JSON.stringify(box)}, label: "#12", highlighted: true }];
        process.stdout.write(await drawPersons(frame, persons, { caption: "Door" }));`;
      const { stdout } = await promisify(execFile)(process.execPath, ["--input-type=module", "-e", program], {
        env: { ...process.env, FONTCONFIG_FILE: config },
        encoding: "buffer",
      });
      const at = await pixelsOf(stdout);
      isLike(at(240, 90), rgb(HIGHLIGHT_COLOUR), 40);
      isLike(at(161, 78), GREY, 4);
      isLike(at(3, 357), GREY, 4);
    } finally {
      await rm(folder, { recursive: true });
    }
  });

  it("takes boxes and joints outside the picture", async () => {
    const outside = { x: -0.5, y: 0.9, width: 3, height: 2 };
    const at = await draw([{ box: outside, label: "#1", keypoints: shoulders([-1, -1, 1], [2, 2, 1]) }]);
    isLike(at(5, 100), GREY, 4);
  });

  it("draws nothing on an empty scene", async () => {
    const at = await draw([]);
    isLike(at(240, 90), GREY, 2);
  });

  it("keeps up with the smallest pictures", async () => {
    const data = Buffer.alloc(2 * 2 * 3, 9);
    const tiny = new Frame({ data, width: 2, height: 2, timestamp: 0, sequence: 0, camera });
    const { width, height } = await sharp(
      await drawPersons(tiny, [{ box, label: "#1" }], { caption: "Door" }),
    ).metadata();
    assert.deepEqual([width, height], [2, 2]);
  });
});
