import datetime as dt
import enum
import ipaddress
import json
import uuid
from typing import Annotated, Literal

import pytest
from pydantic import AnyUrl, BaseModel, ConfigDict, Field, TypeAdapter

from aigw.local.offline import chat


class Colour(enum.Enum):
    RED = "red"
    GREEN = "green"


class Person(BaseModel):
    model_config = ConfigDict(extra="forbid")
    name: str
    age: int = Field(ge=0, le=150)
    city: str | None = None


class Cat(BaseModel):
    kind: Literal["cat"]
    lives: int = Field(ge=1, le=9)


class Dog(BaseModel):
    kind: Literal["dog"]
    barks: bool


class Node(BaseModel):
    label: str
    children: list["Node"] = []
    parent: "Node | None" = None


class Everything(BaseModel):
    text: Annotated[str, Field(min_length=3, max_length=10)]
    code: Annotated[str, Field(pattern=r"^[A-Z]{2}-\d{4}$")]
    ratio: Annotated[float, Field(gt=0, lt=1)]
    even: Annotated[int, Field(multiple_of=2, ge=10)]
    day: dt.date
    moment: dt.datetime
    key: uuid.UUID
    address: ipaddress.IPv4Address
    link: AnyUrl
    colour: Colour
    pet: Annotated[Cat | Dog, Field(discriminator="kind")]
    pair: tuple[int, str]
    labels: dict[str, int]
    tags: Annotated[set[str], Field(min_length=2)]
    people: list[Person]
    flag: bool
    maybe: int | None
    either: int | str


def fill(prompt, schema):
    wanted = {"type": "json_schema", "json_schema": {"name": "it", "schema": schema}}
    body = {"messages": [{"role": "user", "content": prompt}], "response_format": wanted}
    return json.loads(chat(body)["choices"][0]["message"]["content"])


def fields(prompt, **properties):
    return fill(prompt, {"type": "object", "properties": properties, "required": list(properties)})


PROMPTS = ["", "Hello", "Anna Smith is 41 and lives in Oslo. Her dog is green, AB-1234.", "1 2 3, a, b and c: 0.5"]


@pytest.mark.parametrize("prompt", PROMPTS)
@pytest.mark.parametrize("kind", [Person, Everything, Node, list[Person], Cat | Dog, dict[str, float], list[Colour]])
def test_whatever_the_prompt_says_the_json_is_valid(kind, prompt):
    adapter = TypeAdapter(kind)
    adapter.validate_json(json.dumps(fill(prompt, adapter.json_schema())))


TEXT = {"type": "string"}
WHOLE = {"type": "integer"}


@pytest.mark.parametrize(
    ("prompt", "properties", "values"),
    [
        ("My name is Bob and I am 42.", {"name": TEXT, "age": WHOLE}, {"name": "Bob", "age": 42}),
        (
            "Alice Smith is 30 years old and lives in Berlin.",
            {"name": TEXT, "age": WHOLE, "city": TEXT},
            {"name": "Alice Smith", "age": 30, "city": "Berlin"},
        ),
        (
            "Set temperature to 21 degrees, humidity 40",
            {"humidity": WHOLE, "temperature": {"type": "number"}},
            {"humidity": 40, "temperature": 21},
        ),
        (
            "Fly from London to New York on March 3, 2025",
            {"origin": TEXT, "destination": TEXT, "date": {"type": "string", "format": "date"}},
            {"origin": "London", "destination": "New York", "date": "2025-03-03"},
        ),
        (
            'Send "see you" to ann@example.com',
            {"to": {"type": "string", "format": "email"}, "note": TEXT},
            {"to": "ann@example.com", "note": "see you"},
        ),
        ("It is cold, in fahrenheit.", {"unit": {"enum": ["celsius", "fahrenheit"]}}, {"unit": "fahrenheit"}),
        ("Use the metric system.", {"unit": {"enum": ["celsius", "fahrenheit"]}}, {"unit": "celsius"}),
        ("Tags: red, blue and green.", {"tags": {"type": "array", "items": TEXT}}, {"tags": ["red", "blue", "green"]}),
        ("Verbose is off", {"verbose": {"type": "boolean"}}, {"verbose": False}),
        ("Nothing to see", {"size": {"type": ["integer", "null"]}}, {"size": None}),
    ],
)
def test_values_are_taken_from_the_prompt(prompt, properties, values):
    assert fields(prompt, **properties) == values


def test_a_list_of_objects_has_one_for_every_clause():
    schema = TypeAdapter(list[Person]).json_schema()
    assert fill("Alice is 30 years old and Bob is 25 years old.", schema) == [
        {"name": "Alice", "age": 30},
        {"name": "Bob", "age": 25},
    ]


def test_an_optional_property_is_left_out_when_the_prompt_does_not_tell_it():
    assert fill("Bob is 25.", Person.model_json_schema()) == {"name": "Bob", "age": 25}


def test_a_branch_of_a_union_is_chosen_by_what_the_prompt_mentions():
    assert fill("My dog barks.", TypeAdapter(Cat | Dog).json_schema()) == {"kind": "dog", "barks": True}


def test_an_answer_property_holds_the_quoted_answer():
    context = "Answer the question based only on the following context:\n\nBees dance to show the way."
    prompt = f"{context}\n\nQuestion: Why do bees dance?"
    assert fill(prompt, {"type": "object", "properties": {"answer": TEXT}, "required": ["answer"]}) == {
        "answer": "Bees dance to show the way."
    }


def test_a_json_object_has_the_keys_the_prompt_names():
    prompt = "Tell me a joke about cats. Return JSON with 'setup' and 'punchline' keys."
    body = {"messages": [{"role": "user", "content": prompt}], "response_format": {"type": "json_object"}}
    assert json.loads(chat(body)["choices"][0]["message"]["content"]).keys() == {"setup", "punchline"}


def test_a_schema_written_in_the_prompt_is_obeyed():
    schema = json.dumps(Person.model_json_schema())
    prompt = f"Bob is 25.\nHere's a JSON schema to follow:\n{schema}\nOutput a valid JSON object."
    text = chat({"messages": [{"role": "user", "content": prompt}]})["choices"][0]["message"]["content"]
    assert Person.model_validate_json(text) == Person(name="Bob", age=25)
