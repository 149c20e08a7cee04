import assert from "node:assert/strict";
import { once } from "node:events";
import { connect } from "node:net";
import { setTimeout as sleep } from "node:timers/promises";
import { hlsProtocol } from "../../src/camera/protocols/hls/hls-protocol.ts";
import type { CctvError, ErrorCode } from "../../src/errors.ts";
import { HttpCamera, type HttpCameraSettings } from "../servers/http-camera.ts";

const credentials = { username: "admin", password: "s3cret" };
const PLAYLIST = "#EXTM3U\n#EXT-X-MEDIA-SEQUENCE:9\n#EXTINF:2,\n../parts/a.ts?sig=s3cret\n#EXTINF:2,\n/b.ts\n";

describe("HLS relay", () => {
  const closing: (() => Promise<void>)[] = [];
  let attempt: AbortController;
  beforeEach(() => {
    attempt = new AbortController();
  });
  afterEach(async () => {
    attempt.abort();
    for (const close of closing.splice(0).reverse()) await close();
  });

  /** A server of texts by path; a text that begins with `->` is a redirect. */
  const serve = async (texts: Record<string, string>, settings: Partial<HttpCameraSettings> = {}) => {
    const server = await HttpCamera.start({
      ...settings,
      answer: ({ url = "", headers }, response) => {
        seen.push({ url, authorization: headers.authorization });
        const text = texts[url.replace(/\?.*$/s, "")];
        if (text?.startsWith("->")) response.writeHead(302, { location: text.slice(2) }).end();
        else response.writeHead(text === undefined ? 404 : 200).end(text);
      },
    });
    const seen: { url: string; authorization: string | undefined }[] = [];
    closing.push(() => server.stop());
    return { server, seen };
  };
  const resolve = (address: string, login: object = {}) => hlsProtocol.resolve({ address, ...login }, attempt.signal);
  const fails = (code: ErrorCode, message: RegExp) => (error: CctvError) => {
    assert.equal(error.code, code, error.message);
    assert.match(error.message, message);
    assert.doesNotMatch(error.message, /s3cret/);
    return true;
  };

  it("replaces the addresses of a playlist, and fetches for the decoder with the login", async () => {
    const { server, seen } = await serve(
      { "/live/x/index.m3u8": PLAYLIST, "/live/parts/a.ts": "first", "/b.ts": "second" },
      { login: "digest", ...credentials },
    );
    const input = await resolve(server.url("/live/x/index.m3u8?token=s3cret"), credentials);
    assert.deepEqual([input.live, input.protocols], [true, ["http", "tcp", "crypto", "data"]]);
    assert.doesNotMatch(input.display, /s3cret/);
    const text = await (await fetch(input.url)).text();
    const links = text.split("\n").filter((line) => line && !line.startsWith("#"));
    assert.deepEqual(
      links.map((link) => new URL(link).host === new URL(input.url).host && /\/[^/]*$/.exec(link)?.[0]),
      ["/a.ts?sig=s3cret", "/b.ts"],
    );
    const parts = await Promise.all(links.map(async (link) => (await fetch(link)).text()));
    assert.deepEqual(parts, ["first", "second"]);
    assert.equal(server.wrongLogins, 0);
    assert.equal(seen.at(0)?.url, "/live/x/index.m3u8?token=s3cret");
    assert.ok(seen.every(({ authorization }) => authorization?.startsWith("Digest ")));
  });

  it("keeps the login from other servers, and relates addresses to where a redirect ends", async () => {
    const other = await serve({ "/moved/index.m3u8": PLAYLIST, "/parts/a.ts": "first" });
    const { server, seen } = await serve(
      { "/1.m3u8": "->/2.m3u8", "/2.m3u8": `->${other.server.url("/moved/index.m3u8")}` },
      { login: "basic", ...credentials },
    );
    const { url } = await resolve(server.url("/1.m3u8"), credentials);
    const [first = ""] = (await (await fetch(url)).text()).split("\n").filter((line) => line.startsWith("http"));
    assert.equal(await (await fetch(first)).text(), "first");
    assert.ok(seen.every(({ authorization }) => authorization));
    assert.deepEqual(
      other.seen.map(({ authorization }) => authorization),
      [undefined, undefined, undefined],
    );
  });

  it("holds no connection of a part that is sent on", async () => {
    const { server } = await serve({
      "/index.m3u8": "#EXTM3U\n#EXTINF:1,\na.ts\n#EXTINF:1,\nb.ts\n#EXTINF:1,\nc.ts\n",
      ...{ "/a.ts": "->d.ts", "/b.ts": "->d.ts", "/c.ts": "->d.ts", "/d.ts": "part" },
    });
    const { url } = await resolve(server.url("/index.m3u8"));
    const links = (await (await fetch(url)).text()).split("\n").filter((line) => line.startsWith("http"));
    for (const link of links) assert.equal(await (await fetch(link)).text(), "part");
    await sleep(50);
    assert.equal(await server.openConnections(), 1, "the one for playlists");
  });

  it("follows three redirects and no more", async () => {
    const { server } = await serve({ "/1": "->2", "/2": "->3", "/3": "->4", "/4": "->5", "/5": PLAYLIST });
    const address = (path: string) => server.url(path).replace("http:", "hls:");
    await resolve(address("/2"));
    await assert.rejects(resolve(address("/1")), fails("CAMERA_NOT_FOUND", /more than 3 times/));
  });

  for (const [what, location, code, message] of [
    ["this machine by another name", "http://localhost:1/index.m3u8?s3cret", "CAMERA_REFUSED", /this machine/],
    ["the metadata of a cloud", "http://169.254.169.254/latest?s3cret", "CAMERA_REFUSED", /this machine/],
    ["a file", "file:///etc/s3cret", "CAMERA_NOT_FOUND", /no http address/],
  ] as const) {
    it(`does not follow to ${what}`, async () => {
      const { server } = await serve({
        "/redirect.m3u8": `->${location}`,
        "/main.m3u8": `#EXTM3U\n#EXT-X-STREAM-INF:BANDWIDTH=1\n${location}\n`,
      });
      for (const path of ["/redirect.m3u8", "/main.m3u8"]) {
        await assert.rejects(resolve(server.url(path)), fails(code, message));
      }
    });
  }

  it("gives nothing to who does not know its word, and no more than the playlists name", async () => {
    const { server, seen } = await serve({ "/index.m3u8": PLAYLIST });
    const { url } = await resolve(server.url("/index.m3u8"));
    const before = seen.length;
    const { origin, pathname } = new URL(url);
    for (const path of ["/", "/index.m3u8", pathname.replace(/^\/./, "/_"), pathname.replace("/0/", "/1/")]) {
      assert.equal((await fetch(origin + path)).status, 404, path);
    }
    assert.equal((await fetch(url, { method: "POST" })).status, 404);
    assert.equal(seen.length, before);
  });

  it("does not try a login again that was refused", async () => {
    const { server } = await serve({ "/index.m3u8": PLAYLIST }, { login: "digest", ...credentials });
    await assert.rejects(
      resolve(server.url("/index.m3u8"), { ...credentials, password: "wrong" }),
      fails("CAMERA_AUTH_FAILED", /does not accept/),
    );
    assert.equal(server.wrongLogins, 1);
  });

  it("ends with its signal", async () => {
    const { server } = await serve({ "/index.m3u8": PLAYLIST });
    const { url } = await resolve(server.url("/index.m3u8"));
    await (await fetch(url)).text();
    attempt.abort();
    const socket = connect(Number(new URL(url).port), "127.0.0.1");
    await assert.rejects(once(socket, "connect"), { code: "ECONNREFUSED" });
  });
});
