"""MaiBot's own receive chain as a filter: JSON lines in, JSON lines out.

A line in is {"text": <frame>}, and may have "policy": the text of config/adapter_policy.toml. A line out has the members
  verdict  "accept": MaiBot stored a row, or handled a message_id_echo. "drop": neither.
  muted    True where MaiBot stored the row and refused to open a chat: no answer can come.
  lines    what MaiBot logged at INFO or above, as [level, logger, text]
  stored   the row of mai_messages, without its blobs; null if there is none
  session  platform, account_id, scope, group_id and user_id of the chat stream; null if there is none
  echo     [old id, new id] of an echo that was handled; null if there was none
The first line out is {"ready": <version of MaiBot>}.

Each text takes the way of a text frame: json.loads, then MessageServer.process_message of maim_message, then
ChatBot.message_process with its hooks, session, policy and SQLite. Two things are replaced: the chat loop, which would
ask a model, and the writer of long-term memory. No port is opened and nothing is fetched.

All frames of one run meet the same MaiBot: a chat that was opened stays open until the policy changes, and a reply finds
earlier messages.
"""

import argparse
import asyncio
import contextlib
import json
import logging
import os
import shutil
import sqlite3
import subprocess
import sys
import tempfile
from importlib.metadata import version
from pathlib import Path


def read_options():
    parser = argparse.ArgumentParser()
    parser.add_argument("--accounts", default="qq:777", help="platform:account of [bot], separated by commas")
    return parser.parse_args()


def write_config(home, accounts):
    """Lets MaiBot write its own configuration, and changes [bot] in it."""
    environment = dict(os.environ, MAIBOT_INSTANCE_DIR=str(home), PYTHONUTF8="1")
    program = f"from src.cli.tool import main; main(['init', '-d', {str(home)!r}])"
    config = home / "config" / "bot_config.toml"
    for _ in range(3):  # some versions write one file for each run
        done = subprocess.run(
            [sys.executable, "-c", program], cwd=home, env=environment, stdin=subprocess.DEVNULL, capture_output=True
        )
        if config.exists() and (home / "config" / "model_config.toml").exists():
            break
    else:
        raise SystemExit(f"Cannot judge frames as `maibot init` must write a configuration: {done.stderr[-2000:]!r}")

    import tomlkit

    document = tomlkit.parse(config.read_text("utf-8"))
    pairs = [pair.strip() for pair in accounts.split(",")]
    document["bot"]["platform"], _, document["bot"]["qq_account"] = pairs[0].partition(":")
    document["bot"]["platforms"] = pairs
    document["webui"]["enabled"] = False
    config.write_text(tomlkit.dumps(document), "utf-8")


class LogLines(logging.Handler):
    """Keeps what MaiBot logs; structlog hands over a dictionary, the standard library a record."""

    def __init__(self):
        super().__init__(logging.INFO)
        self.kept = []

    def emit(self, record):
        if isinstance(record.msg, dict):
            name, text = record.msg.get("logger_name", record.name), str(record.msg.get("event"))
        else:
            name, text = record.name, record.getMessage()
        self.kept.append([record.levelname, name, text])


