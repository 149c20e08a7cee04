import { CctvError, type ErrorCode } from "../../../errors.ts";
import { childOf, textOf, type XmlElement } from "../../xml.ts";

/** What a fault says, from SOAP 1.2 (and 1.1, which some old cameras answer with). */
export interface FaultDetail {
  /** The HTTP status that it came with. */
  readonly status: number;
  /** From the general to the particular, without prefixes: `Sender`, `NotAuthorized`. */
  readonly codes: readonly string[];
  /** In the camera's words; may be empty. */
  readonly reason: string;
}

const LONGEST_REASON = 120;
const NOT_AUTHORIZED = /^(NotAuthorized|OperationProhibited|FailedAuthentication|InvalidSecurity(Token)?)$/;
const NOT_AUTHORIZED_REASON = /not\s*authori[sz]ed|unauthori[sz]ed|authentication failed/i;
const NOT_SUPPORTED = /^(ActionNotSupported|OptionalActionNotImplemented|NotSupported|NoPTZ.*|PTZNotSupported)$/;

/** The camera understood the request and will not do it, or answered with a status and no word of SOAP. */
export class SoapFault extends CctvError {
  readonly detail: FaultDetail;

  constructor(where: string, operation: string, detail: FaultDetail) {
    super(codeOf(detail), describe(where, operation, detail));
    this.detail = detail;
  }

  /** It wants a login, or a better one. */
  get isNotAuthorized(): boolean {
    return isNotAuthorized(this.detail);
  }
}

/** Reads the content of `<Fault>`. */
export function readFault(fault: XmlElement, status: number): FaultDetail {
  const codes: string[] = [];
  for (let code = childOf(fault, "Code"); code; code = childOf(code, "Subcode")) {
    codes.push(localName(textOf(code, "Value") ?? ""));
  }
  const oldCode = textOf(fault, "faultcode");
  if (oldCode) codes.push(...oldCode.split(".").map(localName));
  const reason = textOf(fault, "Reason", "Text") ?? textOf(fault, "faultstring") ?? "";
  return { status, codes: codes.filter(Boolean), reason };
}

function codeOf(detail: FaultDetail): ErrorCode {
  if (isNotAuthorized(detail)) return "CAMERA_AUTH_FAILED";
  return detail.codes.some((code) => NOT_SUPPORTED.test(code)) ? "CAMERA_UNSUPPORTED" : "CAMERA_REFUSED";
}

function isNotAuthorized({ status, codes, reason }: FaultDetail): boolean {
  return status === 401 || codes.some((code) => NOT_AUTHORIZED.test(code)) || NOT_AUTHORIZED_REASON.test(reason);
}

function describe(where: string, operation: string, detail: FaultDetail): string {
  const words = [detail.codes.at(-1), detail.reason.replace(/\s+/g, " ").slice(0, LONGEST_REASON)].filter(Boolean);
  const said = words.length > 0 ? words.join(", ") : `status ${detail.status}`;
  switch (codeOf(detail)) {
    case "CAMERA_AUTH_FAILED":
      return `${where} does not let this user call ${operation} (${said}); give the user that right in the camera's settings`;
    case "CAMERA_UNSUPPORTED":
      return `${where} does not support ${operation} (${said}); choose another way, or look for newer firmware`;
    default:
      return `${where} refuses ${operation} (${said}); check the channel and the camera's settings`;
  }
}

function localName(qualified: string): string {
  return qualified.trim().replace(/^.*:/, "");
}
