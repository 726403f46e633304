"""A client on the `websockets` package that behaves like the Python one of the 0.3.0 WebSocket document.

Driven by JSON lines: see lines.py for the format and python.ts for who drives it. Like its model it never reconnects,
skips text that is not JSON, and stops listening at the first message without a segment.
"""

import argparse
import asyncio
import json
import ssl
import time

import websockets
from lines import emit, run_commands, shorten


def read_options():
    """Parse the command line."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("url")
    parser.add_argument("platform")
    parser.add_argument("--token")
    parser.add_argument("--ca")
    return parser.parse_args()


def tls_context(url, ca):
    """Trust the given certificate, or any if there is none; nothing for ws:."""
    if not url.startswith("wss://"):
        return None
    context = ssl.create_default_context()
    if ca:
        context.load_verify_locations(ca)
    else:
        context.check_hostname = False
        context.verify_mode = ssl.CERT_NONE
    return context


async def connect(options):
    """Open the connection with the two headers of the document."""
    headers = {"platform": options.platform}
    if options.token:
        headers["authorization"] = options.token
    context = tls_context(options.url, options.ca)
    return await websockets.connect(options.url, additional_headers=headers, ssl=context)


class Commands:
    """What can be asked of the client; each method is one command."""

    def __init__(self, socket, platform):
        self.socket = socket
        self.platform = platform

    async def send(self, message_info, segments, raw_message=None):
        """Send segments, always as a list, with the metadata given."""
        message = {"message_info": message_info, "message_segment": {"type": "seglist", "data": segments}}
        if raw_message:
            message["raw_message"] = raw_message
        await self.socket.send(json.dumps(message))
        emit("sent", ok=True)

    async def send_text(self, user_id, text, group_id=None):
        """Send a text of a user, from a group if one is given."""
        now = time.time()
        user = {"platform": self.platform, "user_id": user_id}
        info = {"platform": self.platform, "message_id": f"msg_{int(now * 1000)}", "time": now, "user_info": user}
        if group_id:
            info["group_info"] = {"platform": self.platform, "group_id": group_id}
        await self.send(info, [{"type": "text", "data": text}])


def report_segments(message):
    """Look at a message the way the document does; one without a segment raises KeyError."""
    segment = message["message_segment"]
    if segment["type"] == "seglist":
        emit("segments", types=[part["type"] for part in segment["data"]])


async def listen(socket):
    """Report messages until the connection ends."""
    try:
        async for text in socket:
            try:
                message = json.loads(text)
            except json.JSONDecodeError as error:
                emit("invalid", error=str(error))
                continue
            emit("message", data=shorten(message))
            report_segments(message)
    except websockets.exceptions.ConnectionClosed:
        pass
    except Exception as error:  # pylint: disable=broad-except
        emit("error", do="listen", error=repr(error))
        return
    emit("closed", code=socket.close_code, reason=socket.close_reason or "")


async def main():
    """Run the client until it is told to stop."""
    options = read_options()
    emit("started")
    try:
        socket = await connect(options)
    except Exception as error:  # pylint: disable=broad-except
        emit("refused", error=repr(error))
        return
    emit("connected", platform=options.platform)
    listening = asyncio.create_task(listen(socket))
    commands = Commands(socket, options.platform)
    await run_commands({"send": commands.send, "send_text": commands.send_text})
    await socket.close()
    await listening
    emit("stopped")


asyncio.run(main())
