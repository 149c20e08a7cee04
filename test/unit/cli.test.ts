import assert from "node:assert/strict";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { main } from "../../src/cli/main.ts";
import { asJsonLines, inventedShop } from "./gesture-recordings.ts";

interface Run {
  readonly status: number;
  readonly out: string;
  readonly notes: string;
}

async function run(...args: string[]): Promise<Run> {
  const out: string[] = [];
  const notes: string[] = [];
  const status = await main(args, {
    out: (line) => out.push(line),
    note: (line) => notes.push(line),
    signal: new AbortController().signal,
  });
  return { status, out: out.join("\n"), notes: notes.join("\n") };
}

describe("aislewatch", function () {
  this.timeout(30_000);
  let folder = "";
  let model = "";
  const SMALL = ["--trees", "15", "--resamples", "10"];

  before(async () => {
    folder = mkdtempSync(join(tmpdir(), "cli-"));
    model = join(folder, "model.json");
    const { videos, tracks } = asJsonLines(inventedShop());
    writeFileSync(join(folder, "videos.jsonl"), videos);
    writeFileSync(join(folder, "tracks.jsonl"), tracks);
    const { status, notes } = await run(
      "train",
      "--data",
      folder,
      "--out",
      model,
      "--trees",
      "15",
      "--exclude-camera",
      "3",
    );
    assert.equal(status, 0, notes);
  });
  after(() => rmSync(folder, { recursive: true }));

  it("trains a model that says what it learned from, and the same one again", async () => {
    const { learner } = JSON.parse(readFileSync(model, "utf8"));
    assert.equal(learner.attributes["gesture.cameras"], "1,2");
    const again = join(folder, "again.json");
    await run("train", "--data", folder, "--out", again, "--trees", "15", "--exclude-camera", "3");
    assert.equal(readFileSync(again, "utf8"), readFileSync(model, "utf8"));
  });

  it("keeps as many trees as suit a camera that is not learned from", async () => {
    const out = join(folder, "stopped.json");
    const stopped = await run(
      ...["train", "--data", folder, "--out", out, "--trees", "300", "--stop-camera", "1", "--false-alerts", "0"],
    );
    assert.equal(stopped.status, 0, stopped.notes);
    assert.match(stopped.notes, /held-out loss \d\.\d+/);
    const trees = Number(/(\d+) trees/.exec(stopped.out)?.[1]);
    assert.ok(trees > 10 && trees < 250, stopped.out);
    const { attributes } = JSON.parse(readFileSync(out, "utf8")).learner;
    assert.deepEqual([attributes["gesture.cameras"], attributes["gesture.threshold"]], ["2,3", "0.5"]);
  });

  it("judges a model, one trained in the same run, and chance, on a camera that is left out", async () => {
    const json = join(folder, "figures.json");
    const { status, out, notes } = await run(
      ...["evaluate", "--data", folder, "--model", model, "--train", "--exclude-camera", "3", "--out", json, ...SMALL],
    );
    assert.equal(status, 0, notes);
    assert.match(out, /^cameras 3: 5 videos, 1 thefts/);
    const figures = JSON.parse(readFileSync(json, "utf8"));
    assert.deepEqual(Object.keys(figures), ["random", "model.json", "trained here"]);
    assert.ok(figures["model.json"].loco.auc.value > 0.9);
    // The same data, settings and seed give the same model, and so the same figures.
    assert.deepEqual(figures["trained here"], figures["model.json"]);
    for (const name of Object.keys(figures))
      assert.match(out, new RegExp(`^${name.replace(".", "\\.")} +[01]\\.\\d{3} \\[`, "m"));
  });

  it("leaves every camera out in turn, and tells what worse pictures cost", async () => {
    const { status, out, notes } = await run("evaluate", "--data", folder, "--train", "--robustness", ...SMALL);
    assert.equal(status, 0, notes);
    for (const camera of [1, 2, 3]) assert.match(notes, new RegExp(`training without camera ${camera}`));
    assert.match(out, /trained here, seen worse/);
    assert.match(out, /^2 frames a second +0\.\d{3}|^2 frames a second +1\.000/m);
  });

  const WRONG: readonly [string[], RegExp][] = [
    [["dance"], /no command dance/],
    [["train", "--data", "nowhere"], /--out is missing/],
    [["train", "--data", "nowhere", "--out", "x"], /nowhere has no videos\.jsonl/],
    [["evaluate", "--color"], /--color/],
    [["evaluate", "--data", "FOLDER", "--exclude-camera", "9"], /--exclude-camera 9: the data has the cameras 1, 2, 3/],
    [["evaluate", "--data", "FOLDER", "--model", "FOLDER/videos.jsonl"], /TREES_INVALID/],
    [["train", "--data", "FOLDER", "--out", "FOLDER", "--trees", "2", "--false-alerts", "0"], /cannot be written/],
    [["train", "--data", "FOLDER", "--out", "x", "--trees", "many"], /--trees is many; give a number/],
    [["train", "--data", "FOLDER", "--out", "x", "--exclude-camera", "1", "--exclude-camera", "2"], /two cameras/],
  ];
  for (const [args, words] of WRONG) {
    it(`says what is wrong: ${words.source}`, async () => {
      const { status, notes } = await run(...args.map((arg) => arg.replace("FOLDER", folder)));
      assert.equal(status, 1);
      assert.match(notes, words);
    });
  }

  it("helps", async () => {
    for (const args of [["help"], ["train", "--help"], []]) {
      const { status, out } = await run(...args);
      assert.equal(status, 0);
      assert.match(out, /aislewatch train[\s\S]*aislewatch evaluate/);
    }
  });

  it("ends with 130 when it is cancelled", async () => {
    const cancel = new AbortController();
    const status = await main(["train", "--data", folder, "--out", join(folder, "none.json"), "--trees", "5000"], {
      out: () => {},
      note: (line) => line.includes("trees") && cancel.abort(),
      signal: cancel.signal,
    });
    assert.equal(status, 130);
  });
});
