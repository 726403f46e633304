"""The server of maim_message 0.6.8, on uvloop where it is installed. Prints its port; ends with its standard input.

    python bench/servers/python.py echo|broadcast|idle
"""

import asyncio
import logging
import os
import sys

from maim_message import MessageBase, MessageServer

try:
    import uvloop
except ImportError:
    uvloop = None


async def main():
    """Run the server until it is killed, or whoever started it is gone: nothing but the end comes in."""
    logging.disable(logging.CRITICAL)
    asyncio.get_running_loop().add_reader(sys.stdin.fileno(), os._exit, 0)
    server = MessageServer(host="127.0.0.1", port=0)

    async def echo(message):
        await server.send_message(MessageBase.from_dict(message))

    async def broadcast(message):
        await server.broadcast_message(MessageBase.from_dict(message).to_dict())

    handlers = {"echo": echo, "broadcast": broadcast}
    if sys.argv[1] in handlers:
        server.register_message_handler(handlers[sys.argv[1]])
    task = asyncio.create_task(server.run())
    while True:
        inner = server.connection.server
        if inner is not None and inner.started:
            break
        await asyncio.sleep(0.001)
    print(f"port {inner.servers[0].sockets[0].getsockname()[1]}", flush=True)
    await task


if uvloop is None:
    asyncio.run(main())
else:
    uvloop.run(main())
