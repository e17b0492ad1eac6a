"""The 18 intrinsic functions: AWS's own examples, and their refusals."""

import re
from typing import Any

import pytest
from tests.support.state_machines import caught_by, evaluated, one, output, run

from labswarm_emulator.stepfunctions.intrinsic_calls import NoCall, parse
from labswarm_emulator.stepfunctions.intrinsic_functions import FUNCTIONS, WrongArguments, apply
from labswarm_emulator.stepfunctions.intrinsics import checked

GIVEN: dict[str, Any] = {
    "array": [1, 2, 3, 4, 5, 6, 7, 8, 9],
    "repeated": [1, 2, 3, 3, 3, 3, 3, 3, 4],
    "text": "Data to encode",
    "base64": "RGVjb2RlZCBkYXRh",
    "hashed": "input data",
    "json1": {"a": {"a1": 1, "a2": 2}, "b": 2},
    "json2": {"a": {"a3": 1, "a4": 2}, "c": 3},
    "escaped": '{"foo": "bar"}',
    "object": {"foo": "bar", "list": [1, 1.5, True, None]},
    "value": 111,
    "step": -1,
    "split": "1,2,3,4,5",
    "many": "This.is+a,test=string",
    "splitters": ".+,=",
    "name": "Foo",
    "template": "Hello, my name is {}.",
}

EXAMPLES: dict[str, Any] = {
    "States.Array('Foo', 2020, $.object.foo, null, true)": ["Foo", 2020, "bar", None, True],
    "States.Array()": [],
    "States.ArrayPartition($.array, 4)": [[1, 2, 3, 4], [5, 6, 7, 8], [9]],
    "States.ArrayContains($.array, 5)": True,
    "States.ArrayContains($.array, '5')": False,
    "States.ArrayRange(1, 9, 2)": [1, 3, 5, 7, 9],
    "States.ArrayRange(3, 1, -1)": [3, 2, 1],
    "States.ArrayGetItem($.array, 5)": 6,
    "States.ArrayLength($.array)": 9,
    "States.ArrayUnique($.repeated)": [1, 2, 3, 4],
    "States.Base64Encode($.text)": "RGF0YSB0byBlbmNvZGU=",
    "States.Base64Decode($.base64)": "Decoded data",
    "States.Hash($.hashed, 'SHA-1')": "aaff4a450a104cd177d28d18d74485e8cae074b7",
    "States.Hash($.hashed, 'MD5')": "812f45842bc6d66ee14572ce20db8e86",
    "States.JsonMerge($.json1, $.json2, false)": {"a": {"a3": 1, "a4": 2}, "b": 2, "c": 3},
    "States.StringToJson($.escaped)": {"foo": "bar"},
    "States.JsonToString($.object)": '{"foo":"bar","list":[1,1.5,true,null]}',
    "States.MathRandom(7, 8)": 7,
    "States.MathAdd($.value, $.step)": 110,
    "States.MathAdd(1.5, 1)": 3,
    "States.StringSplit($.split, ',')": ["1", "2", "3", "4", "5"],
    "States.StringSplit($.many, $.splitters)": ["This", "is", "a", "test", "string"],
    "States.Format('Hello, my name is {}.', $.name)": "Hello, my name is Foo.",
    "States.Format($.template, $.name)": "Hello, my name is Foo.",
    "States.Format('{}: {}', $$.State.Name, $.array[0])": "First: 1",
    r"States.Format('it\'s \{{}\} and \\', $.object)": (
        r"""it's {{"foo":"bar","list":[1,1.5,true,null]}} and \ """.strip()
    ),
    "States.ArrayGetItem(States.StringSplit('2020-05-27T08:00', 'T'), 0)": "2020-05-27",
    "States.ArrayLength($.array[?(@ > 7)])": 2,
}


@pytest.mark.emulator
@pytest.mark.aws(
    "Step Functions",
    "Intrinsic functions",
    "All 18, nested up to 10 deep, over the input, the context object and variables.",
    "https://docs.aws.amazon.com/step-functions/latest/dg/intrinsic-functions.html",
)
def test_awss_examples_give_awss_results(emulator: Any) -> None:
    calls = {f"{number}.$": call for number, call in enumerate(EXAMPLES)}

    made = evaluated(emulator, {**calls, "id.$": "States.UUID()"}, GIVEN)

    assert re.fullmatch(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}", made.pop("id"))
    results = {call: made[str(number)] for number, call in enumerate(EXAMPLES)}
    assert results == EXAMPLES
    called = {name for call in EXAMPLES for name in re.findall(r"States\.(\w+)\(", call)}
    assert called | {"UUID"} == set(FUNCTIONS)


