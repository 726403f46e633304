"""The server of maim_message, driven by JSON lines: see lines.py for the format and python.ts for who drives it."""

import argparse
import asyncio
import contextvars
import json
from collections import Counter

from lines import emit, image_message, report_custom, run_commands, finish, shorten
from maim_message import MessageBase, MessageServer


def read_options():
    """Parse the command line."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--port", type=int, default=0)
    parser.add_argument("--token", action="append", default=[])
    parser.add_argument("--custom", action="append", default=[])
    parser.add_argument("--cert")
    parser.add_argument("--key")
    parser.add_argument("--unread", action="store_true")
    return parser.parse_args()


CONNECTION = contextvars.ContextVar("connection", default=0)


class Sockets:
    """Numbers WebSockets, and counts those of each platform whose endpoint has not returned."""

    counts = Counter()
    numbers = 0
    tells_unread = False

    def __init__(self, app):
        self.app = app

    async def __call__(self, scope, receive, send):
        platform = dict(scope.get("headers", [])).get(b"platform", b"").decode()
        is_counted = scope["type"] == "websocket"
        self.counts[platform] += is_counted
        Sockets.numbers += is_counted
        CONNECTION.set(Sockets.numbers)
        try:
            await self.app(scope, receive, send)
            if self.tells_unread and is_counted:
                await self.report_unread(receive)
        finally:
            self.counts[platform] -= is_counted

    async def report_unread(self, receive):
        """Report what came in before the close and is handled by nobody: starlette does not hand it out any more."""
        try:
            while (event := await asyncio.wait_for(receive(), 0.02))["type"] == "websocket.receive":
                emit("unread", data=shorten(json.loads(event["text"])))
        except Exception:  # pylint: disable=broad-except
            pass  # nothing more is there


class Commands:
    """What can be asked of the server; each method is one command."""

    def __init__(self, server):
        self.server = server
        self.is_echoing = False
        self.waiting = set()

    async def tokens(self, add=(), remove=()):
        """Change which tokens are valid."""
        self.server.connection.valid_tokens.update(add)
        self.server.connection.valid_tokens.difference_update(remove)

    async def close(self, platform):
        """Close the connection of a platform."""
        websocket = self.server.connection.platform_websockets.get(platform)
        if websocket is not None:
            await websocket.close(code=1001, reason="from outside")

    async def gone(self, platform):
        """Tell once the last WebSocket of a platform is gone and all its messages are handled."""

        async def wait():
            while Sockets.counts[platform] > 0:
                await asyncio.sleep(0.005)
            while self.server.connection.background_tasks:
                await asyncio.gather(*self.server.connection.background_tasks, return_exceptions=True)
            emit("gone", platform=platform)

        task = asyncio.create_task(wait())
        self.waiting.add(task)
        task.add_done_callback(self.waiting.discard)

    async def send(self, message):
        """Send a message to the platform it names."""
        emit("sent", ok=await self.server.send_message(MessageBase.from_dict(message)))

    async def custom(self, platform, name, content):
        """Send a custom message."""
        emit("sent", ok=await self.server.send_custom_message(platform, name, content))

    async def broadcast(self, message):
        """Send a dict to every connection."""
        await self.server.broadcast_message(message)
        emit("sent", ok=True)

    async def send_image(self, platform, bytes):  # pylint: disable=redefined-builtin
        """Send a generated image and tell its digest."""
        message, image = image_message(platform, bytes)
        emit("sent", ok=await self.server.send_message(message), **image)

    async def echo(self, on):
        """Start or stop to answer each message with itself."""
        self.is_echoing = on
        emit("echo", on=on)

    async def platforms(self):
        """Tell which platforms are mapped and how many connections there are."""
        connection = self.server.connection
        emit("platforms", platforms=list(connection.platform_websockets), connections=len(connection.active_websockets))

    async def answer(self, message):
        """Report a message, and answer it while echoing."""
        emit("message", data=shorten(message), connection=CONNECTION.get())
        if not self.is_echoing:
            return
        try:
            emit("sent", ok=await self.server.send_message(MessageBase.from_dict(message)))
        except Exception as error:  # pylint: disable=broad-except
            emit("error", do="echo", error=repr(error), data=shorten(message))


async def bound_port(server, task):
    """Wait until the server accepts connections; uvicorn tells that only by a flag."""
    while not task.done():
        inner = server.connection.server
        if inner is not None and inner.started:
            return inner.servers[0].sockets[0].getsockname()[1]
        await asyncio.sleep(0.005)
    task.result()
    raise RuntimeError("the server ended before it listened")


async def main():
    """Run the server until it is told to stop."""
    options = read_options()
    server = MessageServer(
        host="127.0.0.1",
        port=options.port,
        enable_token=bool(options.token),
        ssl_certfile=options.cert,
        ssl_keyfile=options.key,
    )
    for token in options.token:
        server.add_valid_token(token)
    Sockets.tells_unread = options.unread
    server.connection.app.add_middleware(Sockets)
    commands = Commands(server)
    server.register_message_handler(commands.answer)
    report_custom(server, options.custom)
    task = asyncio.create_task(server.run())
    emit("started")
    emit("listening", port=await bound_port(server, task))
    names = ("send", "custom", "broadcast", "send_image", "echo", "platforms", "tokens", "close", "gone")
    await run_commands({name: getattr(commands, name) for name in names})
    await server.stop()
    await finish(task)
    emit("stopped")


asyncio.run(main())
