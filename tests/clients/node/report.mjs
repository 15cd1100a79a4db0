// Runs cases by name and prints what each gave, or what it threw, as one JSON object.

const ERROR_FIELDS = ["name", "message", "statusCode", "isRetryable", "responseBody", "reason", "responseHeaders"];

function told(error) {
  const known = ERROR_FIELDS.filter((field) => error[field] !== undefined).map((field) => [field, error[field]]);
  const last = error.lastError ? { lastError: told(error.lastError) } : {};
  return { ...Object.fromEntries(known), kind: error.constructor.name, ...last };
}

/** Run the cases one after the other; a case's failure is its result, under `error`. */
export async function report(cases) {
  const results = {};
  for (const [name, run] of Object.entries(cases)) {
    try {
      results[name] = await run();
    } catch (error) {
      results[name] = { error: told(error) };
    }
  }
  process.stdout.write(JSON.stringify(results));
}

/** What a call of `generateText` or an awaited `streamText` gave. */
export async function answer(result) {
  const [text, finishReason, usage, toolCalls, response] = await Promise.all([
    result.text,
    result.finishReason,
    result.usage,
    result.toolCalls,
    result.response,
  ]);
  return { text, finishReason, usage, toolCalls, headers: response.headers, model: response.modelId };
}

/** The same of a stream, with the pieces in which the text came and the errors on the way. */
export async function streamed(result) {
  const pieces = [];
  const errors = [];
  for await (const part of result.fullStream) {
    if (part.type === "text-delta") pieces.push(part.text);
    if (part.type === "error") errors.push(told(part.error));
  }
  if (errors.length) return { pieces, errors };
  return { ...(await answer(result)), pieces };
}
