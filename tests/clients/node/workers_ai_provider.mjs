// Cloudflare's workers-ai-provider: with credentials and a `fetch` of its own, and through a binding, where other
// providers' models go the run path or the universal endpoint.

import { embedMany, Output, stepCountIs } from "ai";
import { createOpenAI } from "@ai-sdk/openai";
import { createWorkersAI } from "workers-ai-provider";
import { anthropic } from "workers-ai-provider/anthropic";
import { createGatewayProvider } from "workers-ai-provider/gateway";
import { openai } from "workers-ai-provider/openai";
import { Binding } from "./binding.mjs";
import { fetchAt } from "./hosts.mjs";
import { CITY, EXTRACT, PARIS, RAN, TOOLS, WEATHER, once, stream } from "./questions.mjs";
import { answer, report, streamed } from "./report.mjs";

const origin = process.argv[2];
const LLAMA = "@cf/meta/llama-3.3-70b-instruct-fp8-fast";
const BGE = "@cf/baai/bge-m3";

const ai = new Binding(origin);
const keyed = { accountId: "acct", apiKey: "test-token", fetch: fetchAt(origin) };
const ways = {
  rest: createWorkersAI(keyed),
  gateway: createWorkersAI({ ...keyed, gateway: { id: "default", metadata: { plan: "gold" } } }),
  binding: createWorkersAI({ binding: ai, gateway: { id: "default" } }),
};
const catalog = createWorkersAI({ binding: ai, gateway: { id: "default" }, providers: [openai, anthropic] });

const perWay = Object.entries(ways).flatMap(([name, provider]) => [
  [`${name} text`, async () => answer(await once(provider(LLAMA)))],
  [`${name} stream`, () => streamed(stream(provider(LLAMA)))],
  [
    `${name} tools`,
    async () => answer(await once(provider(LLAMA), { prompt: WEATHER, tools: TOOLS, toolChoice: "required" })),
  ],
  [
    `${name} tools streamed`,
    () => streamed(stream(provider(LLAMA), { prompt: WEATHER, tools: TOOLS, toolChoice: "required" })),
  ],
  [
    `${name} tool loop`,
    async () => {
      const result = await once(provider(LLAMA), { prompt: WEATHER, tools: RAN, stopWhen: stepCountIs(3) });
      return { ...(await answer(result)), steps: result.steps.length };
    },
  ],
  [
    `${name} object`,
    async () => {
      const options = { prompt: EXTRACT, output: Output.object({ schema: CITY }) };
      return { output: (await once(provider(LLAMA), options)).output };
    },
  ],
  [
    `${name} embeddings`,
    async () => {
      const { embeddings } = await embedMany({ model: provider.embedding(BGE), values: ["one", "two"] });
      return { sizes: embeddings.map((vector) => vector.length) };
    },
  ],
]);

const dispatched = (run) => async () => {
  let dispatch;
  const result = await run((info) => (dispatch = info));
  return { ...result, dispatch };
};

await report({
  ...Object.fromEntries(perWay),
  "catalog, run path": dispatched(async (onDispatch) =>
    answer(await once(catalog("openai/gpt-5-mini", { onDispatch }))),
  ),
  "catalog, run path, streamed": dispatched((onDispatch) =>
    streamed(stream(catalog("openai/gpt-5-mini", { onDispatch }))),
  ),
  "catalog, anthropic": dispatched(async (onDispatch) =>
    answer(await once(catalog("anthropic/claude-haiku-4.5", { onDispatch }))),
  ),
  "catalog, anthropic streamed": dispatched((onDispatch) =>
    streamed(stream(catalog("anthropic/claude-haiku-4.5", { onDispatch }))),
  ),
  "catalog, gateway path": dispatched(async (onDispatch) =>
    answer(await once(catalog("openai/gpt-5-mini", { transport: "gateway", onDispatch, metadata: { plan: "gold" } }))),
  ),
  "catalog, server fallback": dispatched(async (onDispatch) => {
    const fallback = { mode: "server", models: ["anthropic/claude-haiku-4.5"] };
    const model = catalog("openai/no-such-model", { fallback, onDispatch, resume: false });
    return answer(await once(model));
  }),
  "dynamic route": async () => answer(await once(catalog("dynamic/support"))),
  "own provider": async () =>
    answer(await once(createGatewayProvider(createOpenAI, { binding: ai, gateway: "default" }).chat("gpt-5-mini"))),
  "wrong token": () => once(createWorkersAI({ ...keyed, apiKey: "wrong" })(LLAMA)),
  "no such model": () => once(ways.rest("@cf/none/none")),
  "no such model, through a binding": () => once(ways.binding("@cf/none/none")),
  "provider down": () => once(ways.rest(LLAMA, { extraHeaders: { "aigw-local-fail": "503" } })),
  "cut stream": () => streamed(stream(ways.rest(LLAMA, { extraHeaders: { "aigw-local-fail": "cut" } }))),
});
