import { createHash } from "node:crypto";
import type { Credentials } from "../../credentials.ts";
import { escapeXml } from "../../xml.ts";

const WSS = "http://docs.oasis-open.org/wss/2004/01/oasis-200401-wss";
const SECEXT = `${WSS}-wssecurity-secext-1.0.xsd`;
const UTILITY = `${WSS}-wssecurity-utility-1.0.xsd`;
const PASSWORD_DIGEST = `${WSS}-username-token-profile-1.0#PasswordDigest`;
const BASE64 = `${WSS}-soap-message-security-1.0#Base64Binary`;

/**
 * A login by WS-Security (OASIS UsernameToken Profile 1.0):
 * digest = Base64(SHA-1(nonce + created + password)), the password in UTF-8.
 *
 * @param created by the camera's clock: it accepts only what is seconds old
 * @param nonce random bytes that were never used before
 */
export function writeUsernameToken({ username, password }: Credentials, created: Date, nonce: Buffer): string {
  const time = created.toISOString();
  const digest = createHash("sha1").update(nonce).update(time).update(password, "utf8").digest("base64");
  return [
    `<wsse:Security s:mustUnderstand="1" xmlns:wsse="${SECEXT}" xmlns:wsu="${UTILITY}"><wsse:UsernameToken>`,
    `<wsse:Username>${escapeXml(username)}</wsse:Username>`,
    `<wsse:Password Type="${PASSWORD_DIGEST}">${digest}</wsse:Password>`,
    `<wsse:Nonce EncodingType="${BASE64}">${nonce.toString("base64")}</wsse:Nonce>`,
    `<wsu:Created>${time}</wsu:Created>`,
    "</wsse:UsernameToken></wsse:Security>",
  ].join("");
}
