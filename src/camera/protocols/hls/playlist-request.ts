import { CctvError } from "../../../errors.ts";
import { type NetworkAddress, toUrl } from "../../address.ts";

export interface FetchedPlaylist {
  readonly text: string;
  /** Where it came from after redirects: what its relative addresses relate to. */
  readonly url: string;
}

const TIMEOUT_MS = 8_000;
/** A playlist of a day in segments of a second has about 3 MB. */
const MOST_BYTES = 4 * 1024 * 1024;
const BEGINNING = /^\uFEFF?#EXTM3U/;

/** Network failures that tell before a connection stands; looking at the port explains them better. */
const NO_CONNECTION = new Set([
  ...["EAI_AGAIN", "ECONNREFUSED", "ECONNRESET", "EHOSTDOWN", "EHOSTUNREACH"],
  ...["ENETUNREACH", "ENOTFOUND", "ETIMEDOUT", "UND_ERR_CONNECT_TIMEOUT"],
]);

/**
 * Fetches a playlist. Undefined where only the decoder can tell more: there was no connection, or the
 * server wants a login that is not Basic.
 *
 * @param display the address for messages
 * @throws CctvError CAMERA_AUTH_FAILED, CAMERA_CERTIFICATE, CAMERA_NOT_FOUND, CAMERA_REFUSED, CAMERA_UNREACHABLE
 */
export async function fetchPlaylist(
  address: NetworkAddress,
  display: string,
  signal: AbortSignal,
): Promise<FetchedPlaylist | undefined> {
  const { credentials, ...open } = address;
  const timeout = AbortSignal.timeout(TIMEOUT_MS);
  const either = AbortSignal.any([signal, timeout]);
  // A connection is not kept: the next playlist is the decoder's to fetch.
  const ask = (headers: Record<string, string>) =>
    fetch(toUrl(open), { headers: { ...headers, connection: "close" }, signal: either });
  try {
    let response = await ask({});
    if (response.status === 401 && credentials) {
      await response.body?.cancel();
      const challenge = response.headers.get("www-authenticate") ?? "";
      if (!/\bbasic\b/i.test(challenge)) return undefined;
      const login = Buffer.from(`${credentials.username}:${credentials.password}`).toString("base64");
      response = await ask({ authorization: `Basic ${login}` });
    }
    if (!response.ok) {
      await response.body?.cancel();
      throw explainStatus(response.status, display, credentials !== undefined);
    }
    return { text: await readBeginning(response, display), url: response.url };
  } catch (error) {
    if (signal.aborted || error instanceof CctvError) throw error;
    if (timeout.aborted) {
      throw new CctvError(
        "CAMERA_UNREACHABLE",
        `${display} gives no answer within ${TIMEOUT_MS / 1000} s; check the address and the port`,
      );
    }
    const reason = (error as { cause?: { code?: string } }).cause?.code ?? "";
    if (NO_CONNECTION.has(reason)) return undefined;
    throw explainFailure(reason, display);
  }
}

async function readBeginning(response: Response, display: string): Promise<string> {
  const decoder = new TextDecoder();
  let text = "";
  let bytes = 0;
  // Leaving the loop early cancels the body.
  for await (const chunk of response.body ?? []) {
    text += decoder.decode(chunk, { stream: true });
    bytes += chunk.length;
    if (bytes >= "\uFEFF#EXTM3U".length + 2 && !BEGINNING.test(text)) break;
    if (bytes > MOST_BYTES) break;
  }
  if (BEGINNING.test(text) && bytes <= MOST_BYTES) return text;
  const found = /^\s*</.test(text) ? "a web page" : "something else";
  throw new CctvError(
    "CAMERA_NOT_FOUND",
    `${display} answers with ${found} instead of an HLS playlist; check the path, and whether a token in it has expired`,
  );
}

function explainStatus(status: number, display: string, hasCredentials: boolean): CctvError {
  switch (status) {
    case 401:
      return new CctvError(
        "CAMERA_AUTH_FAILED",
        hasCredentials
          ? `${display} does not accept this user name and password; correct them`
          : `${display} asks for a user name and password; enter them`,
      );
    case 403:
      return new CctvError(
        "CAMERA_AUTH_FAILED",
        `${display} forbids this stream; check the user's rights, or renew the token in the address`,
      );
    case 404:
    case 410:
      return new CctvError("CAMERA_NOT_FOUND", `the server answers, but has no playlist at ${display}; check the path`);
    default:
      return new CctvError(
        "CAMERA_REFUSED",
        `${display} answered with status ${status}; the server may be overloaded or need a restart`,
      );
  }
}

function explainFailure(reason: string, display: string): CctvError {
  if (/CERT|SELF_SIGNED|UNABLE_TO_(?:GET|VERIFY)/.test(reason)) {
    return new CctvError(
      "CAMERA_CERTIFICATE",
      `the certificate of ${display} is not trusted (${reason}); add its authority with NODE_EXTRA_CA_CERTS, or use http`,
    );
  }
  return new CctvError(
    "CAMERA_REFUSED",
    `${display} takes the connection but gives no proper answer; check the port, and whether it wants http or https`,
  );
}
