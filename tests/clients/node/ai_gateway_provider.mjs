// Cloudflare's ai-gateway-provider: by account and key, where its hard-coded host is led to the gateway by a `fetch`
// in place of the global one, and by a binding.

import { createAiGateway } from "ai-gateway-provider";
import { createAnthropic } from "ai-gateway-provider/providers/anthropic";
import { createOpenAI } from "ai-gateway-provider/providers/openai";
import { createUnified, unified } from "ai-gateway-provider/providers/unified";
import { Output } from "ai";
import { Binding } from "./binding.mjs";
import { fetchAt } from "./hosts.mjs";
import { CITY, EXTRACT, PARIS, TOOLS, UNSAFE, WEATHER, once, stream } from "./questions.mjs";
import { answer, report, streamed } from "./report.mjs";

const origin = process.argv[2];
globalThis.fetch = fetchAt(origin);

const gateway = (options = {}, more = {}) =>
  createAiGateway({ accountId: "acct", gateway: "default", apiKey: "test-token", options, ...more });
const bound = createAiGateway({
  binding: new Binding(origin).gateway("default"),
  options: { metadata: { via: "binding" } },
});

const openai = () => createOpenAI({ apiKey: "provider-key" });
const failing = () => createOpenAI({ apiKey: "provider-key", headers: { "aigw-local-fail": "503" } });
const anthropic = () => createAnthropic({ apiKey: "provider-key" });

const cached = () =>
  gateway({ cacheKey: "provider", cacheTtl: 600, metadata: { plan: "gold", tries: 3n }, eventId: "event-1" });
const through = (id, more) => once(gateway({}, { gateway: id })(openai().chat("gpt-5-mini")), more);

await report({
  text: async () => answer(await once(gateway()(openai().chat("gpt-5-mini")))),
  "unified billing": async () => answer(await once(gateway()(createOpenAI().chat("gpt-5-mini")))),
  responses: async () => answer(await once(gateway()(openai().responses("gpt-5-mini")))),
  anthropic: async () => answer(await once(gateway()(anthropic().chat("claude-haiku-4-5")))),
  unified: async () => answer(await once(gateway()(unified("openai/gpt-5-mini")))),
  "unified with a key": async () =>
    answer(await once(gateway()(createUnified({ apiKey: "provider-key" })("anthropic/claude-haiku-4-5")))),
  "dynamic route": async () => answer(await once(gateway()(unified("dynamic/support")))),
  stream: () => streamed(stream(gateway()(openai().chat("gpt-5-mini")))),
  "anthropic streamed": () => streamed(stream(gateway()(anthropic().chat("claude-haiku-4-5")))),
  tools: async () =>
    answer(
      await once(gateway()(openai().chat("gpt-5-mini")), { prompt: WEATHER, tools: TOOLS, toolChoice: "required" }),
    ),
  object: async () => {
    const options = { prompt: EXTRACT, output: Output.object({ schema: CITY }) };
    return { output: (await once(gateway()(openai().chat("gpt-5-mini")), options)).output };
  },
  fallback: async () =>
    answer(await once(gateway()([failing().chat("gpt-5-mini"), anthropic().chat("claude-haiku-4-5")]))),
  "fallback streamed": () =>
    streamed(stream(gateway()([failing().chat("gpt-5-mini"), anthropic().chat("claude-haiku-4-5")]))),
  "all fail": () => once(gateway()([failing().chat("gpt-5-mini"), failing().chat("gpt-5-nano")])),
  "cached miss": async () => answer(await once(cached()(openai().chat("gpt-5-mini")))),
  "cached hit": async () => answer(await once(cached()(openai().chat("gpt-5-mini")))),
  "gateway retries": async () =>
    answer(
      await once(
        gateway({ retries: { maxAttempts: 3, retryDelayMs: 1, backoff: "constant" } })(
          createOpenAI({ apiKey: "provider-key", headers: { "aigw-local-fail": "503x2" } }).chat("gpt-5-mini"),
        ),
      ),
    ),
  "through a binding": async () => answer(await once(bound(openai().chat("gpt-5-mini")))),
  "through a binding, streamed": () => streamed(stream(bound(openai().chat("gpt-5-mini")))),
  "wrong token": () => once(gateway({}, { apiKey: "wrong", gateway: "closed" })(openai().chat("gpt-5-mini"))),
  "good token": async () => answer(await through("closed")),
  "no such gateway": () => through("nowhere"),
  "rate limited": async () => {
    await through("limited");
    return through("limited");
  },
  "guarded prompt": () => through("guarded", { prompt: UNSAFE }),
});
