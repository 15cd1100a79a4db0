import base64
import struct
import subprocess
import sys

import pytest

from aigw.local.offline import InvalidRequest, embed

CORPUS = {
    "cache": "Identical requests are answered from the cache. A cached response lives for five minutes by default.",
    "rates": "Rate limiting counts requests in a sliding window and refuses those above the limit with status 429.",
    "logs": "Every request leaves a log entry with tokens, cost and duration. Logs can be searched and exported.",
    "feedback": "Feedback is a thumbs up or a thumbs down that is stored with the log of the answer it judges.",
    "retries": "A failed request is retried with exponential backoff until the number of attempts is used up.",
    "keys": "Provider API keys can be stored encrypted in the dashboard, so that no secret travels in requests.",
    "routes": "Dynamic routes send traffic to several models by percentage, by metadata or when a model fails.",
    "guardrails": "Guardrails block prompts with violence or hate and can flag harmful answers for review.",
    "bees": "Honey bees dance to tell their sisters in which direction the flowers with nectar are.",
    "bread": "Sourdough bread rises slowly because wild yeast ferments the flour overnight.",
    "moon": "The Moon pulls at the oceans and causes two tides a day on most coasts.",
    "chess": "In chess a player castles by moving the king two squares towards the rook.",
    "violin": "A violin has four strings tuned in fifths and is played with a bow of horse hair.",
    "volcano": "Volcanoes erupt when magma rises through cracks in the crust and gas escapes.",
}
QUESTIONS = {
    "How long does a response stay cached?": "cache",
    "Which status do I get above the rate limit?": "rates",
    "Can I export the log entries?": "logs",
    "How do I store a thumbs up for an answer?": "feedback",
    "Are failing requests attempted again with backoff?": "retries",
    "Where are provider keys kept secret?": "keys",
    "How can traffic be split between models?": "routes",
    "Why do bees dance?": "bees",
    "What makes sourdough rise?": "bread",
    "What causes the tides?": "moon",
    "When may a king castle?": "chess",
    "How is a violin tuned?": "violin",
}


def vectors(texts: list[str], **options: object) -> list[list[float]]:
    return [item["embedding"] for item in embed({"input": texts, **options})["data"]]


def nearest(question: list[float], corpus: list[list[float]], count: int) -> list[int]:
    scores = [sum(a * b for a, b in zip(question, vector, strict=True)) for vector in corpus]
    return sorted(range(len(scores)), key=lambda at: -scores[at])[:count]


@pytest.mark.parametrize("dimensions", [256, 384, 1536])
def test_a_question_is_near_the_paragraph_that_answers_it(dimensions):
    corpus = vectors(list(CORPUS.values()), dimensions=dimensions)
    names = list(CORPUS)
    hits = [
        expected in [names[at] for at in nearest(vector, corpus, 3)]
        for vector, expected in zip(vectors(list(QUESTIONS), dimensions=dimensions), QUESTIONS.values(), strict=True)
    ]
    assert sum(hits) / len(hits) >= 0.85


def test_inflected_words_are_nearer_than_strangers():
    one, kin, stranger = vectors(["cached requests", "caching a request", "sourdough bread"])
    assert sum(a * b for a, b in zip(one, kin, strict=True)) > 0.6
    assert abs(sum(a * b for a, b in zip(one, stranger, strict=True))) < 0.2


def test_every_vector_has_length_one():
    for vector in vectors(["a text", "the of and", "!!!", ""]):
        assert sum(value * value for value in vector) == pytest.approx(1.0)


def test_the_list_object_has_openai_s_shape():
    assert embed({"model": "m", "input": "two words", "dimensions": 8}) | {"data": []} == {
        "object": "list",
        "data": [],
        "model": "m",
        "usage": {"prompt_tokens": 2, "total_tokens": 2},
    }


def test_the_dimensions_default_to_384():
    assert [len(vector) for vector in vectors(["a", "b"])] == [384, 384]


def test_base64_holds_the_same_numbers_as_little_endian_floats():
    plain = embed({"input": "hello world", "dimensions": 16})["data"][0]["embedding"]
    packed = embed({"input": "hello world", "dimensions": 16, "encoding_format": "base64"})["data"][0]["embedding"]
    assert struct.unpack("<16f", base64.b64decode(packed)) == pytest.approx(plain, abs=1e-6)


def test_another_process_gives_the_same_vector():
    code = "from aigw.local.offline import embed; print(embed({'input': 'same text', 'dimensions': 8})['data'])"
    run = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)  # noqa: S603 - our own code
    assert run.stdout.strip() == str(embed({"input": "same text", "dimensions": 8})["data"])


def test_tokens_are_embedded_as_words_are():
    answer = embed({"input": [[9906, 1917], [9906, 1917], [3923, 0, 85]]})
    one, same, other = (item["embedding"] for item in answer["data"])
    assert one == same != other
    assert answer["usage"]["prompt_tokens"] == 7
    assert [item["embedding"] for item in embed({"input": [9906, 1917]})["data"]] == [one]


@pytest.mark.parametrize(
    ("body", "param"),
    [
        ({}, "input"),
        ({"input": []}, "input"),
        ({"input": [[]]}, "input"),
        ({"input": [-1]}, "input"),
        ({"input": [True]}, "input"),
        ({"input": ["a", 1]}, "input"),
        ({"input": "a", "dimensions": 7}, "dimensions"),
        ({"input": "a", "dimensions": 4097}, "dimensions"),
        ({"input": "a", "dimensions": True}, "dimensions"),
        ({"input": "a", "encoding_format": "hex"}, "encoding_format"),
    ],
)
def test_a_wrong_field_is_refused_by_name(body, param):
    with pytest.raises(InvalidRequest) as refusal:
        embed(body)
    assert refusal.value.param == param
