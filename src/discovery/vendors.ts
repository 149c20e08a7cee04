import { type Brand, brands } from "../camera/brands/brands.ts";

/**
 * Blocks of MAC addresses (IEEE MA-L) of camera makers, by their first three bytes. Only such as are certain:
 * a missing one leaves the vendor open, a wrong one misleads.
 */
const BLOCKS: Readonly<Record<string, readonly string[]>> = {
  Axis: ["00408c", "accc8e", "b8a44f", "e82725"],
  Bosch: ["00075f", "000463"],
  Dahua: ["3cef8c", "9002a9", "4c11bf", "38af29", "e0508b", "a0bd1d", "14a78b", "bc325f"],
  "Hanwha Vision": ["000918", "e43022"],
  Hikvision: ["c056e3", "4419b6", "bcad28", "4cbd8f", "c42f90", "2857be", "54c415", "a41437", "1868cb"],
  Pelco: ["00047d"],
  Reolink: ["ec71db"],
  "Ubiquiti UniFi": [
    "24a43c",
    "0418d6",
    "dc9fdb",
    "44d9e7",
    "687251",
    "802aa8",
    "f09fc2",
    "788a20",
    "b4fbe4",
    "fcecda",
  ],
  Uniview: ["48ea63"],
  Basler: ["003053"],
};

const VENDOR_OF_BLOCK = new Map(
  Object.entries(BLOCKS).flatMap(([vendor, blocks]) => blocks.map((block) => [block, vendor] as const)),
);

/** What makers call themselves where a device names its maker. */
const NAMES: readonly (readonly [name: RegExp, vendor: string])[] = [
  [/^hikvision\b|^hangzhou hikvision\b/i, "Hikvision"],
  [/^(zhejiang )?dahua\b/i, "Dahua"],
  [/^axis\b/i, "Axis"],
  [/^bosch\b/i, "Bosch"],
  [/^(zhejiang )?uniview\b|^unv\b/i, "Uniview"],
  [/^reolink\b/i, "Reolink"],
  [/^(hanwha|samsung techwin|wisenet)\b/i, "Hanwha Vision"],
  [/^sony\b/i, "Sony"],
  [/^pelco\b/i, "Pelco"],
  [/^tvt\b/i, "TVT"],
  [/^ubiquiti\b/i, "Ubiquiti UniFi"],
  [/^basler\b/i, "Basler"],
];
/** These make little else that a network shows. The others also make television sets and access points. */
const CAMERAS_ONLY = new Set(["Axis", "Dahua", "Hanwha Vision", "Hikvision", "Pelco", "Reolink", "TVT", "Uniview"]);

/** The maker by the MAC's first half. */
export function vendorOfMac(mac: string): string | undefined {
  return VENDOR_OF_BLOCK.get(mac.replaceAll(":", "").slice(0, 6));
}

/** The maker that a text begins with. */
export function vendorOfName(text: string | undefined): string | undefined {
  return text === undefined ? undefined : NAMES.find(([name]) => name.test(text))?.[1];
}

/** What is known of a maker's devices; undefined of makers that are not in the table of brands. */
export function brandOfVendor(vendor: string | undefined): Brand | undefined {
  return brands.find(({ label }) => label === vendor);
}

export function makesOnlyCameras(vendor: string | undefined): boolean {
  return vendor !== undefined && CAMERAS_ONLY.has(vendor);
}
