"""The Lambda Runtime API, as one worker sees it.

https://docs.aws.amazon.com/lambda/latest/dg/runtimes-api.html
"""

import queue
import threading
from contextlib import suppress
from dataclasses import dataclass
from enum import Enum, auto
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any


@dataclass(frozen=True)
class Invocation:
    """One event for the worker; `deadline` in seconds since the epoch."""

    request_id: str
    event: bytes
    deadline: float
    function_arn: str


class Kind(Enum):
    """The messages of a worker."""

    READY = auto()
    ANSWER = auto()
    ERROR = auto()
    INIT_ERROR = auto()
    EXITED = auto()


@dataclass(frozen=True)
class Said:
    """One message from a worker; `status` is the exit status of an EXITED one."""

    kind: Kind
    payload: bytes = b""
    request_id: str = ""
    status: int = 0


class RuntimeApi:
    """The endpoint of one worker: `give` it an invocation, and read `said`.

    awslambdaric takes an address without a path, so that each worker has an endpoint of its own.
    """

    def __init__(self) -> None:
        self.said: queue.Queue[Said] = queue.Queue()
        self._invocations: queue.Queue[Invocation | None] = queue.Queue()
        api = self

        class Handler(_Handler):
            said = api.said
            invocations = api._invocations

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._server.daemon_threads = True
        threading.Thread(target=self._server.serve_forever, args=(0.1,), daemon=True).start()

    @property
    def address(self) -> str:
        """host:port, for AWS_LAMBDA_RUNTIME_API."""
        return f"127.0.0.1:{self._server.server_port}"

    def give(self, invocation: Invocation) -> None:
        """Hand an invocation to the worker's next question for one."""
        self._invocations.put(invocation)

    def close(self) -> None:
        """Stop answering."""
        self._invocations.put(None)
        self._server.shutdown()
        self._server.server_close()


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    # One packet an answer: a body that comes after its headers waits 40 ms for their delayed ACK.
    wbufsize = -1
    disable_nagle_algorithm = True
    said: queue.Queue[Said]
    invocations: queue.Queue[Invocation | None]

    def handle(self) -> None:
        with suppress(ConnectionResetError):  # the worker was killed
            super().handle()

    def do_GET(self) -> None:  # .../runtime/invocation/next
        self.said.put(Said(Kind.READY))
        invocation = self.invocations.get()
        if invocation is None:
            self.close_connection = True
            return
        self.send_response(200)
        self.send_header("Content-Type", "application/json")
        self.send_header("Lambda-Runtime-Aws-Request-Id", invocation.request_id)
        self.send_header("Lambda-Runtime-Deadline-Ms", str(int(invocation.deadline * 1000)))
        self.send_header("Lambda-Runtime-Invoked-Function-Arn", invocation.function_arn)
        self.send_header("Lambda-Runtime-Trace-Id", "Root=1-00000000-0;Sampled=0")
        self.send_header("Content-Length", str(len(invocation.event)))
        self.end_headers()
        self.wfile.write(invocation.event)

    def do_POST(self) -> None:
        payload = self.rfile.read(int(self.headers.get("Content-Length", "0")))
        match self.path.split("/")[3:]:  # after /2018-06-01/runtime
            case ["init", "error"]:
                self.said.put(Said(Kind.INIT_ERROR, payload))
            case ["invocation", request_id, "response"]:
                self.said.put(Said(Kind.ANSWER, payload, request_id))
            case ["invocation", request_id, "error"]:
                self.said.put(Said(Kind.ERROR, payload, request_id))
            case _:
                self.send_error(404)
                return
        self.send_response(202)
        self.send_header("Content-Length", "0")
        self.end_headers()

    def log_message(self, format: str, *args: Any) -> None:
        """Say nothing: the emulator's record has each invocation."""
