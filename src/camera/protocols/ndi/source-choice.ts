import { CctvError } from "../../../errors.ts";
import { decodeLeniently } from "../../address.ts";

/** A source as the NDI runtime finds it. */
export interface NdiSource {
  /** `MACHINE (channel)`. */
  readonly name: string;
  /** `host:port`, or empty where the runtime does not tell. */
  readonly address: string;
}

export type SourceChoice =
  /** `certain` where no source that turns up later could fit better. */
  | { readonly kind: "found"; readonly source: NdiSource; readonly certain: boolean }
  | { readonly kind: "none" }
  | { readonly kind: "several"; readonly sources: readonly NdiSource[] };

const FULL_NAME = /^(.*?) \((.*)\)$/s;
// biome-ignore lint/suspicious/noControlCharactersInRegex: they are what is looked for
const CONTROL_CHARACTER = /[\u0000-\u001f\u007f]/;
const IP_ADDRESS = /^(?:\d{1,3}(?:\.\d{1,3}){3}|\[?[0-9a-f]*:[0-9a-f:.]+\]?)$/i;

/**
 * Reads which source an address means: the text after `ndi://`, with or without percent-encoding;
 * empty for the only source there is.
 * @throws CctvError ADDRESS_INVALID
 */
export function readWanted(address: string): string {
  const typed = address.trim().replace(/^ndi:(?:\/\/)?/i, "");
  const wanted = decodeLeniently(typed).trim().replace(/\/+$/, "");
  if (!CONTROL_CHARACTER.test(wanted)) return wanted;
  throw new CctvError(
    "ADDRESS_INVALID",
    "the name of the NDI source holds characters that no name has; enter it as NDI Studio Monitor shows it, such as ndi://STUDIO-PC (Camera 1)",
  );
}

/** The machine to ask directly where it is given by its IP address: names are announced on the local network only. */
export function machineToAsk(wanted: string): string | undefined {
  const [host = ""] = wanted.split("/", 1);
  return IP_ADDRESS.test(host) ? host.replace(/^\[|\]$/g, "") : undefined;
}

/**
 * Finds the wanted source: by its full name, by `machine/channel`, by the machine (its name or IP address)
 * or the channel alone where only one source has it. Capitals do not matter.
 */
export function chooseSource(wanted: string, sources: readonly NdiSource[]): SourceChoice {
  const exact = sources.find(({ name }) => fold(name) === fold(wanted));
  if (exact) return { kind: "found", source: exact, certain: true };
  const fitting = wanted === "" ? sources : sources.filter((source) => fits(wanted, source));
  const [source] = fitting;
  if (!source) return { kind: "none" };
  if (fitting.length > 1) return { kind: "several", sources: fitting };
  return { kind: "found", source, certain: wanted.includes("/") };
}

/** Why no source could be chosen, with what there is to choose from. */
export function explainNoChoice(wanted: string, choice: SourceChoice, sources: readonly NdiSource[]): CctvError {
  if (choice.kind === "several") {
    return new CctvError(
      "CAMERA_NOT_FOUND",
      `${choice.sources.length} NDI sources fit "ndi://${wanted}": ${listed(choice.sources)}; enter the full name of one`,
    );
  }
  if (sources.length === 0) {
    return new CctvError(
      "CAMERA_NOT_FOUND",
      "no NDI source was found on the network; check that the sender runs, and where it is in another network enter its IP address, such as ndi://192.168.1.20",
    );
  }
  return new CctvError(
    "CAMERA_NOT_FOUND",
    `no NDI source is called "${wanted}"; found were ${listed(sources)}: enter one of these`,
  );
}

function fits(wanted: string, source: NdiSource): boolean {
  const [, machine = source.name, channel = ""] = FULL_NAME.exec(source.name) ?? [];
  const hosts = [fold(machine), hostOf(source.address)];
  const slash = wanted.indexOf("/");
  if (slash < 0) return [...hosts, fold(channel)].includes(fold(wanted));
  return hosts.includes(fold(wanted.slice(0, slash))) && fold(channel) === fold(wanted.slice(slash + 1));
}

function hostOf(address: string): string {
  return fold(address.replace(/:\d+$/, ""));
}

function fold(text: string): string {
  return text.trim().toLowerCase();
}

function listed(sources: readonly NdiSource[]): string {
  return sources.map(({ name }) => `"${name}"`).join(", ");
}
