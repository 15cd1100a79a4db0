"""Prompts that are mostly layout are read in linear time."""

import time

import pytest

from aigw.local import offline

RULERS = "-----\n" * 20_000


@pytest.mark.parametrize(
    "text",
    [
        RULERS + "Paris is the capital of France. What is the capital of France?",
        f"Query: What is the capital of France?\n{RULERS}Paris is the capital of France.",
        "-----\nA line of text.\n" * 10_000 + "What is the capital of France?",
        f"following context:\n{RULERS}no question here",
        "-" * 100_000 + "x",
    ],
)
def test_thousands_of_rulers_are_read_in_linear_time(text):
    began = time.perf_counter()
    offline.chat({"model": "m", "messages": [{"role": "user", "content": text}]})
    assert time.perf_counter() - began < 5


def test_the_material_still_ends_at_the_last_ruler_before_the_question():
    text = (
        "Context:\n-----\nRed is a colour.\n-----\nParis is the capital of France.\n-----\n"
        "Use it.\nQuery: What is red?\n"
    )
    answer = offline.chat({"model": "m", "messages": [{"role": "user", "content": text}]})
    assert answer["choices"][0]["message"]["content"] == "Red is a colour."
