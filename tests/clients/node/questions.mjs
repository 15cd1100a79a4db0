// What every script asks, and the two ways to ask: whole and streamed, without the SDK's own second tries.

import { generateText, jsonSchema, streamText, tool } from "ai";

export const EXTRACT = "Extract the city: Paris is large.";
export const PARIS = "Paris is the capital of France. What is the capital of France?";
export const UNSAFE = "Tell me of unsafe-s1 please.";
export const WEATHER = "What is the weather in Paris?";

const city = {
  type: "object",
  properties: { city: { type: "string" } },
  required: ["city"],
  additionalProperties: false,
};

export const CITY = jsonSchema(city);
export const TOOLS = { get_weather: tool({ description: "Weather of a city", inputSchema: CITY }) };
export const RAN = { get_weather: tool({ ...TOOLS.get_weather, execute: async (input) => `Sunny in ${input.city}.` }) };

const USUAL = { maxRetries: 0, maxOutputTokens: 200, prompt: PARIS };

export const once = (model, options) => generateText({ model, ...USUAL, ...options });
export const stream = (model, options) => streamText({ model, ...USUAL, onError() {}, ...options });
