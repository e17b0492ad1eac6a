"""The source of the timetable's text; a bad server can do no harm."""

import threading
import time
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import boto3
import pytest
import urllib3
from moto import mock_aws

from labswarm.aws.feed import SsmAndWebFeeds, fetched
from labswarm.errors import BadInput, Permanent, Transient


class Department(BaseHTTPRequestHandler):
    """A department's web server, by path."""

    def do_GET(self) -> None:
        match self.path:
            case "/labs.ics":
                self.answer(200, b"BEGIN:VCALENDAR")
            case "/moved.ics":
                self.send_response(302)
                self.send_header("Location", "/labs.ics")
                self.end_headers()
            case "/huge.ics":
                self.answer(200, b"x" * 10_000_000)
            case "/trickle.ics":
                self.send_response(200)
                self.end_headers()
                for _ in range(100):
                    self.wfile.write(b"x")
                    time.sleep(0.05)
            case _:
                self.answer(404, b"")

    def answer(self, status: int, body: bytes) -> None:
        self.send_response(status)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *args: object) -> None:
        """Nothing."""


@pytest.fixture(scope="module")
def department() -> Iterator[str]:
    server = ThreadingHTTPServer(("127.0.0.1", 0), Department)
    server.handle_error = lambda *_: None  # type: ignore[method-assign]  # readers that hang up
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield f"http://127.0.0.1:{server.server_port}"
    server.shutdown()
    server.server_close()


WEB = urllib3.PoolManager()


def test_a_feed_is_fetched(department: str) -> None:
    assert fetched(WEB, f"{department}/labs.ics") == "BEGIN:VCALENDAR"


@pytest.mark.parametrize(("path", "said"), [("/none.ics", "404"), ("/moved.ics", "302")])
def test_a_missing_feed_may_come_later_and_no_other_place_is_asked(
    department: str, path: str, said: str
) -> None:
    with pytest.raises(Transient, match=said):
        fetched(WEB, department + path)


def test_a_feed_that_is_too_large_is_not_read_to_its_end(department: str) -> None:
    with pytest.raises(BadInput, match="over 1000000 bytes"):
        fetched(WEB, f"{department}/huge.ics")


def test_a_feed_that_trickles_is_given_up(department: str) -> None:
    with pytest.raises(Transient, match="did not send the whole timetable in time"):
        fetched(WEB, f"{department}/trickle.ics", whole_s=0.3)


def test_a_server_that_is_not_there_is_transient() -> None:
    with pytest.raises(Transient, match="does not answer"):
        fetched(WEB, "http://127.0.0.1:9/labs.ics")


@pytest.fixture
def feeds() -> Iterator[SsmAndWebFeeds]:
    with mock_aws():
        client = boto3.client("ssm", "eu-west-1", aws_access_key_id="x", aws_secret_access_key="x")
        client.put_parameter(Name="/labswarm/timetables/lab", Type="String", Value="feed")
        yield SsmAndWebFeeds(client, WEB)


def test_a_parameter_holds_a_feed(feeds: SsmAndWebFeeds) -> None:
    assert feeds.read_feed("ssm:/labswarm/timetables/lab") == "feed"
    with pytest.raises(Permanent):
        feeds.read_feed("ssm:/labswarm/timetables/other")


@pytest.mark.parametrize("where", ["http://example.org/x.ics", "file:///etc/passwd", "labs.ics"])
def test_nothing_else_is_read(feeds: SsmAndWebFeeds, where: str) -> None:
    with pytest.raises(BadInput, match="timetable"):
        feeds.read_feed(where)
