import { CctvError } from "../errors.ts";
import { RefusedRequest } from "./access/refused-request.ts";

const MOST_BYTES = 256 * 1024;
const JSON_TYPE = /^application\/(?:[\w.+-]+\+)?json\s*(?:;\s*charset=["']?utf-8["']?\s*)?$/i;

/**
 * Reads what came by HTTP: bytes that nobody has looked at yet, or what a server has made of them already.
 * @throws CctvError REQUEST_INVALID; a form, which any page can send without asking, is refused too.
 */
export function readHttpBody(body: unknown, contentType: unknown): unknown {
  if (isEmpty(body)) return undefined;
  if (!JSON_TYPE.test(String(contentType ?? "").trim())) {
    throw invalid('send JSON in UTF-8, with the header "content-type: application/json"');
  }
  return Buffer.isBuffer(body) || typeof body === "string" ? parse(Buffer.from(body)) : body;
}

export function isFields(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null && !Array.isArray(value) && !Buffer.isBuffer(value);
}

function isEmpty(body: unknown): boolean {
  if (body === undefined || body === null || body === "") return true;
  return Buffer.isBuffer(body) ? body.length === 0 : isFields(body) && Object.keys(body).length === 0;
}

/** The parser's own words would repeat a part of what was sent, which may be a password. */
function parse(bytes: Buffer): unknown {
  if (bytes.length > MOST_BYTES) {
    throw new RefusedRequest(
      "REQUEST_INVALID",
      413,
      `the request is larger than ${MOST_BYTES / 1024} KiB; send less at once`,
    );
  }
  try {
    return JSON.parse(new TextDecoder("utf-8", { fatal: true }).decode(bytes));
  } catch {
    throw invalid("its body is no JSON in UTF-8; check its quotes, commas and brackets");
  }
}

function invalid(what: string): CctvError {
  return new CctvError("REQUEST_INVALID", `the request is not what this call takes: ${what}`);
}
