"""Vectors out of an answer: their order, their number, their encoding."""

from __future__ import annotations

import base64
import struct

import pytest

from aigw import APIStatusError, EmbeddingResult, ResponseInfo

INFO = ResponseInfo(log_id="01LOG", status_code=200)


def result(*data):
    return EmbeddingResult(data=data, info=INFO)


def test_vectors_come_in_the_order_of_the_texts():
    answer = result({"index": 1, "embedding": [2.0]}, {"index": 0, "embedding": [1.0]})

    assert answer.vectors == [[1.0], [2.0]]


def test_vectors_without_numbers_keep_the_order_they_came_in():
    assert result({"embedding": [1.0]}, {"embedding": [2.0]}).vectors == [[1.0], [2.0]]


def test_base64_is_32_bit_floats_with_the_lowest_byte_first():
    packed = base64.b64encode(struct.pack("<3f", 0.5, -2.0, 1.0)).decode()

    assert result({"index": 0, "embedding": packed}).vectors == [[0.5, -2.0, 1.0]]


@pytest.mark.parametrize("vector", ["not base64!", "AAA=", None, ["x"], 3])
def test_a_vector_that_cannot_be_read_is_an_error_with_the_log(vector):
    with pytest.raises(APIStatusError, match="cannot be read") as caught:
        _ = result({"index": 0, "embedding": vector}).vectors

    assert caught.value.log_id == "01LOG"


def test_a_missing_vector_is_an_error_with_the_log():
    with pytest.raises(APIStatusError, match="1 vectors for 2 texts") as caught:
        result({"index": 0, "embedding": [1.0]}).vectors_of(2)

    assert caught.value.log_id == "01LOG"
