import assert from "node:assert/strict";
import { randomBytes } from "node:crypto";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Ajv2020, type ValidateFunction } from "ajv/dist/2020.js";
import sharp from "sharp";
import { ApiAccess } from "../../src/api/access/api-access.ts";
import { RateLimits } from "../../src/api/access/rate-limit.ts";
import type { Role } from "../../src/api/access/roles.ts";
import { call } from "../../src/api/call.ts";
import { commands } from "../../src/api/commands.ts";
import type { Answer, ApiContext } from "../../src/api/context.ts";
import { openApiDocument } from "../../src/api/openapi.ts";
import { AddressRules } from "../../src/camera/address-rules.ts";
import { Fleet } from "../../src/fleet/fleet.ts";
import { CameraStore } from "../../src/store/camera-store.ts";

export interface CallOptions {
  /** Of the key that is sent; admin by default. */
  readonly as?: Role | "nobody";
  readonly body?: unknown;
  readonly cameraId?: string;
  readonly headers?: Readonly<Record<string, string>>;
  readonly signal?: AbortSignal;
}

type Context = Partial<ApiContext> & { readonly required?: boolean };

const PASSWORDS = ["p@ss:w/o#r%d&+ü", "Sesame-4711"] as const;
/** As a URL may hold them, too. */
const SPELLINGS = PASSWORDS.flatMap((password) => [password, encodeURIComponent(password)]);

/** A store, a fleet and keys of every role; each answer is held against the description of the interface. */
export class ApiFixture {
  /** What cameras in tests take. */
  static readonly password = PASSWORDS[0];
  static readonly otherPassword = PASSWORDS[1];
  readonly fleet: Fleet;
  readonly access: ApiAccess;
  readonly log: string[];
  readonly context: ApiContext;
  readonly #folder: string;
  readonly #store: CameraStore;
  readonly #keys: Readonly<Record<Role, string>>;

  private constructor(
    parts: Pick<ApiFixture, "fleet" | "access" | "log"> & {
      folder: string;
      store: CameraStore;
      keys: Readonly<Record<Role, string>>;
      context: Context;
    },
  ) {
    this.fleet = parts.fleet;
    this.access = parts.access;
    this.log = parts.log;
    this.#folder = parts.folder;
    this.#store = parts.store;
    this.#keys = parts.keys;
    this.context = {
      fleet: parts.fleet,
      access: parts.access,
      limits: new RateLimits(),
      rules: new AddressRules({ allowed: ["127.0.0.1"], lookup: async () => ["127.0.0.1"] }),
      discovery: { interfaces: ["127.0.0.1"], listenMs: 200 },
      ...parts.context,
    };
  }

  static async open(context: Context = {}): Promise<ApiFixture> {
    const folder = await mkdtemp(join(tmpdir(), "cctv-api-"));
    const log: string[] = [];
    const note = (line: string) => void log.push(line);
    const logger = { debug: note, info: note, warn: note };
    const database = { kind: "sqlite", path: join(folder, "cameras.sqlite") } as const;
    const store = await CameraStore.open({ database, key: randomBytes(32) });
    const fleet = new Fleet({ store, fps: 10, longSide: 320, logger, lingerMs: 0 });
    await fleet.open();
    const { required } = context;
    const access = await ApiAccess.open({
      path: join(folder, "keys.json"),
      required,
      logger: { ...logger, info() {} },
    });
    const keyOf = async (role: Role) => (await access.create(role, role)).key;
    const keys = { viewer: await keyOf("viewer"), operator: await keyOf("operator"), admin: await keyOf("admin") };
    return new ApiFixture({ fleet, access, log, folder, store, keys, context });
  }

  key(role: Role): string {
    return this.#keys[role];
  }

  /** As by HTTP; fails where the answer is not as described, or holds a password. */
  async call(name: string, options: CallOptions = {}): Promise<Answer> {
    const { as = "admin", body, cameraId, headers = {}, signal = new AbortController().signal } = options;
    const authorization = as === "nobody" ? {} : { authorization: `Bearer ${this.#keys[as]}` };
    const http = { method: "POST", headers: { "content-type": "application/json", ...authorization, ...headers } };
    const answer = await call(this.context, name, { body, cameraId, http, signal });
    assertDescribed(name, answer);
    assertNoPassword(JSON.stringify([answer.body, answer.headers, String(answer.failure), this.log]));
    return answer;
  }

  /** The body of an answer that went well. */
  async succeed<Body>(name: string, options: CallOptions = {}): Promise<Body> {
    const { status, body } = await this.call(name, options);
    assert.equal(status, 200, JSON.stringify(body));
    return body as Body;
  }

  /** Status and code of one that did not. */
  async fail(name: string, options: CallOptions = {}): Promise<[status: number, code: string]> {
    const { status, body } = await this.call(name, options);
    return [status, (body as { code: string }).code];
  }

  async close(): Promise<void> {
    await this.fleet.close();
    await this.#store.close();
    await rm(this.#folder, { recursive: true });
  }
}

export function assertNoPassword(text: string): void {
  for (const spelling of SPELLINGS) assert.ok(!text.includes(spelling), `a password in ${text}`);
}

const documentId = "https://cctv.invalid/openapi.json";
const ajv = new Ajv2020({ strict: false });
ajv.addSchema({ $id: documentId, ...openApiDocument(commands) }, documentId, false, false);
const validators = new Map<string, ValidateFunction>();

/** Holds an answer against the OpenAPI document. */
export function assertDescribed(name: string, { status, body, play }: Answer): void {
  const command = commands.find((one) => one.name === name);
  // What is not a command is described by none.
  if (!command || play || Buffer.isBuffer(body)) return;
  const path = command.path.replaceAll("/", "~1").replaceAll("{", "%7B").replaceAll("}", "%7D");
  const pointer = `${documentId}#/paths/${path}/${command.method}/responses/${status}/content/application~1json/schema`;
  const validate = validators.get(pointer) ?? ajv.compile({ $ref: pointer });
  validators.set(pointer, validate);
  assert.ok(validate(body), `${name} ${status}: ${ajv.errorsText(validate.errors)}: ${JSON.stringify(body)}`);
}

/** What cameras in tests show. */
export function picture(width = 64, height = 36): Promise<Buffer> {
  return sharp({ create: { width, height, channels: 3, background: "blue" } })
    .jpeg()
    .toBuffer();
}
