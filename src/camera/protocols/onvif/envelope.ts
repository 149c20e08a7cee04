import { CctvError } from "../../../errors.ts";
import { childOf, parseXml, type XmlElement } from "../../xml.ts";
import { readFault, SoapFault } from "./soap-fault.ts";

/** One operation of an ONVIF service. */
export interface SoapRequest {
  readonly operation: string;
  /** That of the service; the operation's own elements are in it without a prefix. */
  readonly namespace: string;
  /** XML inside the operation's element; may use the prefix `tt`. */
  readonly content?: string;
  /** Where it is not the namespace with the operation's name. */
  readonly action?: string;
  /** XML for the header; may use the prefix `wsa`. */
  readonly header?: string;
}

export const ENVELOPE_NAMESPACE = "http://www.w3.org/2003/05/soap-envelope";
export const ADDRESSING_NAMESPACE = "http://www.w3.org/2005/08/addressing";
export const SCHEMA_NAMESPACE = "http://www.onvif.org/ver10/schema";

export function actionOf({ action, namespace, operation }: SoapRequest): string {
  return action ?? `${namespace}/${operation}`;
}

/** A SOAP 1.2 message. @param security XML for the header, empty where the request needs no login */
export function writeEnvelope(request: SoapRequest, security: string): string {
  const { operation, namespace, content = "", header = "" } = request;
  return [
    '<?xml version="1.0" encoding="UTF-8"?>',
    `<s:Envelope xmlns:s="${ENVELOPE_NAMESPACE}" xmlns:wsa="${ADDRESSING_NAMESPACE}" xmlns:tt="${SCHEMA_NAMESPACE}">`,
    `<s:Header>${header}${security}</s:Header>`,
    `<s:Body><${operation} xmlns="${namespace}">${content}</${operation}></s:Body>`,
    "</s:Envelope>",
  ].join("");
}

/**
 * The answer to an operation: the element inside the body, which may be empty.
 *
 * @param where who sent it, for the message
 * @throws SoapFault; CctvError CAMERA_REFUSED for what is no XML, CAMERA_NOT_FOUND for what is no SOAP.
 */
export function readEnvelope(text: string, status: number, operation: string, where: string): XmlElement {
  const isBad = status < 200 || status > 299;
  const silent = () => new SoapFault(where, operation, { status, codes: [], reason: "" });
  if (isBad && !/[:<]Envelope[\s>]/.test(text)) throw silent();
  if (/^\s*<(!doctype\s+html|html[\s>])/i.test(text)) throw noOnvif(where);
  const body = childOf(parseXml(text, where), "Body");
  const fault = childOf(body, "Fault");
  if (fault) throw new SoapFault(where, operation, readFault(fault, status));
  if (isBad) throw silent();
  const answer = body?.children[0];
  if (!answer) throw noOnvif(where);
  return answer;
}

/** What answers there is something else. */
export function noOnvif(where: string, cause?: unknown): CctvError {
  return new CctvError(
    "CAMERA_NOT_FOUND",
    `${where} does not speak ONVIF; switch ONVIF on in the camera's settings, and check its port and path`,
    { cause },
  );
}
