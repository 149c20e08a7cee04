import assert from "node:assert/strict";
import { Ajv2020 } from "ajv/dist/2020.js";
import { asyncApiDocument } from "../../src/api/asyncapi.ts";
import { commands } from "../../src/api/commands.ts";
import { openApiDocument } from "../../src/api/openapi.ts";
import { ApiFixture } from "../servers/api-fixture.ts";

type Json = { readonly [key: string]: Json } & { readonly $ref?: string };

/** All references of a document that lead nowhere. */
function deadReferences(document: Json, part: unknown = document): string[] {
  if (typeof part !== "object" || part === null) return [];
  const { $ref } = part as Json;
  const isDead = (pointer: string) =>
    pointer
      .slice(2)
      .split("/")
      .reduce<Json | undefined>((found, key) => found?.[key], document) === undefined;
  const own = typeof $ref === "string" && isDead($ref) ? [$ref] : [];
  return [...own, ...Object.values(part).flatMap((inner) => deadReferences(document, inner))];
}

describe("OpenAPI document", () => {
  const document = openApiDocument(commands) as Json;

  it("describes every command once, under its own method and path", () => {
    const operations = Object.values(document.paths ?? {}).flatMap((path) => Object.values(path as Json));
    const described = operations.map((operation) => String((operation as Json).operationId)).sort();
    assert.deepEqual(described, commands.map(({ name }) => name).sort());
  });

  it("holds the calls that there were from the beginning", () => {
    for (const [method, path] of [
      ["post", "/api/cameras/discover"],
      ["post", "/api/cameras/test-connection"],
      ["post", "/api/cameras/register"],
      ["get", "/api/cameras"],
      ["get", "/api/cameras/{camera_id}/status"],
      ["post", "/api/cameras/{camera_id}/disable"],
      ["post", "/api/cameras/start-detection"],
      ["post", "/api/cameras/stop-detection"],
    ] as const) {
      assert.ok(document.paths?.[path]?.[method], `${method} ${path}`);
    }
  });

  it("leads nowhere that is not there, and survives JSON", () => {
    assert.deepEqual(deadReferences(document), []);
    assert.deepEqual(JSON.parse(JSON.stringify(document)), document);
  });

  it("has valid schemas alone, and no answer that has room for a password", () => {
    const ajv = new Ajv2020({ strict: true, allowUnionTypes: true, keywords: ["components"] });
    for (const { name, takes, gives } of commands) {
      if (takes) ajv.compile(takes);
      if (typeof gives === "string") continue;
      ajv.compile({ ...gives, components: document.components });
      assert.doesNotMatch(JSON.stringify(gives), /"password"/, name);
    }
    const { schemas } = document.components ?? {};
    assert.doesNotMatch(JSON.stringify(schemas), /"password"/);
  });

  it("is what the command answers, to everybody", async () => {
    const api = await ApiFixture.open();
    try {
      assert.deepEqual(await api.succeed("openapi", { as: "nobody" }), document);
      assert.deepEqual(await api.succeed("asyncapi", { as: "nobody" }), asyncApiDocument());
      const health = await api.succeed<{ status: string }>("health", { as: "nobody" });
      assert.equal(health.status, "success");
    } finally {
      await api.close();
    }
  });
});

describe("AsyncAPI document", () => {
  const document = asyncApiDocument() as Json;

  it("holds every event of the socket", () => {
    const sent = ["message", "cameras", "frame", "alert", "discovery-progress"];
    const taken = ["get_cameras", "watch_camera", "unwatch_camera"];
    assert.deepEqual(Object.keys(document.operations ?? {}), [...sent, ...taken]);
    for (const name of sent) assert.equal(document.operations?.[name]?.action, "send" as unknown);
    for (const name of taken) assert.equal(document.operations?.[name]?.action, "receive" as unknown);
  });

  it("leads nowhere that is not there", () => assert.deepEqual(deadReferences(document), []));

  for (const [event, payload, isGood] of [
    ["message", { data: "Connected" }, true],
    ["message", "Connected", false],
    ["frame", { camera_id: "door", data: Buffer.from("x"), timestamp: 1 }, true],
    ["frame", { camera_id: "door" }, false],
    ["watch_camera", { camera_id: "door" }, true],
    ["watch_camera", { camera_id: "../door" }, false],
    ["alert", { camera_id: "door", confidence: 0.9, timestamp: "2026-01-01T00:00:00Z", type: "suspicious" }, true],
    ["alert", { camera_id: "door", confidence: 9, timestamp: "2026-01-01T00:00:00Z", type: "suspicious" }, false],
    ["discovery-progress", { type: "progress", progress: 0.5 }, true],
    ["cameras", { door: {} }, false],
  ] as const) {
    it(`${isGood ? "takes" : "refuses"} ${JSON.stringify(payload)} as ${event}`, () => {
      const ajv = new Ajv2020({ strict: false });
      const { messages, schemas } = document.components ?? {};
      const schema = { ...messages?.[event]?.payload, components: { schemas } };
      assert.equal(ajv.compile(schema)(payload), isGood);
    });
  }
});
