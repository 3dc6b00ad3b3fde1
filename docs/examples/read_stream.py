#!/usr/bin/env python3
"""Reads the copy of a log in JetStream with read-only credentials, and checks it as it comes.

    pip install nats-py
    python read_stream.py nats://reader:PASSWORD@HOST:4222 partnerships partnerships.json

Prints one line of JSON for each event: its sequence, the type of the event, the log's epoch, and the stored bytes in
hexadecimal: an EventRecord of proto/toguna/log/v1/record.proto. The file remembers how far it came; run it again, now and
then or in a loop, to go on from there. It stops with exit code 3, and prints nothing more, where the stream is not the
one that it knows: then compare what you hold with the log from its beginning.
"""

import asyncio
import hashlib
import json
import os
import sys
from urllib.parse import urlsplit

import nats

BATCH = 256  # Messages asked for at a time.
END_OF_BATCH = "204"
NOT_FOUND = "404"
NO_RESPONDERS = "503"  # The stream is not there, for now.


class Rebuilt(Exception):
    """The stream was made again from a log with another history, or is no copy of a log."""


async def direct_get(connection, stream, sequence, count):
    """The messages of a stream from a sequence on: as many as there are, at most so many, in order."""
    inbox = connection.new_inbox()
    replies = await connection.subscribe(inbox)
    query = json.dumps({"seq": sequence, "batch": count}).encode()
    await connection.publish(f"$JS.API.DIRECT.GET.{stream}", query, reply=inbox)
    messages = []
    while True:
        reply = await replies.next_msg(timeout=5)
        status = (reply.headers or {}).get("Status")
        if status in (END_OF_BATCH, NOT_FOUND, NO_RESPONDERS):
            await replies.unsubscribe()
            return messages
        if status:
            raise RuntimeError(f"the stream cannot be read: {status} {reply.headers.get('Description')}")
        messages.append(reply)


def check(message, sequence, epoch):
    """The message must be the next one, of the epoch that is known."""
    found = int(message.headers["Nats-Sequence"])
    if found != sequence:
        raise Rebuilt(f"sequence {sequence} is missing: {found} comes in its place")
    if epoch and message.headers["Toguna-Epoch"] != epoch:
        raise Rebuilt(f"the epoch was {epoch} and is {message.headers['Toguna-Epoch']}: the log was restored")


def sha256(message):
    return hashlib.sha256(message.data).hexdigest()


async def read(connection, stream, state):
    """Prints what comes after the state, and gives the new one."""
    if state["position"]:
        known = await direct_get(connection, stream, state["position"], 1)
        if not known or int(known[0].headers["Nats-Sequence"]) != state["position"]:
            # A stream that is being filled again is shorter than it was, for a while: ask again later. Of another
            # epoch it says so at once.
            known = await direct_get(connection, stream, 1, 1)
            if known:
                check(known[0], 1, state["epoch"])
            return state
        check(known[0], state["position"], state["epoch"])
        if sha256(known[0]) != state["sha256"]:
            raise Rebuilt(f"another event stands at {state['position']}")
    while messages := await direct_get(connection, stream, state["position"] + 1, BATCH):
        for message in messages:
            check(message, state["position"] + 1, state["epoch"])
            event = {
                "sequence": state["position"] + 1,
                "type": message.headers["ce-type"],
                "epoch": message.headers["Toguna-Epoch"],
                "record": message.data.hex(),
            }
            print(json.dumps(event), flush=True)
            state = {"position": event["sequence"], "epoch": event["epoch"], "sha256": sha256(message)}
    return state


async def main(address, log, file):
    state = {"position": 0, "epoch": "", "sha256": ""}
    if os.path.exists(file):
        with open(file, encoding="utf-8") as kept:
            state = json.load(kept)
    # The answers of each login come to an inbox that nobody else hears: its prefix has the login's name.
    login = urlsplit(address).username or "reader"
    connection = await nats.connect(address, inbox_prefix=f"_INBOX_{login}".encode())
    try:
        state = await read(connection, f"toguna-{log}", state)
    except Rebuilt as problem:
        print(problem, file=sys.stderr)
        return 3
    finally:
        await connection.close()
    with open(f"{file}.unfinished", "w", encoding="utf-8") as kept:
        json.dump(state, kept)
    os.replace(f"{file}.unfinished", file)
    return 0


if __name__ == "__main__":
    if len(sys.argv) != 4:
        sys.exit(__doc__)
    sys.exit(asyncio.run(main(*sys.argv[1:])))
