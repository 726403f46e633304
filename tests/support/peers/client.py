"""The client of maim_message, driven by JSON lines: see lines.py for the format and python.ts for who drives it."""

import argparse
import asyncio

from lines import emit, finish, image_message, report_custom, report_message, run_commands, watch_connections
from maim_message import MessageBase, MessageClient


def read_options():
    """Parse the command line."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("url")
    parser.add_argument("platform")
    parser.add_argument("--token")
    parser.add_argument("--ca")
    parser.add_argument("--custom", action="append", default=[])
    return parser.parse_args()


class Commands:
    """What can be asked of the client; each method is one command."""

    def __init__(self, client):
        self.client = client

    async def send(self, message):
        """Send a message the way an adapter does, through MessageBase."""
        emit("sent", ok=await self.client.send_message(MessageBase.from_dict(message).to_dict()))

    async def send_raw(self, message):
        """Send any JSON value as it is."""
        emit("sent", ok=await self.client.send_message(message))

    async def custom(self, name, content):
        """Send a custom message."""
        emit("sent", ok=await self.client.send_custom_message(name, content))

    async def send_image(self, bytes):  # pylint: disable=redefined-builtin
        """Send a generated image and tell its digest."""
        message, image = image_message(self.client.platform, bytes)
        emit("sent", ok=await self.client.send_message(message.to_dict()), **image)


async def main():
    """Run the client until it is told to stop."""
    options = read_options()
    watch_connections()
    client = MessageClient(mode="ws")
    client.register_message_handler(report_message)
    report_custom(client, options.custom)
    await client.connect(options.url, options.platform, token=options.token, ssl_verify=options.ca)
    task = asyncio.create_task(client.run())
    commands = Commands(client)
    emit("started")
    await run_commands({name: getattr(commands, name) for name in ("send", "send_raw", "custom", "send_image")})
    await client.stop()
    await finish(task)
    emit("stopped")


asyncio.run(main())
