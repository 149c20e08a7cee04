/** A record of an mDNS answer, as far as finding services needs it. */
export type DnsRecord =
  | { readonly type: "PTR"; readonly name: string; readonly target: string }
  | { readonly type: "SRV"; readonly name: string; readonly port: number; readonly target: string }
  | { readonly type: "TXT"; readonly name: string; readonly texts: readonly string[] }
  | { readonly type: "A"; readonly name: string; readonly address: string };

const HEADER_BYTES = 12;
const IS_ANSWER = 0x8000;
const PTR = 12;
const IN = 1;
/** Asks for an answer to the asker alone (RFC 6762, 5.4). */
const UNICAST_ANSWER = 0x8000;
const MOST_RECORDS = 256;
const MOST_LABELS = 64;
const MOST_NAME_CHARACTERS = 255;
const POINTER = 0xc0;

/** A question for the instances of services such as `_rtsp._tcp.local` (RFC 6762, RFC 6763). */
export function writeQuestion(services: readonly string[]): Buffer {
  const header = Buffer.alloc(HEADER_BYTES);
  header.writeUInt16BE(services.length, 4);
  const tail = Buffer.alloc(4);
  tail.writeUInt16BE(PTR, 0);
  tail.writeUInt16BE(IN | UNICAST_ANSWER, 2);
  const names = services.map((service) => [
    ...service.split(".").flatMap((label) => [Buffer.from([Buffer.byteLength(label)]), Buffer.from(label)]),
    Buffer.from([0]),
    tail,
  ]);
  return Buffer.concat([header, ...names.flat()]);
}

/**
 * The records of an answer in all its sections (RFC 1035, 4); none where it is damaged or no answer.
 * A pointer in a name must lead backwards, so no name has an end that is never reached.
 */
export function readRecords(packet: Buffer): DnsRecord[] {
  try {
    return readAll(packet);
  } catch (error) {
    if (error instanceof RangeError) return [];
    throw error;
  }
}

function readAll(packet: Buffer): DnsRecord[] {
  if ((packet.readUInt16BE(2) & IS_ANSWER) === 0) return [];
  const [questions = 0, ...sections] = [4, 6, 8, 10].map((offset) => packet.readUInt16BE(offset));
  let offset = HEADER_BYTES;
  if (questions > MOST_RECORDS) return [];
  for (let question = 0; question < questions; question++) offset = readName(packet, offset).end + 4;
  const count = Math.min(
    sections.reduce((sum, section) => sum + section, 0),
    MOST_RECORDS,
  );
  const records: DnsRecord[] = [];
  for (let index = 0; index < count; index++) {
    const { name, end } = readName(packet, offset);
    const start = end + 10;
    const length = packet.readUInt16BE(end + 8);
    if (start + length > packet.length) throw new RangeError("a record reaches over the end of its packet");
    const record = readRecord(packet, name, packet.readUInt16BE(end), start, length);
    if (record) records.push(record);
    offset = start + length;
  }
  return records;
}

function readRecord(packet: Buffer, name: string, type: number, start: number, length: number): DnsRecord | undefined {
  switch (type) {
    case PTR:
      return { type: "PTR", name, target: readName(packet, start).name };
    case 33:
      return { type: "SRV", name, port: packet.readUInt16BE(start + 4), target: readName(packet, start + 6).name };
    case 16:
      return { type: "TXT", name, texts: readTexts(packet.subarray(start, start + length)) };
    case 1:
      return length === 4 ? { type: "A", name, address: packet.subarray(start, start + 4).join(".") } : undefined;
    default:
      return undefined;
  }
}

function readTexts(data: Buffer): string[] {
  const texts: string[] = [];
  for (let offset = 0; offset < data.length; offset += 1 + data.readUInt8(offset)) {
    texts.push(data.toString("utf8", offset + 1, offset + 1 + data.readUInt8(offset)));
  }
  return texts.filter(Boolean);
}

/** A name from its labels, dots inside a label as `\.`; `end` is where the packet goes on behind it. */
function readName(packet: Buffer, start: number): { name: string; end: number } {
  const labels: string[] = [];
  let offset = start;
  let end: number | undefined;
  let earliest = start;
  let characters = 0;
  for (;;) {
    const length = packet.readUInt8(offset);
    if (length === 0) return { name: labels.join("."), end: end ?? offset + 1 };
    if ((length & POINTER) === POINTER) {
      const target = packet.readUInt16BE(offset) & 0x3fff;
      if (target >= earliest) throw new RangeError("a name points forwards or at itself");
      end ??= offset + 2;
      earliest = target;
      offset = target;
      continue;
    }
    characters += length + 1;
    const isTooLong = labels.length >= MOST_LABELS || characters > MOST_NAME_CHARACTERS;
    if (length >= 64 || isTooLong || offset + 1 + length > packet.length) throw new RangeError("a name has no end");
    labels.push(packet.toString("utf8", offset + 1, offset + 1 + length).replaceAll(".", "\\."));
    offset += 1 + length;
  }
}
