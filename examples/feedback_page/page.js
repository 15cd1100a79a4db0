// A question, the answer as it streams in, and thumbs that go to the log of that answer.

const turns = document.querySelector("#turns");
const template = document.querySelector("#turn");
const form = document.querySelector("#ask");
const question = document.querySelector("#question");

form.addEventListener("submit", (event) => {
  event.preventDefault();
  const turn = addTurn(question.value);
  form.reset();
  ask(turn);
});

question.addEventListener("keydown", (event) => {
  if (event.key === "Enter" && !event.shiftKey && !event.isComposing) {
    event.preventDefault();
    form.requestSubmit();
  }
});

function addTurn(text) {
  const turn = template.content.cloneNode(true).firstElementChild;
  turn.querySelector(".question").textContent = text;
  turns.append(turn);
  return turn;
}

async function ask(turn) {
  const answer = turn.querySelector(".answer");
  try {
    const said = { question: turn.querySelector(".question").textContent };
    for await (const { text, token, error } of lines(await post("ask", said))) {
      if (text) answer.append(text);
      if (token) offerRating(turn, token);
      if (error) answer.append(error);
    }
  } catch {
    answer.append("The server cannot be reached.");
  }
  answer.ariaBusy = "false";
}

// The token is for this answer alone; it is all that the browser has.
function offerRating(turn, token) {
  const rating = turn.querySelector(".rating");
  const comment = turn.querySelector(".comment");
  const thumbs = [...rating.querySelectorAll("button")];
  const news = rating.querySelector(".news");

  for (const thumb of thumbs) {
    thumb.addEventListener("click", async () => {
      const before = thumbs.map((one) => one.ariaPressed);
      const isTakenBack = thumb.ariaPressed === "true";
      for (const one of thumbs) one.ariaPressed = String(one === thumb && !isTakenBack);
      const value = isTakenBack ? null : Number(thumb.dataset.value);
      const refusal = await rate({ token, value });
      if (refusal) thumbs.forEach((one, at) => (one.ariaPressed = before[at]));
      news.textContent = refusal ?? (isTakenBack ? "Taken back." : "Thank you.");
      comment.hidden = thumbs.at(-1).ariaPressed !== "true";
      if (!comment.hidden) comment.querySelector("textarea").focus();
    });
  }

  comment.addEventListener("submit", async (event) => {
    event.preventDefault();
    const refusal = await rate({ token, comment: comment.querySelector("textarea").value });
    news.textContent = refusal ?? "Thank you for telling us.";
    comment.hidden = !refusal;
    if (!refusal) thumbs.at(-1).focus();
  });

  rating.hidden = false;
}

// Gives the sentence of a refusal; nothing when it was accepted.
async function rate(said) {
  try {
    const reply = await post("feedback/", said);
    const { message } = await reply.json();
    return reply.ok ? undefined : message;
  } catch {
    return "The server cannot be reached.";
  }
}

function post(url, body) {
  return fetch(url, {
    method: "POST",
    headers: { "Content-Type": "application/json" },
    body: JSON.stringify(body),
  });
}

async function* lines(reply) {
  let rest = "";
  const reader = reply.body.pipeThrough(new TextDecoderStream()).getReader();
  for (;;) {
    const { value, done } = await reader.read();
    if (done) return;
    const whole = (rest + value).split("\n");
    rest = whole.pop();
    yield* whole.map((line) => JSON.parse(line));
  }
}
