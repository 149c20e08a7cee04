/** What a device says of itself in its scopes (ONVIF Core Specification, 7.3.2). */
export interface DeviceScopes {
  readonly name?: string;
  readonly hardware?: string;
  readonly location?: string;
}

const SCOPE = /^onvif:\/\/www\.onvif\.org\/(name|hardware|location)\/(.+)$/i;

/** Reads scopes, as WS-Discovery and GetScopes give them; of several of a kind the first, locations joined. */
export function readScopes(scopes: readonly string[]): DeviceScopes {
  const found = new Map<string, string[]>();
  for (const scope of scopes) {
    const [, kind = "", value = ""] = SCOPE.exec(scope.trim()) ?? [];
    const text = decode(value).trim();
    if (text) found.set(kind.toLowerCase(), [...(found.get(kind.toLowerCase()) ?? []), text]);
  }
  const [name] = found.get("name") ?? [];
  const [hardware] = found.get("hardware") ?? [];
  const location = found.get("location")?.join(", ");
  return { ...(name && { name }), ...(hardware && { hardware }), ...(location && { location }) };
}

function decode(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}
