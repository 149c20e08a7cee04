import { XMLParser } from "fast-xml-parser";
import { CctvError } from "../errors.ts";

/** An element of a document from a camera, without its namespace prefixes. */
export interface XmlElement {
  /** Local name. */
  readonly name: string;
  readonly attributes: Readonly<Record<string, string>>;
  readonly children: readonly XmlElement[];
  /** Its own text, trimmed; empty where it has none. */
  readonly text: string;
}

/** Deeper nesting than any camera's is made to break a parser. */
const MOST_NESTED = 60;
const ATTRIBUTES = ":@";
const TEXT = "#text";

type Ordered = Readonly<Record<string, unknown>>;

const parser = new XMLParser({
  preserveOrder: true,
  ignoreAttributes: false,
  attributeNamePrefix: "",
  removeNSPrefix: true,
  parseTagValue: false,
  parseAttributeValue: false,
  trimValues: true,
  ignoreDeclaration: true,
  ignorePiTags: true,
  // Numeric ones, such as &#252;, are among them.
  htmlEntities: true,
  maxNestedTags: MOST_NESTED,
});

/**
 * Reads a document that a camera sent. Entities of its own are not resolved.
 *
 * @param where who sent it, for the message
 * @throws CctvError CAMERA_REFUSED where it is no XML, or XML that no camera writes.
 */
export function parseXml(text: string, where: string): XmlElement {
  let ordered: Ordered[];
  try {
    ordered = parser.parse(text);
  } catch (error) {
    throw noXml(where, error);
  }
  const roots = ordered.flatMap(toElements);
  const [root] = roots;
  if (!root || roots.length > 1) throw noXml(where);
  return root;
}

/** The first child on each level, by local names; undefined where one is missing. */
export function childOf(element: XmlElement | undefined, ...path: readonly string[]): XmlElement | undefined {
  let found = element;
  for (const name of path) found = found?.children.find((child) => child.name === name);
  return found;
}

/** All children of one name. */
export function childrenOf(element: XmlElement | undefined, name: string): XmlElement[] {
  return element?.children.filter((child) => child.name === name) ?? [];
}

/** The text of a descendant; undefined where it is missing or empty. */
export function textOf(element: XmlElement | undefined, ...path: readonly string[]): string | undefined {
  return childOf(element, ...path)?.text || undefined;
}

const NAMED: Readonly<Record<string, string>> = {
  "<": "&lt;",
  ">": "&gt;",
  "&": "&amp;",
  '"': "&quot;",
  "'": "&apos;",
};

/** Writes a text so that it can stand between tags or in an attribute. By names: some cameras read no numeric entities. */
export function escapeXml(text: string): string {
  return text.replace(/[<>&"']/g, (character) => NAMED[character] ?? character);
}

function toElements(ordered: Ordered): XmlElement[] {
  return Object.entries(ordered)
    .filter(([name]) => name !== ATTRIBUTES && name !== TEXT)
    .map(([name, content]) => {
      const parts = Array.isArray(content) ? (content as Ordered[]) : [];
      const texts = parts.map((part) => part[TEXT]).filter((text) => text !== undefined);
      return {
        name,
        attributes: (ordered[ATTRIBUTES] ?? {}) as Record<string, string>,
        children: parts.flatMap(toElements),
        text: texts.map(String).join("").trim(),
      };
    });
}

function noXml(where: string, cause?: unknown): CctvError {
  return new CctvError(
    "CAMERA_REFUSED",
    `${where} answers with something that is no XML document of a camera; check the port and the kind of the camera`,
    { cause },
  );
}
