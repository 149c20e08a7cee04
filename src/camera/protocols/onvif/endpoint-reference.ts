import { XMLParser } from "fast-xml-parser";
import { escapeXml } from "../../xml.ts";

/** Where a subscription lives (WS-Addressing 1.0, an endpoint reference). */
export interface EndpointReference {
  /** As the camera wrote it, with its query. */
  readonly address: string;
  /** XML for the header of each message to it; empty where there is none. */
  readonly parameters: string;
}

type Ordered = Readonly<Record<string, unknown>>;
type Namespaces = ReadonlyMap<string, string>;

interface QualifiedElement {
  readonly name: string;
  readonly namespace: string;
  readonly attributes: Readonly<Record<string, string>>;
  readonly namespaces: Namespaces;
  readonly children: readonly QualifiedElement[];
  readonly text: string;
}

const ATTRIBUTES = ":@";
const TEXT = "#text";
const MOST_NESTED = 60;

/** Reference parameters have to be sent back in their namespaces, which the reader of everything else drops. */
const parser = new XMLParser({
  preserveOrder: true,
  ignoreAttributes: false,
  attributeNamePrefix: "",
  parseTagValue: false,
  parseAttributeValue: false,
  trimValues: true,
  ignoreDeclaration: true,
  ignorePiTags: true,
  htmlEntities: true,
  maxNestedTags: MOST_NESTED,
});

/**
 * Finds the first endpoint reference, such as the one in `CreatePullPointSubscriptionResponse`.
 * @param message a document that has been read as XML before; undefined where it names no address
 */
export function readEndpointReference(message: string): EndpointReference | undefined {
  const roots = (parser.parse(message) as Ordered[]).flatMap((node) => toElements(node, new Map()));
  const reference = find(roots, "SubscriptionReference");
  const address = reference?.children.find(({ name }) => name === "Address")?.text;
  if (!reference || !address) return undefined;
  const parameters = reference.children
    .filter(({ name }) => name === "ReferenceParameters")
    .flatMap(({ children }) => children)
    .map((parameter) => write(parameter, ' wsa:IsReferenceParameter="true"'));
  return { address, parameters: parameters.join("") };
}

function find(elements: readonly QualifiedElement[], name: string): QualifiedElement | undefined {
  for (const element of elements) {
    const found = element.name === name ? element : find(element.children, name);
    if (found) return found;
  }
  return undefined;
}

/** Each element declares its own namespace, so that it can stand anywhere. */
function write(element: QualifiedElement, mark = ""): string {
  const { name, namespace, namespaces, children, text } = element;
  const attributes = Object.entries(element.attributes).map(([attribute, value], index) => {
    const [prefix, local] = splitName(attribute);
    const foreign = namespaces.get(prefix);
    if (prefix === "" || foreign === undefined) return ` ${local}="${escapeXml(value)}"`;
    return ` xmlns:a${index}="${escapeXml(foreign)}" a${index}:${local}="${escapeXml(value)}"`;
  });
  const content = `${escapeXml(text)}${children.map((child) => write(child)).join("")}`;
  return `<r:${name} xmlns:r="${escapeXml(namespace)}"${mark}${attributes.join("")}>${content}</r:${name}>`;
}

function toElements(node: Ordered, outer: Namespaces): QualifiedElement[] {
  const attributes = Object.entries((node[ATTRIBUTES] ?? {}) as Record<string, string>);
  const declared = attributes.filter(([name]) => isDeclaration(name));
  const namespaces = new Map([...outer, ...declared.map(([name, uri]) => [declaredPrefix(name), uri] as const)]);
  return Object.entries(node)
    .filter(([name]) => name !== ATTRIBUTES && name !== TEXT)
    .map(([qualified, content]) => {
      const [prefix, name] = splitName(qualified);
      const parts = Array.isArray(content) ? (content as Ordered[]) : [];
      const texts = parts.map((part) => part[TEXT]).filter((text) => text !== undefined);
      return {
        name,
        namespace: namespaces.get(prefix) ?? "",
        attributes: Object.fromEntries(attributes.filter(([attribute]) => !isDeclaration(attribute))),
        namespaces,
        children: parts.flatMap((part) => toElements(part, namespaces)),
        text: texts.map(String).join("").trim(),
      };
    });
}

function isDeclaration(attribute: string): boolean {
  return attribute === "xmlns" || attribute.startsWith("xmlns:");
}

/** `xmlns:dom` declares the prefix `dom`, `xmlns` the empty one. */
function declaredPrefix(attribute: string): string {
  return attribute === "xmlns" ? "" : splitName(attribute)[1];
}

/** Prefix and local name; the prefix is empty where there is none. */
function splitName(qualified: string): readonly [string, string] {
  const colon = qualified.indexOf(":");
  return colon < 0 ? ["", qualified] : [qualified.slice(0, colon), qualified.slice(colon + 1)];
}
