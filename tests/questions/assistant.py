"""The official client of the Model Context Protocol, which speaks to Django's test client in place of a socket."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from queue import Queue
from typing import Any, TypeVar

import httpx2
import mcp
from django.test import Client
from mcp.client.streamable_http import streamable_http_client
from mcp_types import CallToolResult, Tool

from orgtree.access.api_tokens import create_api_token
from orgtree.models import TokenScope
from tests.personas import Persona, create_user

URL = "http://testserver/mcp"
HOP_BY_HOP = {"host", "connection", "content-length", "accept-encoding"}
LONGEST_WAIT = 60  # seconds
Result = TypeVar("Result")


class Assistant:
    """A client with the persona's API token; `mode` is a protocol version, or `legacy` for the handshake."""

    def __init__(self, persona: Persona | None, *, mode: str = "auto", scope: TokenScope = TokenScope.READ) -> None:
        user = create_user(persona) if persona else None
        _, self.secret = create_api_token("assistant", user=user, scope=scope, expires_at=None)
        self.mode = mode
        self.requests: list[httpx2.Request] = []

    def call(self, tool: str, **arguments: Any) -> dict[str, Any]:
        """The structured answer; the client checks it against the tool's output schema."""
        result = self.result(tool, **arguments)
        assert not result.is_error, result.content
        answer: dict[str, Any] = result.structured_content
        return answer

    def refusal(self, tool: str, **arguments: Any) -> str:
        result = self.result(tool, **arguments)
        assert result.is_error
        assert result.structured_content is None
        return str(result.content[0].text)  # type: ignore[union-attr]

    def result(self, tool: str, **arguments: Any) -> CallToolResult:
        async def called(client: mcp.Client) -> CallToolResult:
            await client.list_tools()  # only then the client knows the output schema
            return await client.call_tool(tool, arguments)

        return self.run(called)

    def tools(self) -> Sequence[Tool]:
        async def listed(client: mcp.Client) -> Sequence[Tool]:
            return (await client.list_tools()).tools

        return self.run(listed)

    def run(self, work: Callable[[mcp.Client], Awaitable[Result]]) -> Result:
        """What the client makes of it in a thread with an event loop; requests are answered in this one, whose
        transaction has the test's data.
        """
        waiting: Queue[tuple[httpx2.Request, Future[httpx2.Response]] | None] = Queue()

        async def send(request: httpx2.Request) -> httpx2.Response:
            answer: Future[httpx2.Response] = Future()
            waiting.put((request, answer))
            return await asyncio.wrap_future(answer)

        async def connected() -> Result:
            headers = {"Authorization": f"Bearer {self.secret}"}
            async with (
                httpx2.AsyncClient(transport=httpx2.MockTransport(send), headers=headers) as http,
                mcp.Client(streamable_http_client(URL, http_client=http), mode=self.mode) as client,
            ):
                return await work(client)

        with ThreadPoolExecutor(1) as loop:
            done = loop.submit(asyncio.run, connected())
            done.add_done_callback(lambda _done: waiting.put(None))
            while (request := waiting.get(timeout=LONGEST_WAIT)) is not None:
                request[1].set_result(self._answer(request[0]))
        return done.result()

    def _answer(self, request: httpx2.Request) -> httpx2.Response:
        self.requests.append(request)
        headers = {name: value for name, value in request.headers.items() if name not in HOP_BY_HOP}
        response = Client().generic(
            request.method, "/mcp", request.content, headers.pop("content-type", ""), headers=headers
        )
        return httpx2.Response(response.status_code, headers=dict(response.items()), content=response.content)