@pytest.mark.aws(
    "Step Functions",
    "Intrinsic functions",
    "Wrong arguments are refused: types, sizes (1,000 items, 10,000 characters), deep merges.",
    "https://docs.aws.amazon.com/step-functions/latest/dg/intrinsic-functions.html",
)
@pytest.mark.parametrize(
    ("function", "arguments"),
    [
        ("ArrayPartition", [[1], 0]),
        ("ArrayPartition", ["a", 1]),
        ("ArrayRange", [1, 2, 0]),
        ("ArrayRange", [1, 1001, 1]),
        ("ArrayGetItem", [[1], 1]),
        ("ArrayGetItem", [[1], -1]),
        ("ArrayLength", [3]),
        ("ArrayUnique", ["aa"]),
        ("Base64Encode", ["x" * 10_001]),
        ("Base64Decode", ["no base64!"]),
        ("Hash", ["a", "SHA-2"]),
        ("Hash", ["x" * 10_001, "MD5"]),
        ("JsonMerge", [{}, {}, True]),
        ("JsonMerge", [{}, [], False]),
        ("MathRandom", [2, 2]),
        ("MathAdd", ["1", 1]),
        ("MathAdd", [True, 1]),
        ("StringSplit", ["a,b", ""]),
        ("StringToJson", ["{a"]),
        ("Format", ["{} {}", 1]),
        ("Format", ["{}", 1, 2]),
        ("Format", ["{", 1]),
    ],
)
def test_wrong_arguments_are_refused(function: str, arguments: list[Any]) -> None:
    with pytest.raises(WrongArguments):
        apply(function, arguments)


@pytest.mark.aws(
    "Step Functions",
    "Intrinsic functions",
    "The same seed gives the same number, from the start on and below the end.",
    "https://docs.aws.amazon.com/step-functions/latest/dg/intrinsic-functions.html",
)
def test_a_seeded_random_number_repeats() -> None:
    drawn = [apply("MathRandom", [1, 999, seed]) for seed in range(50)]

    assert drawn == [apply("MathRandom", [1, 999, seed]) for seed in range(50)]
    assert len(set(drawn)) > 10
    assert all(1 <= number < 999 for number in drawn)


@pytest.mark.aws(
    "Step Functions",
    "Intrinsic functions",
    "An unknown function, a wrong number of arguments or an open escape is no call.",
    "https://docs.aws.amazon.com/step-functions/latest/dg/intrinsic-functions.html",
)
@pytest.mark.parametrize(
    "text",
    [
        "States.Nothing(1)",
        "States.MathAdd(1)",
        "States.UUID(1)",
        "States.Array(1 2)",
        "States.Array(1,)",
        "States.Array('open)",
        r"States.Format('a\b')",
        "States.Array(1) and more",
        "States.Array($.a[0)",
        "States.Array" + "(States.Array" * 10 + "(1)" + ")" * 10,
    ],
)
def test_a_bad_intrinsic_call_is_refused(text: str) -> None:
    with pytest.raises(NoCall):
        checked(parse(text))


@pytest.mark.emulator
@pytest.mark.aws(
    "Step Functions",
    "Intrinsic functions",
    "A function that cannot be applied is States.IntrinsicFailure, which States.ALL catches.",
    "https://states-language.net/spec.html#appendix-a",
)
def test_a_function_that_cannot_be_applied_can_be_caught(emulator: Any) -> None:
    task = {
        "Type": "Task",
        "Resource": "arn:aws:states:::aws-sdk:sqs:listQueues",
        "Parameters": {"QueueNamePrefix.$": "States.ArrayGetItem($.names, 3)"},
    }
    caught = {"Caught": {"Type": "Pass", "End": True}}

    results = output(emulator, one({**task, **caught_by("States.ALL")}, **caught), {"names": []})
    ended = run(emulator, one(task), {"names": []})

    assert results["Error"] == ended["error"] == "States.IntrinsicFailure"
    assert "States.ArrayGetItem($.names, 3)" in results["Cause"]
