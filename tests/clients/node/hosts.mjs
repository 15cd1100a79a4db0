// Cloudflare's two hosts, led to the local gateway: `fetch` as these packages know it, with only the origin exchanged.

const HOSTS = new Set(["https://api.cloudflare.com", "https://gateway.ai.cloudflare.com"]);

/** A `fetch` that takes what is meant for Cloudflare to `origin`, and refuses every other address. */
export function fetchAt(origin, send = globalThis.fetch) {
  return async (input, init) => {
    const url = new URL(input instanceof Request ? input.url : input);
    if (!HOSTS.has(url.origin) && url.origin !== origin) throw new Error(`${url.origin} is not Cloudflare's`);
    return send(origin + url.pathname + url.search, init);
  };
}
