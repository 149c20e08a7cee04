import type { IncomingHttpHeaders } from "node:http";
import { CctvError } from "../../errors.ts";

/** Codes of Node's TLS for a certificate that it does not accept. */
const CERTIFICATE =
  /^(CERT_|SELF_SIGNED_|DEPTH_ZERO_|UNABLE_TO_(GET|VERIFY)_|ERR_TLS_CERT_|CERTIFICATE_VERIFY|INVALID_PURPOSE|HOSTNAME_MISMATCH)/;
const NO_TLS = /^(EPROTO|ERR_SSL_|ERR_TLS_)/;
const NO_ROUTE = /^(EHOSTUNREACH|ENETUNREACH|ETIMEDOUT|EHOSTDOWN|EADDRNOTAVAIL)$/;

/** Hikvision: `<lockStatus>lock</lockStatus>` with `<unlockTime>` in seconds, or the same in JSON; Dahua: "User Locked". */
const LOCKED = /lockStatus"?\s*[>:]\s*"?lock\b|user\s+(?:is\s+)?locked|account\s+(?:is\s+)?locked|userLocked/i;
const UNLOCK_SECONDS = /unlockTime"?\s*[>:]\s*"?(\d{1,6})/i;

/** A connection that failed before an answer came. */
export function explainConnection(error: NodeJS.ErrnoException, where: string): CctvError {
  if (error instanceof CctvError) return error;
  const reason = error.code ?? error.message;
  const options = { cause: error };
  if (CERTIFICATE.test(reason)) {
    return new CctvError(
      "CAMERA_CERTIFICATE",
      `the TLS certificate of ${where} is not trusted (${reason}); put one onto the camera that this machine trusts, or accept any where you trust the network`,
      options,
    );
  }
  if (NO_TLS.test(reason)) {
    return new CctvError(
      "CAMERA_REFUSED",
      `${where} cannot agree on TLS with this machine (${reason}); check the port, or try http:// instead of https://`,
      options,
    );
  }
  if (reason.startsWith("HPE_")) {
    return new CctvError(
      "CAMERA_REFUSED",
      `${where} takes the connection but does not answer as HTTP does; check the port and the kind of the camera`,
      options,
    );
  }
  if (reason === "ECONNREFUSED") {
    return new CctvError(
      "CAMERA_REFUSED",
      `nothing listens at ${where}; check the port, and whether the camera is running`,
      options,
    );
  }
  if (reason === "ENOTFOUND" || reason === "EAI_AGAIN") {
    return new CctvError(
      "CAMERA_UNREACHABLE",
      `the host name of ${where} is unknown; check its spelling or use the IP address`,
      options,
    );
  }
  if (NO_ROUTE.test(reason)) {
    return new CctvError(
      "CAMERA_UNREACHABLE",
      `${where} cannot be reached (${reason}); check the cable, the address and the network`,
      options,
    );
  }
  return new CctvError(
    "CAMERA_REFUSED",
    `${where} takes the connection but hangs up; it may have too many viewers, or want https:// instead of http://`,
    options,
  );
}

/** A stream or an answer that broke off. */
export function explainBreak(error: unknown, where: string): CctvError {
  if (error instanceof CctvError) return error;
  return new CctvError("STREAM_LOST", `the answer of ${where} broke off; it is asked again`, { cause: error });
}

export function silence(where: string, timeoutMs: number): CctvError {
  return new CctvError(
    "CAMERA_STALLED",
    `${where} takes the connection but has not answered in full within ${timeoutMs / 1000} s; check the port, restart the camera if it stays`,
  );
}

export function noConnection(where: string, timeoutMs: number): CctvError {
  return new CctvError(
    "CAMERA_UNREACHABLE",
    `${where} does not take a connection within ${timeoutMs / 1000} s; check the cable, the address and the network`,
  );
}

export function tooMuch(where: string, maxBytes: number): CctvError {
  return new CctvError(
    "CAMERA_REFUSED",
    `${where} answers with more than ${Math.round(maxBytes / 1024)} KB, which is more than is read; check the path, or choose a smaller picture in the camera's settings`,
  );
}

export function loginRefused(where: string, hasCredentials: boolean): CctvError {
  return new CctvError(
    "CAMERA_AUTH_FAILED",
    hasCredentials
      ? `${where} does not accept this user name and password; correct them, the next try waits a minute or more, so that the camera does not lock the account`
      : `${where} asks for a user name and password; enter them`,
  );
}

export function loginUnknown(where: string, schemes: readonly string[]): CctvError {
  const offered =
    schemes.length > 0
      ? `only offers logins that are not known here (${schemes.join(", ")})`
      : "asks for no login that is known";
  return new CctvError("CAMERA_AUTH_FAILED", `${where} ${offered}; choose Digest in the camera's settings`);
}

/** Whether an answer of 401 or 403 says that the account is locked; then another login would prolong it. */
export function explainLock(body: string, where: string): CctvError | undefined {
  if (!LOCKED.test(body)) return undefined;
  const seconds = Number(UNLOCK_SECONDS.exec(body)?.[1] ?? 0);
  const howLong = seconds > 0 ? ` for ${Math.ceil(seconds / 60)} minutes` : "";
  return new CctvError(
    "CAMERA_LOCKED",
    `${where} has locked the account${howLong} after wrong passwords; correct the password and wait, each further try may prolong the lock`,
  );
}

/** Redirects are not followed: they could lead the password to another host. `target` is masked by the caller. */
export function explainRedirect(where: string, target: string): CctvError {
  return new CctvError(
    "CAMERA_NOT_FOUND",
    `${where} sends on to ${target || "nowhere"}, which is not followed; enter that address if it is the camera's`,
  );
}

/** What an answer other than 2xx means where only its body was wanted. */
export function explainStatus(status: number, headers: IncomingHttpHeaders, where: string): CctvError {
  if (status === 403) {
    return new CctvError(
      "CAMERA_AUTH_FAILED",
      `${where} is forbidden to this user; give the account the right to view it, the next try waits a minute or more`,
    );
  }
  if (status === 404 || status === 410) {
    return new CctvError(
      "CAMERA_NOT_FOUND",
      `the camera answers, but has nothing at ${where}; check the path and the channel`,
    );
  }
  const again = /^\d{1,6}$/.test(headers["retry-after"] ?? "")
    ? `, and wants to be left alone for ${headers["retry-after"]} s`
    : "";
  return new CctvError(
    "CAMERA_REFUSED",
    `${where} answered ${status}${again}; it may have too many viewers, or need a restart`,
  );
}
