import assert from "node:assert/strict";
import { mkdirSync } from "node:fs";
import type { Browser, Page } from "playwright-core";
import { launchBrowser } from "./browser.ts";
import { example, type FlowNode, NodeRed } from "./node-red.ts";

/** The nodes of the examples, by id, and what each calls itself. */
const NODES = {
  file: "camera-file",
  rtsp: "camera-rtsp",
  http: "camera-http",
  hls: "camera-hls",
  rtmp: "camera-rtmp",
  webcam: "camera-webcam",
  "every-auto": "camera-auto",
  "every-onvif": "camera-onvif",
  "every-hikvision": "camera-hikvision",
  "every-dahua": "camera-dahua",
  "every-ndi": "camera-ndi",
  "every-gige": "camera-gige",
  "every-status": "camera-status",
  "every-discover": "onvif-discover",
  "server-fleet": "camera-fleet",
  "server-from-apps": "socket-in",
  "server-to-app": "socket-out",
  "server-discover": "camera-command",
  pose: "pose-detect",
  judge: "shoplift-classify",
  alert: "alert",
} as const;

const FLOW = [
  ...example("Camera to alert"),
  ...example("HTTP camera to debug").filter(({ type }) => type === "camera-http"),
  ...example("HLS, RTMP and webcam cameras"),
  ...example("Cameras of every brand"),
  ...apart(example("REST and WebSocket server"), "server-"),
];

/** The same flow under ids of its own: two examples have some in common. */
function apart(flow: readonly FlowNode[], prefix: string): FlowNode[] {
  const ids = new Set(flow.map(({ id }) => id));
  const rename = (value: unknown): unknown => {
    if (Array.isArray(value)) return value.map(rename);
    return ids.has(value as string) ? `${prefix}${value}` : value;
  };
  const references = ["id", "z", "wires", "registry", "server"];
  return flow.map(
    (node) =>
      Object.fromEntries(
        Object.entries(node).map(([name, value]) => [name, references.includes(name) ? rename(value) : value]),
      ) as FlowNode,
  );
}

describe("editor", function () {
  this.timeout(60_000);
  let nodeRed: NodeRed | undefined;
  let browser: Browser | undefined;
  let page: Page;
  const problems: string[] = [];

  before(async function () {
    browser = await launchBrowser();
    if (!browser) return this.skip();
    nodeRed = await NodeRed.start({ flow: FLOW.map((node) => ({ ...node, d: node.type !== "tab" })) });
    page = await browser.newPage({ viewport: { width: 1400, height: 1000 } });
    page.on("pageerror", (error) => problems.push(error.message));
    await page.goto(nodeRed.url);
    await page.locator('.red-ui-palette-node[data-palette-type="alert"]').waitFor({ state: "attached" });
    await page.locator("#red-ui-workspace-chart .red-ui-flow-node").first().waitFor();
    mkdirSync("test-results", { recursive: true });
  });
  after(async () => {
    await browser?.close();
    await nodeRed?.stop();
  });

  it("shows the example", async () => {
    await page.screenshot({ path: "test-results/editor-flow.png" });
    const shown = (await page.evaluate('RED.nodes.filterNodes({ z: "tab" }).length')) as number;
    assert.equal(shown, FLOW.filter(({ z }) => z === "tab").length);
    assert.deepEqual(problems, []);
  });

  for (const [id, type] of Object.entries(NODES)) {
    it(`opens the dialog of ${type} with every text translated, and closes it unchanged`, async () => {
      await page.evaluate(`RED.editor.edit(RED.nodes.node("${id}"))`);
      const dialog = page.locator("#dialog-form");
      await dialog.waitFor();
      await page.waitForTimeout(400); // the tray slides in
      await page.screenshot({ path: `test-results/dialog-${type}.png` });
      const text = (await dialog.textContent()) ?? "";
      assert.doesNotMatch(
        text,
        /\b(cctv|camera|alert|pose-detect|shoplift-classify)[\w-]*\.[\w.-]+/,
        "an untranslated key",
      );
      assert.match(text, /Name/);
      await page.locator("#node-dialog-cancel").click();
      await dialog.waitFor({ state: "detached" });
      assert.deepEqual(problems, []);
    });

    it(`has help for ${type} with its sections`, async () => {
      const help = (await page.evaluate(`RED.nodes.getNodeHelp("${type}")`)) as string;
      assert.match(help, /<h3>(?:Inputs|Outputs)<\/h3>/);
      assert.match(help, /<h3>Details<\/h3>/);
      assert.match(help, /<h3>References<\/h3>/);
    });
  }

  it("says what is wrong with a field", async () => {
    await page.evaluate('RED.editor.edit(RED.nodes.node("rtsp"))');
    const url = page.locator("#node-input-url");
    await url.waitFor();
    await url.fill("http://192.168.1.64/");
    await url.blur();
    await page.locator("#node-input-url.input-error").waitFor();
    await url.hover();
    await page.getByText("an address that begins with rtsp://").waitFor();
    await page.screenshot({ path: "test-results/dialog-invalid.png" });
    await page.locator("#node-dialog-cancel").click();
  });
});
