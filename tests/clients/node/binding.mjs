// `env.AI` over HTTP: the requests that the Workers AI binding makes inside Cloudflare, as the public API takes them.
//
// The binding's own host is not reachable from outside. Options that it sends in the body travel as cf-aig-* fields;
// a `@cf/` model is run by its path and its result unwrapped, as the binding gives it; any other by `{model, input}`.

const OPTION_FIELDS = {
  skipCache: "cf-aig-skip-cache",
  cacheTtl: "cf-aig-cache-ttl",
  cacheKey: "cf-aig-cache-key",
  metadata: "cf-aig-metadata",
  collectLog: "cf-aig-collect-log",
  eventId: "cf-aig-event-id",
  requestTimeoutMs: "cf-aig-request-timeout",
};
const RETRY_FIELDS = {
  maxAttempts: "cf-aig-max-attempts",
  retryDelayMs: "cf-aig-retry-delay",
  backoff: "cf-aig-backoff",
};

const text = (value) => (typeof value === "object" ? JSON.stringify(value) : String(value));

function named(table, values = {}) {
  const given = Object.entries(table).filter(([name]) => values[name] !== undefined);
  return Object.fromEntries(given.map(([name, field]) => [field, text(values[name])]));
}

function optionFields({ id, retries, ...options } = {}) {
  return { ...(id && { "cf-aig-gateway-id": id }), ...named(OPTION_FIELDS, options), ...named(RETRY_FIELDS, retries) };
}

async function thrown(response) {
  const body = await response.json();
  const error = body.errors?.[0] ?? body.error?.[0] ?? body;
  return new Error(`${error.code}: ${error.message}`);
}

/** What a Worker finds at `env.AI`, on the gateway at `origin`. */
export class Binding {
  aiGatewayLogId = null;

  constructor(origin, token = "test-token", account = "acct") {
    this.rest = `${origin}/client/v4/accounts/${account}/ai/run`;
    this.host = `${origin}/v1/${account}`;
    this.token = `Bearer ${token}`;
  }

  async run(model, inputs, { gateway, extraHeaders, returnRawResponse, signal } = {}) {
    const isOwn = model.startsWith("@cf/");
    const response = await this.#post(
      isOwn ? `${this.rest}/${model}` : this.rest,
      isOwn ? inputs : { model, input: inputs },
      { authorization: this.token, ...optionFields(gateway), ...extraHeaders },
      signal,
    );
    this.aiGatewayLogId = response.headers.get("cf-aig-log-id");
    if (returnRawResponse) return response;
    if (!response.ok) throw await thrown(response);
    if (!response.headers.get("content-type").startsWith("application/json")) return response.body;
    const answer = await response.json();
    return isOwn ? answer.result : answer;
  }

  gateway(id) {
    return {
      run: (data, { gateway, extraHeaders, signal } = {}) => {
        const steps = (Array.isArray(data) ? data : [data]).map((step) => ({
          ...step,
          headers: Object.fromEntries(Object.entries(step.headers ?? {}).map(([name, value]) => [name, text(value)])),
        }));
        const fields = { "cf-aig-authorization": this.token, ...optionFields({ ...gateway, id: undefined }) };
        return this.#post(`${this.host}/${id}`, steps, { ...fields, ...extraHeaders }, signal);
      },
    };
  }

  #post(url, body, headers, signal) {
    const all = { "content-type": "application/json", ...headers };
    return fetch(url, { method: "POST", headers: all, body: JSON.stringify(body), signal });
  }
}
