/** By lower-case name; a header may come several times. Each character is one byte of the header. */
export type RtspHeaders = ReadonlyMap<string, readonly string[]>;

/** Headers to be sent, by name: those without a value are left out. Each character is one byte. */
export type HeaderFields = Readonly<Record<string, string | undefined>>;

const MOST_HEADERS = 100;
const HEADER = /^([^\s:]+)[ \t]*:[ \t]*(.*?)[ \t]*$/;

/** The first value of a header; its name in lower case. */
export function first(headers: RtspHeaders, name: string): string | undefined {
  return headers.get(name)?.[0];
}

/** A line that begins with a space belongs to the one before it (RFC 2326, 4.2); what is no header is left out. */
export function parseHeaders(lines: readonly string[]): RtspHeaders {
  const headers = new Map<string, string[]>();
  let last: string[] | undefined;
  for (const line of lines.slice(0, MOST_HEADERS)) {
    if (last && /^[ \t]+\S/.test(line)) {
      last.push(`${last.pop()} ${line.trim()}`);
      continue;
    }
    const [, name, value = ""] = HEADER.exec(line) ?? [];
    if (name === undefined) continue;
    last = headers.get(name.toLowerCase()) ?? [];
    last.push(value);
    headers.set(name.toLowerCase(), last);
  }
  return headers;
}

export function writeHeaders(fields: HeaderFields): string {
  return Object.entries(fields)
    .filter(([, value]) => value !== undefined)
    .map(([name, value]) => `${name}: ${value}\r\n`)
    .join("");
}