class Oracle:
    """One started MaiBot without its chat loop."""

    def __init__(self, home):
        self.policy_file = home / "config" / "adapter_policy.toml"
        self.policy = None
        os.chdir(home)
        os.environ.update(MAIBOT_INSTANCE_DIR=str(home), MAIBOT_WORKER_PROCESS="1")
        from src.common.logger import initialize_logging

        initialize_logging(verbose=False)
        self.lines = LogLines()
        # After its own handlers: a line with half a character in it fails in its log file, and nobody sees it.
        logging.getLogger().addHandler(self.lines)

        from src.common.database.database import initialize_database

        initialize_database()
        self.database = sqlite3.connect(home / "data" / "MaiBot.db", isolation_level=None)
        self.database.row_factory = sqlite3.Row
        self.last_row = self.database.execute("select coalesce(max(id), 0) from mai_messages").fetchone()[0]
        self.echo = None

    async def start(self):
        from maim_message import MessageServer
        from src.chat.heart_flow.heartflow_manager import heartflow_manager
        from src.chat.message_receive.bot import chat_bot
        from src.chat.message_receive.chat_manager import chat_manager
        from src.common.logger import get_logger

        self.chats = chat_manager
        self.open_chats = heartflow_manager.heartflow_chat_list
        self.replace_chat_loop()
        self.watch_echoes()
        await chat_manager.initialize()
        # Never run: it only dispatches. Its logger is the one that MaiBot gives it.
        self.server = MessageServer(host="127.0.0.1", port=0, custom_logger=get_logger("maim_message"))
        self.server.register_message_handler(chat_bot.message_process)
        self.server.register_custom_message_handler("message_id_echo", chat_bot.echo_message_process)

    def replace_chat_loop(self):
        import src.chat.heart_flow.heartflow_manager as heart_flow
        from src.services.memory_flow_service import memory_automation_service

        chats = self.chats

        class SilentChat:
            """Takes every message and thinks nothing."""

            def __init__(self, session_id, **_):
                self.chat_stream = chats.get_session_by_session_id(session_id)

            async def start(self): ...

            async def stop(self): ...

            async def register_message(self, message): ...

            def _get_effective_reply_frequency(self):
                return 1.0

        async def remember_nothing(*_args, **_kwargs): ...

        heart_flow.MaisakaHeartFlowChatting = SilentChat
        memory_automation_service.on_incoming_message = remember_nothing

    def watch_echoes(self):
        from src.common.utils.utils_message import MessageUtils

        rename = MessageUtils.update_message_id_async

        async def watched(*, old_message_id, new_message_id, **rest):
            self.echo = [old_message_id, new_message_id]
            return await rename(old_message_id=old_message_id, new_message_id=new_message_id, **rest)

        MessageUtils.update_message_id_async = staticmethod(watched)

    def set_policy(self, policy):
        """Changes the policy, which MaiBot reads anew for each chat that it opens."""
        if policy == self.policy:
            return
        self.policy = policy
        self.policy_file.write_text(policy or "", "utf-8")
        self.open_chats.clear()

    async def judge(self, text):
        """Hands one frame to MaiBot and tells what became of it."""
        self.lines.kept.clear()
        self.echo = None
        try:
            # MaiBot prints a traceback for every message it drops.
            with open(os.devnull, "w") as nowhere, contextlib.redirect_stderr(nowhere):
                await self.server.process_message(json.loads(text))
        except Exception as error:  # the task of the frame ends with it, and maim_message tells nobody
            self.lines.kept.append(["RAISED", type(error).__module__, f"{type(error).__name__}: {error}"])
        query = "select * from mai_messages where id > ? order by id desc limit 1"
        row = self.database.execute(query, (self.last_row,)).fetchone()
        answer = {
            "verdict": "drop" if row is None and self.echo is None else "accept",
            "muted": any("适配器名单禁止创建聊天运行实例" in text for _, _, text in self.lines.kept),
            "lines": list(self.lines.kept),
            "stored": None,
            "session": None,
            "echo": self.echo,
        }
        if row is not None:
            self.last_row = row["id"]
            answer["stored"] = {key: row[key] for key in row.keys() if not isinstance(row[key], bytes)}
            chat = self.chats.get_session_by_session_id(row["session_id"])
            members = ("platform", "account_id", "scope", "group_id", "user_id")
            answer["session"] = chat and {member: getattr(chat, member, None) for member in members}
        return answer


async def run(home, output):
    oracle = Oracle(home)
    await oracle.start()
    print(json.dumps({"ready": version("maibot")}), file=output, flush=True)
    for line in sys.stdin:
        frame = json.loads(line)
        oracle.set_policy(frame.get("policy"))
        print(json.dumps(await oracle.judge(frame["text"])), file=output, flush=True)


def main():
    options = read_options()
    # Whatever MaiBot prints goes to the standard error; the standard output is for answers.
    output = os.fdopen(os.dup(1), "w", encoding="ascii")
    os.dup2(2, 1)
    home = Path(tempfile.mkdtemp(prefix="maibot-oracle-")).resolve()
    try:
        write_config(home, options.accounts)
        asyncio.run(run(home, output))
        output.close()
        status = 0
    except BaseException:
        logging.shutdown()
        import traceback

        traceback.print_exc()
        status = 1
    finally:
        os.chdir(tempfile.gettempdir())
        shutil.rmtree(home, ignore_errors=True)
    os._exit(status)  # MaiBot leaves threads that would keep the process


if __name__ == "__main__":
    main()
