"""A client of maim_message 0.6.8 that sends one image, waits for it to come back, and again. Prints rate MB_PER_SECOND.

Gives up 30 s after it should be done.

    python bench/servers/image_client.py URL BYTES WARM_MS RUN_MS
"""

import asyncio
import base64
import logging
import os
import sys
import threading
import time

from maim_message import MessageBase, MessageClient

try:
    import uvloop
except ImportError:
    uvloop = None


def image_message(count):
    """Build a message around a random image."""
    data = base64.b64encode(os.urandom(count)).decode()
    user = {"platform": "qq", "user_id": "123456789", "user_nickname": "张三"}
    return MessageBase.from_dict({
        "message_info": {"platform": "qq", "message_id": "img", "time": 1703123456.789, "user_info": user},
        "message_segment": {"type": "seglist", "data": [{"type": "image", "data": data}]},
    }).to_dict()


def give_up():
    """End without a rate."""
    print("image_client.py: the image has not come back in time", file=sys.stderr, flush=True)
    os._exit(1)


async def main():
    """Measure, print, end."""
    logging.disable(logging.CRITICAL)
    url, count, warm, span = sys.argv[1], int(sys.argv[2]), float(sys.argv[3]) / 1000, float(sys.argv[4]) / 1000
    deadline = threading.Timer(warm + span + 30, give_up)
    deadline.daemon = True
    deadline.start()
    message = image_message(count)
    client = MessageClient(mode="ws")
    back = asyncio.Event()

    async def came_back(_message):
        back.set()

    client.register_message_handler(came_back)
    await client.connect(url=url, platform="qq")
    running = asyncio.create_task(client.run())
    while not client.is_connected():
        await asyncio.sleep(0.01)

    async def trips_for(seconds):
        start, trips = time.monotonic(), 0
        while time.monotonic() - start < seconds or trips == 0:
            back.clear()
            await client.send_message(message)
            await back.wait()
            trips += 1
        return trips / (time.monotonic() - start)

    await trips_for(warm)
    print(f"rate {await trips_for(span) * count / 1e6}", flush=True)
    running.cancel()
    os._exit(0)


if uvloop is None:
    asyncio.run(main())
else:
    uvloop.run(main())
