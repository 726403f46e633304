"""The router of maim_message, driven by JSON lines: see lines.py for the format and python.ts for who drives it."""

import argparse
import asyncio
import json

from lines import emit, finish, image_message, report_custom, report_message, run_commands, watch_connections
from maim_message import MessageBase, RouteConfig, Router, TargetConfig


def read_options():
    """Parse the command line."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("routes", type=json.loads, help='{"platform": {"url": ..., "token": ..., "ssl_verify": ...}}')
    parser.add_argument("--custom", action="append", default=[])
    return parser.parse_args()


class Commands:
    """What can be asked of the router; each method is one command."""

    def __init__(self, router):
        self.router = router

    async def send(self, message):
        """Send a message to the platform it names."""
        emit("sent", ok=await self.router.send_message(MessageBase.from_dict(message)))

    async def custom(self, platform, name, content):
        """Send a custom message."""
        emit("sent", ok=await self.router.send_custom_message(platform, name, content))

    async def send_image(self, platform, bytes):  # pylint: disable=redefined-builtin
        """Send a generated image and tell its digest."""
        message, image = image_message(platform, bytes)
        emit("sent", ok=await self.router.send_message(message), **image)

    async def add(self, platform, target):
        """Add a platform."""
        await self.router.add_platform(platform, TargetConfig.from_dict(target))
        emit("added", platform=platform)

    async def remove(self, platform):
        """Remove a platform."""
        await self.router.remove_platform(platform)
        emit("removed", platform=platform)

    async def platforms(self):
        """Tell which platforms are connected."""
        emit("platforms", platforms=[name for name in self.router.clients if self.router.check_connection(name)])


async def main():
    """Run the router until it is told to stop."""
    options = read_options()
    watch_connections()
    router = Router(RouteConfig({name: TargetConfig.from_dict(target) for name, target in options.routes.items()}))
    router.register_class_handler(report_message)
    report_custom(router, options.custom)
    task = asyncio.create_task(router.run())
    commands = Commands(router)
    names = ("send", "custom", "send_image", "add", "remove", "platforms")
    emit("started")
    await run_commands({name: getattr(commands, name) for name in names})
    await router.stop()
    await finish(task)
    emit("stopped")


asyncio.run(main())
