import pytest

from aigw.local.offline import chat

DOCUMENT = """# Caching

The gateway caches identical requests. A cached response is kept for 300 seconds by default, unless
its `cf-aig-cache-ttl` says otherwise. Streaming responses are not cached.

## Sizes

The limits are:

- Requests may be 25 MB large.
- A custom cache key has at most 256 characters.

| Plan | Logs stored |
|---|---|
| Free | 100,000 |
| Paid | 1,000,000 |

```python
client.run(model, inputs, gateway={"skip_cache": True})
```

# Rate limiting

Rate limits count requests per window, e.g. 50 requests per 60 s. Dr. Smith invented the sliding window.
"""
LLAMAINDEX = (
    "Context information is below.\n---------------------\n{context}\n---------------------\n"
    "Given the context information and not prior knowledge, answer the query.\nQuery: {question}\nAnswer: "
)
LANGCHAIN = "Answer the question based only on the following context:\n\n{context}\n\nQuestion: {question}\n"
QUESTION_FIRST = (
    "You are an assistant for question-answering tasks. Use the following pieces of retrieved context to answer the "
    "question. If you don't know the answer, just say that you don't know.\n"
    "Question: {question} \nContext: {context} \nAnswer:"
)
PLAIN = "{context}\n\n{question}"
NOTHING = "The offline model has nothing in the prompt to answer from: "


def say(*messages, **fields):
    turns = [{"role": role, "content": content} for role, content in messages]
    return chat({"messages": turns, **fields})["choices"][0]["message"]["content"]


def ask(question, layout=LLAMAINDEX, context=DOCUMENT):
    return say(("user", layout.format(context=context, question=question)))


@pytest.mark.parametrize("layout", [LLAMAINDEX, LANGCHAIN, QUESTION_FIRST, PLAIN])
@pytest.mark.parametrize(
    ("question", "answer"),
    [
        (
            "How long are responses kept by default?",
            "A cached response is kept for 300 seconds by default, unless its `cf-aig-cache-ttl` says otherwise.",
        ),
        ("Are streamed responses cached?", "Streaming responses are not cached."),
        ("How many logs are stored on the paid plan?", "| Paid | 1,000,000 |"),
        ("Who invented the sliding window?", "Dr. Smith invented the sliding window."),
        ("How do I skip the cache?", '```python\nclient.run(model, inputs, gateway={"skip_cache": True})\n```'),
    ],
)
def test_the_answer_is_quoted_from_the_context_in_every_layout(layout, question, answer):
    assert ask(question, layout) == answer


@pytest.mark.parametrize("layout", [LLAMAINDEX, LANGCHAIN, QUESTION_FIRST, PLAIN])
def test_a_question_the_context_does_not_answer_gets_an_honest_no(layout):
    assert ask("What is the capital of France?", layout) == f'{NOTHING}"What is the capital of France?"'


def test_an_introduction_is_quoted_with_its_list():
    assert "The limits are:\n- Requests may be 25 MB large.\n- A custom" in ask("What are the limits?")


def test_a_sentence_of_overlapping_chunks_is_quoted_once():
    twice = "Bees dance to show the way.\n\nBees dance to show the way. Flowers hold nectar."
    assert ask("Why do bees dance?", context=twice) == "Bees dance to show the way."


def test_an_instruction_is_never_the_answer():
    assert ask("What is the query?", context="Bees dance.").startswith(NOTHING)


def test_a_summary_quotes_at_most_three_sentences():
    text = "The gateway caches requests. The gateway logs requests. Cats sleep. The gateway limits requests. Dogs bark."
    summary = say(("user", f"Write a summary of the following.\n\n{text}\n\nSUMMARY:\n"))
    assert summary == "The gateway caches requests. The gateway logs requests. The gateway limits requests."


def test_the_context_may_stand_in_the_system_message():
    ruler = "\n--------------------\n"
    system = f"Use the context information below to assist the user.{ruler}{DOCUMENT}{ruler}"
    assert (
        say(("system", system), ("user", "Who invented the sliding window?"))
        == "Dr. Smith invented the sliding window."
    )


def test_facts_of_a_plain_system_message_are_material_and_its_orders_are_not():
    system = "You are the clerk of a shop. The shop opens at 9 o'clock. Always be polite."
    assert say(("system", system), ("user", "When does the shop open?")) == "The shop opens at 9 o'clock."


def test_what_the_user_said_before_is_remembered():
    turns = (("user", "My name is Bob."), ("assistant", "Nice to meet you."), ("user", "What is my name?"))
    assert say(*turns) == "My name is Bob."


def test_a_follow_up_is_condensed_to_itself():
    history = "Given the following conversation, rephrase.\n\nChat History:\nuser: hi\n"
    prompt = f"{history}Follow Up Input: And its price?\nStandalone question:"
    assert say(("user", prompt)) == "And its price?"


def test_refining_keeps_the_existing_answer_when_the_new_context_is_of_no_use():
    prompt = (
        "The original query is as follows: Why do bees dance?\nWe have provided an existing answer: To show flowers.\n"
        "We have the opportunity to refine the existing answer (only if needed) with some more context below.\n"
        "------------\nBread rises slowly.\n------------\nGiven the new context, refine the original answer to better "
        "answer the query. If the context isn't useful, return the original answer.\nRefined Answer: "
    )
    assert say(("user", prompt)) == "To show flowers."


@pytest.mark.parametrize("prompt", ["ping", "Hello!", "Say hello"])
def test_a_greeting_is_answered_honestly_and_quoted(prompt):
    expected = f'This is the offline model: there is no language model behind it. The prompt says: "{prompt}"'
    assert say(("user", prompt)) == expected


def test_attachments_are_counted_and_not_looked_at():
    parts = [
        {"type": "text", "text": "ping"},
        {"type": "image_url", "image_url": {"url": "data:,"}},
        {"type": "input_audio", "input_audio": {}},
    ]
    assert say(("user", parts)).endswith("The offline model did not look at 2 attachments.")
