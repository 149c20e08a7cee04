import { CctvError } from "../../errors.ts";

const ANY = "*";

/**
 * Reads a list of origins as people type it, separated by commas or spaces, such as
 * `https://shop.example, http://localhost:5173`. `*` is every origin; an empty text is none but the server's own.
 *
 * @throws CctvError SETTING_INVALID
 */
export function readOrigins(text: string): string[] {
  return text
    .split(/[\s,]+/)
    .filter(Boolean)
    .map((typed) => {
      if (typed === ANY) return ANY;
      const origin = originOf(typed);
      if (origin !== undefined) return origin;
      throw new CctvError(
        "SETTING_INVALID",
        `${JSON.stringify(typed.slice(0, 80))} is no origin; write it as the browser does, such as https://shop.example:8443, without a path`,
      );
    });
}

/** Whether pages of an origin may read the answers. A request without one is from no page. */
export function isAllowedOrigin(origin: string | undefined, allowed: readonly string[]): boolean {
  return origin === undefined || allowed.includes(ANY) || allowed.includes(origin);
}

/** What an answer says to the browser (the Fetch standard, "CORS protocol"); nothing where the origin is not allowed. */
export function corsHeaders(origin: string | undefined, allowed: readonly string[]): Record<string, string> {
  if (allowed.length === 0) return {};
  if (origin === undefined || !isAllowedOrigin(origin, allowed)) return { vary: "Origin" };
  return {
    "access-control-allow-origin": origin,
    "access-control-expose-headers": "Retry-After",
    vary: "Origin",
  };
}

function originOf(text: string): string | undefined {
  if (!URL.canParse(text)) return undefined;
  const { protocol, origin, href } = new URL(text);
  return /^https?:$/.test(protocol) && href === `${origin}/` ? origin : undefined;
}
