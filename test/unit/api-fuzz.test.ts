import assert from "node:assert/strict";
import { call } from "../../src/api/call.ts";
import { commands } from "../../src/api/commands.ts";
import { AddressRules } from "../../src/camera/address-rules.ts";
import { ERROR_CODES } from "../../src/errors.ts";
import { ApiFixture, assertDescribed, assertNoPassword } from "../servers/api-fixture.ts";

const BODIES = 10_000;
const SEED = 20_261_122;
/** Those that would look for cameras or connect get bodies that are wrong in any case. */
const PROBING = new Set(["discover", "test"]);

/** Numbers 0..1, the same with each run (Mulberry32). */
function seeded(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}

const { password, otherPassword } = ApiFixture;
const KEYS = [
  ...["camera_id", "name", "location", "site", "url", "protocol", "username", "password", "channel", "stream"],
  ...[
    "transport",
    "certificate",
    "force",
    "cameras",
    "subnet",
    "__proto__",
    "constructor",
    "toString",
    "",
    "$ref",
    "💥",
  ],
];
const TEXTS = [
  ...["", "door", "Door", "../../etc/passwd", "\u0000", "\ud800", "a".repeat(5000), "'; DROP TABLE cctv_camera;--"],
  ...[
    "rtsp://127.0.0.1/x",
    "rtsp://0x7f.1",
    "file:///etc/passwd",
    "exec:ls",
    "rtsp://",
    "http://[::1",
    "0",
    "/dev/video0",
  ],
  ...[`rtsp://admin:${password}@0.0.0.0/x`, `hik://0.0.0.0?user=a&pass=${otherPassword}`, "RTSP", "auto", "main"],
  ...[password, otherPassword, "192.168.1.0/24", "10.0.0.0/8", "<script>alert(1)</script>", "\r\nSet-Cookie: a=b"],
];
const SCALARS = [null, true, false, 0, -1, 1.5, 1e308, Number.NaN, 2 ** 53, undefined];

/** Anything that could be in a body, mostly in the wrong place. */
function arbitrary(random: () => number, depth = 0): unknown {
  const pick = <T>(items: readonly T[]): T => items[Math.floor(random() * items.length)] as T;
  const kind = random();
  if (kind < 0.35) return pick(TEXTS);
  if (kind < 0.55 || depth > 4) return pick(SCALARS);
  const length = Math.floor(random() * 5);
  if (kind < 0.7) return Array.from({ length }, () => arbitrary(random, depth + 1));
  return Object.fromEntries(Array.from({ length }, () => [pick(KEYS), arbitrary(random, depth + 1)]));
}

/** As an HTTP server hands it over: bytes of JSON, sometimes damaged, or what it has parsed. */
function asSent(value: unknown, random: () => number): unknown {
  const kind = random();
  if (kind < 0.3) return value;
  const bytes = Buffer.from(JSON.stringify(value) ?? "");
  if (kind < 0.8 || bytes.length === 0) return bytes;
  bytes[Math.floor(random() * bytes.length)] = Math.floor(random() * 256);
  return bytes;
}

/** Wrong in any case, and mostly right. */
function nearlyRight(random: () => number): object {
  const wrong = arbitrary(random);
  const base = { camera_id: "door", url: "rtsp://0.0.0.0/x", name: "Door", username: "admin", password };
  const key = KEYS[Math.floor(random() * KEYS.length)] as string;
  return { ...base, [key]: wrong };
}

/** Has no body lead to a connection: nothing that this test sends leaves the machine. */
function harmless(name: string, value: unknown): unknown {
  const isObject = typeof value === "object" && value !== null && !Array.isArray(value);
  if (PROBING.has(name)) return { ...(isObject ? value : { value: value ?? 0 }), nonsense: true };
  return isObject && name === "register" ? { ...value, force: true } : value;
}

describe("10,000 arbitrary bodies for each command", function () {
  this.timeout(60_000);
  let api: ApiFixture;
  const unlimited = { take: () => undefined } as unknown as ApiFixture["context"]["limits"];
  // What would be let through leads nowhere, at once.
  const lookup = () => Promise.reject(new Error("no names here"));

  beforeEach(async () => {
    api = await ApiFixture.open({ limits: unlimited, rules: new AddressRules({ lookup }) });
  });
  afterEach(() => api.close());

  for (const { name } of commands) {
    it(name, async () => {
      const random = seeded(SEED);
      const seen = new Map<number, number>();
      const signal = new AbortController().signal;
      const headers = { authorization: `Bearer ${api.key("admin")}`, "content-type": "application/json" };
      for (let index = 0; index < BODIES; index++) {
        const value = random() < 0.5 ? arbitrary(random) : nearlyRight(random);
        const body = asSent(harmless(name, value), random);
        const cameraId = random() < 0.5 ? String(arbitrary(random, 5)) : undefined;
        const request = {
          body,
          ...(cameraId !== undefined && { cameraId }),
          http: { method: "POST", headers },
          signal,
        };
        const answer = await call(api.context, name, request);
        seen.set(answer.status, (seen.get(answer.status) ?? 0) + 1);
        assertDescribed(name, answer);
        if (answer.status < 400) continue;
        const { message, code } = answer.body as { message: string; code: string };
        const text = JSON.stringify(answer);
        assert.ok(answer.status < 500, text);
        assert.ok((ERROR_CODES as readonly string[]).includes(code), text);
        assert.match(message, /^[^\n]{20,}$/);
        assert.doesNotMatch(message, /\bat .+:\d+:\d+|node_modules|\.ts\b/);
        assertNoPassword(text);
      }
      const statuses = [...seen.keys()].join(", ");
      assert.ok([...seen.values()].reduce((sum, count) => sum + count, 0) === BODIES, statuses);
    });
  }
});
