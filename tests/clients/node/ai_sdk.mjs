// Vercel's AI SDK with the providers' own packages, their base URLs led to the gateway.

import { createAnthropic } from "@ai-sdk/anthropic";
import { createOpenAI } from "@ai-sdk/openai";
import { createOpenAICompatible } from "@ai-sdk/openai-compatible";
import { embedMany, generateText, Output, stepCountIs } from "ai";
import { CITY, EXTRACT, PARIS, RAN, TOOLS, UNSAFE, WEATHER, once, stream } from "./questions.mjs";
import { answer, report, streamed } from "./report.mjs";

const origin = process.argv[2];
const host = `${origin}/v1/acct/default`;
const rest = `${origin}/client/v4/accounts/acct/ai/v1`;

const openai = createOpenAI({ apiKey: "provider-key", baseURL: `${host}/openai` });
const anthropic = createAnthropic({ apiKey: "provider-key", baseURL: `${host}/anthropic/v1` });
const compat = createOpenAICompatible({
  name: "compat",
  apiKey: "provider-key",
  baseURL: `${host}/compat`,
  includeUsage: true,
  supportsStructuredOutputs: true,
});
const onRest = createOpenAI({ apiKey: "test-token", baseURL: rest });

const models = {
  chat: openai.chat("gpt-5-mini"),
  responses: openai.responses("gpt-5-mini"),
  messages: anthropic("claude-haiku-4-5"),
  compat: compat("openai/gpt-5-mini"),
  rest_chat: onRest.chat("openai/gpt-5-mini"),
  rest_responses: onRest.responses("openai/gpt-5-mini"),
};

const fields = (headers) => ({ prompt: PARIS, headers });

const at = (gateway) =>
  createOpenAI({ apiKey: "provider-key", baseURL: `${origin}/v1/acct/${gateway}/openai` }).chat("gpt-5-mini");

const perModel = Object.entries(models).flatMap(([name, model]) => [
  [`${name} text`, async () => answer(await once(model, { prompt: PARIS }))],
  [`${name} stream`, () => streamed(stream(model, { prompt: PARIS }))],
  [`${name} tools`, async () => answer(await once(model, { prompt: WEATHER, tools: TOOLS, toolChoice: "required" }))],
  [`${name} tools streamed`, () => streamed(stream(model, { prompt: WEATHER, tools: TOOLS, toolChoice: "required" }))],
  [
    `${name} tool loop`,
    async () => {
      const result = await once(model, { prompt: WEATHER, tools: RAN, stopWhen: stepCountIs(3) });
      return { ...(await answer(result)), steps: result.steps.length };
    },
  ],
  [
    `${name} object`,
    async () => {
      return { output: (await once(model, { prompt: EXTRACT, output: Output.object({ schema: CITY }) })).output };
    },
  ],
]);

await report({
  ...Object.fromEntries(perModel),
  embeddings: async () => {
    const { embeddings, usage } = await embedMany({
      model: openai.embedding("text-embedding-3-small"),
      values: ["one", "two"],
    });
    return { sizes: embeddings.map((vector) => vector.length), usage };
  },
  "cached miss": async () => answer(await once(models.chat, fields({ "cf-aig-cache-key": "ai-sdk" }))),
  "cached hit": async () => answer(await once(models.chat, fields({ "cf-aig-cache-key": "ai-sdk" }))),
  retried: async () =>
    answer(await generateText({ model: models.chat, maxRetries: 1, ...fields({ "aigw-local-fail": "503x1" }) })),
  "provider down": () => once(models.chat, fields({ "aigw-local-fail": "503" })),
  "cut stream": () => streamed(stream(models.chat, fields({ "aigw-local-fail": "cut" }))),
  "no such model": () => once(onRest.chat("openai/nowhere"), { prompt: PARIS }),
  "no prefix": () => once(compat("gpt-5-mini"), { prompt: PARIS }),
  "no token": () => once(at("closed"), { prompt: PARIS }),
  "wrong token": () =>
    once(createOpenAI({ apiKey: "wrong", baseURL: rest }).chat("openai/gpt-5-mini"), { prompt: PARIS }),
  "rate limited": async () => {
    await once(at("limited"), { prompt: PARIS });
    return once(at("limited"), { prompt: PARIS });
  },
  "guarded prompt": () => once(at("guarded"), { prompt: UNSAFE }),
  "timed out": () =>
    once(models.chat, { ...fields({ "aigw-local-delay": "5000" }), abortSignal: AbortSignal.timeout(200) }),
});
