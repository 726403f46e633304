"""What the Python peers share: events out and commands in, one JSON document a line.

Only events reach standard output; whatever else is printed goes to standard error.
"""

import asyncio
import base64
import hashlib
import json
import math
import sys
import weakref

LONGEST_STRING = 512
LARGEST_SAFE_INTEGER = 2**53 - 1
COMMAND_LIMIT = 256 * 1024 * 1024

_events = sys.stdout
sys.stdout = sys.stderr


def emit(event, **fields):
    """Print one event."""
    line = json.dumps({"event": event, **fields}, ensure_ascii=True, allow_nan=False)
    _events.write(line + "\n")
    _events.flush()


def digest(text):
    """Describe a string by its hash (of UTF-8) and its length in code points."""
    data = text.encode("utf-8", "surrogatepass")
    return {"sha256": hashlib.sha256(data).hexdigest(), "length": len(text)}


def shorten(value):
    """Replace what is too long to print, and what JavaScript would read as another value."""
    if isinstance(value, str):
        return digest(value) if len(value) > LONGEST_STRING else value
    if isinstance(value, bool) or value is None:
        return value
    if isinstance(value, int):
        return value if abs(value) <= LARGEST_SAFE_INTEGER else {"int": str(value)}
    if isinstance(value, float):
        return value if math.isfinite(value) else {"float": str(value)}
    if isinstance(value, dict):
        return {key: shorten(item) for key, item in value.items()}
    if isinstance(value, (list, tuple)):
        return [shorten(item) for item in value]
    return {"repr": repr(value)}


def make_image(size):
    """Make base64 of bytes that count 0, 1, ... 255, 0, ..."""
    return base64.b64encode((bytes(range(256)) * (size // 256 + 1))[:size]).decode()


def image_message(platform, size):
    """Build a message that is one generated image; also gives the digest of its base64."""
    from maim_message import BaseMessageInfo, MessageBase, Seg

    image = make_image(size)
    info = BaseMessageInfo(platform=platform, message_id="image")
    return MessageBase(message_info=info, message_segment=Seg(type="image", data=image)), digest(image)


def report_custom(target, names):
    """Have a client, router or server report the custom messages of the given names."""
    for name in names:

        async def report(message, name=name):
            emit("custom", name=name, data=shorten(message))

        target.register_custom_message_handler(name, report)


async def report_message(message):
    """Report a message an ordinary handler got."""
    emit("message", data=shorten(message))


def watch_connections():
    """Report each connection the library's client makes, and the close frame it gets, neither of which it tells itself."""
    import aiohttp
    from maim_message.ws_connection import WebSocketClient

    connect = WebSocketClient.connect
    receive = aiohttp.ClientWebSocketResponse.receive
    platforms = weakref.WeakKeyDictionary()

    async def reporting_connect(self):
        is_made = await connect(self)
        if is_made:
            platforms[self.ws] = self.platform
        emit("connected" if is_made else "refused", platform=self.platform)
        return is_made

    async def reporting_receive(self, *args, **kwargs):
        message = await receive(self, *args, **kwargs)
        kind = message.type
        if kind in (aiohttp.WSMsgType.CLOSE, aiohttp.WSMsgType.CLOSED, aiohttp.WSMsgType.ERROR) and self in platforms:
            is_frame = kind is aiohttp.WSMsgType.CLOSE
            code = message.data if is_frame else self.close_code
            emit("closed", platform=platforms.pop(self), code=code, reason=(message.extra or "") if is_frame else "")
        return message

    WebSocketClient.connect = reporting_connect
    aiohttp.ClientWebSocketResponse.receive = reporting_receive


async def run_commands(commands):
    """Read commands until "stop" or the end of standard input; what one raises becomes an "error" event."""
    reader = asyncio.StreamReader(limit=COMMAND_LIMIT)
    await asyncio.get_running_loop().connect_read_pipe(lambda: asyncio.StreamReaderProtocol(reader), sys.stdin)
    while line := await reader.readline():
        command = json.loads(line)
        name = command.pop("do")
        if name == "stop":
            return
        try:
            await commands[name](**command)
        except Exception as error:  # pylint: disable=broad-except
            emit("error", do=name, error=repr(error))


async def finish(task, seconds=5):
    """Give a library task a while to end by itself, then cancel it."""
    _, pending = await asyncio.wait([task], timeout=seconds)
    for late in pending:
        late.cancel()
    await asyncio.gather(task, return_exceptions=True)
