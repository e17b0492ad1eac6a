"""A web page cannot use an emulator on its own machine."""

from collections.abc import Iterable
from typing import TYPE_CHECKING

import pytest
from werkzeug.test import Client
from werkzeug.wrappers import Response

from labswarm_emulator.browsers import without_browsers

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIEnvironment

REACHED: list[str] = []


def aws(environ: "WSGIEnvironment", start_response: "StartResponse") -> Iterable[bytes]:
    REACHED.append(environ["REQUEST_METHOD"])
    return Response("done")(environ, start_response)


@pytest.fixture
def client() -> Client:
    REACHED.clear()
    return Client(without_browsers(aws))


@pytest.mark.parametrize(
    "headers",
    [
        {"Origin": "https://page.example"},
        {"Origin": "null"},
        {"Origin": "http://127.0.0.1:5060"},
        {"Sec-Fetch-Site": "cross-site"},
        {"Sec-Fetch-Site": "same-site"},
    ],
)
@pytest.mark.parametrize("method", ["GET", "POST", "OPTIONS"])
def test_a_request_of_a_web_page_is_refused_and_reaches_nothing(
    client: Client, method: str, headers: dict[str, str]
) -> None:
    answer = client.open("/", method=method, headers=headers)

    assert (answer.status_code, REACHED) == (403, [])
    assert "without the header Origin" in answer.text


@pytest.mark.parametrize("headers", [{}, {"Sec-Fetch-Site": "none"}])
def test_a_program_and_a_typed_address_are_answered(
    client: Client, headers: dict[str, str]
) -> None:
    assert client.get("/", headers=headers).text == "done"
    assert REACHED == ["GET"]
