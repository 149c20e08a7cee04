/** The address with a query that the dialog keeps among the credentials, such as `token=…`. */
export function withQuery(address: string, query: string | undefined): string {
  const secret = (query ?? "").trim().replace(/^[?&]+/, "");
  if (secret === "") return address;
  return `${address}${address.includes("?") ? "&" : "?"}${secret}`;
}
