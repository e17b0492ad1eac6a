"""Students: the texts that they read from pages, streams and kernels, and their errors."""

import asyncio
import json
from collections.abc import Awaitable, Callable
from typing import Any

import pytest
from aiohttp import web

from labswarm_lab.students import (
    CellOutput,
    Progress,
    Result,
    StudentFailed,
    event_of,
    run_class,
    student_names,
    xsrf_of,
)

LOGIN_PAGE = '<form method="post"><input type="hidden" name="_xsrf" value="t&amp;k"/></form>'


def message(kind: str, parent: str = "mine", **content: Any) -> dict[str, Any]:
    return {
        "header": {"msg_type": kind},
        "parent_header": {"msg_id": parent},
        "content": content,
    }


class TestNames:
    def test_they_sort_as_they_count(self) -> None:
        assert student_names(2) == ["student-01", "student-02"]
        many = student_names(100)
        assert many[0] == "student-001"
        assert many == sorted(many)


class TestLoginForm:
    def test_its_token_is_read_as_a_browser_reads_it(self) -> None:
        assert xsrf_of(LOGIN_PAGE) == "t&k"

    def test_a_page_without_one_is_no_login_page(self) -> None:
        with pytest.raises(StudentFailed, match="no form with an _xsrf field"):
            xsrf_of("<html><h1>502</h1></html>")


class TestEventStream:
    def test_a_data_line_is_an_event(self) -> None:
        assert event_of('data: {"progress": 5}\n') == {"progress": 5}

    @pytest.mark.parametrize("line", ["", "\n", ": keep-alive\n", "retry: 5\n", "data: 7\n"])
    def test_other_lines_are_not(self, line: str) -> None:
        assert event_of(line) is None


class TestCell:
    def test_it_is_complete_with_its_reply_and_all_its_output(self) -> None:
        output = CellOutput("mine")
        output.take(message("execute_reply", status="ok"))
        assert not output.complete
        output.take(message("stream", text="4"))
        output.take(message("stream", text="2\n"))
        output.take(message("status", execution_state="idle"))
        assert output.complete
        assert output.text == "42\n"

    def test_the_answer_to_another_request_is_left_out(self) -> None:
        output = CellOutput("mine")
        output.take(message("stream", parent="other", text="no"))
        output.take(message("status", parent="other", execution_state="idle"))
        output.take(message("execute_reply", status="ok"))
        assert output.text == ""
        assert not output.complete

    def test_its_error_is_reported(self) -> None:
        with pytest.raises(StudentFailed, match="NameError: x"):
            CellOutput("mine").take(message("error", ename="NameError", evalue="x"))


Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]


async def login_page(request: web.Request) -> web.Response:
    return web.Response(text=LOGIN_PAGE, content_type="text/html")


async def check_login(request: web.Request) -> web.Response:
    form = await request.post()
    known = form["_xsrf"] == "t&k" and str(form["username"]).startswith("student-")
    return web.Response(status=302 if known else 403, headers={"Location": "/hub/spawn"})


async def spawn(request: web.Request) -> web.Response:
    return web.Response(text="pending")


def progress(*events: dict[str, Any]) -> Handler:
    async def answer(request: web.Request) -> web.Response:
        text = "".join(f"data: {json.dumps(event)}\n\n" for event in events)
        return web.Response(text=text, content_type="text/event-stream")

    return answer


async def attend(
    count: int = 1, spawn_timeout_s: float = 5, **changes: Handler
) -> list[Progress | Result]:
    """All events of a class at a hub that goes as far as starting servers."""
    handlers: dict[str, Handler] = {
        "login": check_login,
        "progress": progress({"message": "Waiting."}, {"ready": True}),
    } | changes
    app = web.Application()
    app.router.add_get("/hub/login", login_page)
    app.router.add_post("/hub/login", handlers["login"])
    app.router.add_get("/hub/spawn", spawn)
    app.router.add_get("/hub/api/users/{name}/server/progress", handlers["progress"])
    runner = web.AppRunner(app, shutdown_timeout=0.1)
    await runner.setup()
    try:
        site = web.TCPSite(runner, "127.0.0.1", 0)
        await site.start()
        url = f"http://127.0.0.1:{runner.addresses[0][1]}/"
        return [event async for event in run_class(url, count, spawn_timeout_s=spawn_timeout_s)]
    finally:
        await runner.cleanup()


def the_result(events: list[Progress | Result]) -> Result:
    (result,) = [event for event in events if isinstance(event, Result)]
    return result


class TestClass:
    def test_a_refused_login_is_named(self) -> None:
        async def refuse(request: web.Request) -> web.Response:
            return web.Response(status=403)

        result = the_result(asyncio.run(attend(login=refuse)))
        assert (result.ok, result.failed_step) == (False, "login")
        assert result.reason == "the login form answered 403"

    def test_a_server_that_does_not_start_is_named_with_the_hubs_words(self) -> None:
        failed = progress({"failed": True, "message": "Spawn failed: rejected"})
        result = the_result(asyncio.run(attend(progress=failed)))
        assert result.failed_step == "spawn"
        assert "Spawn failed: rejected" in (result.reason or "")
        assert set(result.seconds) == {"login"}

    def test_a_stream_that_breaks_off_is_no_success(self) -> None:
        result = the_result(asyncio.run(attend(progress=progress({"message": "Waiting."}))))
        assert result.failed_step == "spawn"
        assert "without an outcome" in (result.reason or "")

    def test_a_start_that_takes_too_long_is_named_with_the_last_word(self) -> None:
        async def stuck(request: web.Request) -> web.StreamResponse:
            stream = web.StreamResponse(headers={"Content-Type": "text/event-stream"})
            await stream.prepare(request)
            await stream.write(b'data: {"message": "All seats are taken."}\n\n')
            await asyncio.Event().wait()
            return stream

        result = the_result(asyncio.run(attend(spawn_timeout_s=0.5, progress=stuck)))
        assert result.failed_step == "spawn"
        assert result.reason == "not done within 0.5 s; last heard: All seats are taken."

    def test_a_server_that_does_not_answer_is_named(self) -> None:
        result = the_result(asyncio.run(attend()))
        assert result.failed_step == "open"
        assert "404" in (result.reason or "")
        assert set(result.seconds) == {"login", "spawn"}

    def test_the_hubs_messages_while_one_waits_are_passed_on(self) -> None:
        events = asyncio.run(attend())
        assert Progress("student-01", "spawn", "Waiting.") in events

    def test_a_hub_that_is_not_there_fails_every_student(self) -> None:
        async def attend_nowhere() -> list[Progress | Result]:
            return [event async for event in run_class("http://127.0.0.1:9", 3)]

        events = asyncio.run(attend_nowhere())
        assert [event.student for event in events if isinstance(event, Result)] == [
            "student-01",
            "student-02",
            "student-03",
        ]
        assert all(isinstance(event, Result) and event.failed_step == "login" for event in events)

    def test_everyone_gets_a_result(self) -> None:
        events = asyncio.run(attend(count=25))
        results = [event for event in events if isinstance(event, Result)]
        assert {result.student for result in results} == set(student_names(25))
