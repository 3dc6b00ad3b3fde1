"""Tries with the read-only login what only the services may do, and prints what was not refused."""

import asyncio
import json
import sys

import nats

CONSUMER = {
    "stream_name": "?",
    "config": {"deliver_subject": "toguna.v1.partnerships.agreements.AgreementSigned", "ack_policy": "none"},
}


async def main(address, log):
    refusals = []

    async def hear(error):
        refusals.append(str(error))

    stream = f"toguna-{log}"
    connection = await nats.connect(address, inbox_prefix=b"_INBOX_reader", error_cb=hear)
    attempts = {
        f"toguna.v1.{log}.funds.EventReference": b"made up",
        f"$JS.API.STREAM.CREATE.{stream}-2": json.dumps({"name": f"{stream}-2", "subjects": ["x"]}).encode(),
        f"$JS.API.STREAM.UPDATE.{stream}": json.dumps({"name": stream, "subjects": ["x"]}).encode(),
        f"$JS.API.STREAM.PURGE.{stream}": b"",
        f"$JS.API.STREAM.DELETE.{stream}": b"",
        f"$JS.API.STREAM.MSG.DELETE.{stream}": b'{"seq": 1}',
        f"$JS.API.STREAM.SNAPSHOT.{stream}": b'{"deliver_subject": "x"}',
        f"$JS.API.CONSUMER.CREATE.{stream}": json.dumps(CONSUMER | {"stream_name": stream}).encode(),
        "$SYS.REQ.SERVER.PING": b"",
        "somebody.else": b"",
    }
    for subject, payload in attempts.items():
        await connection.publish(subject, payload, reply=connection.new_inbox())
        await connection.flush()
    for subject in ["_INBOX.>", ">", "toguna.v1.>"]:
        attempts[subject] = None
        await connection.subscribe(subject)
        await connection.flush()
    await asyncio.sleep(0.5)  # The refusal of a subscription comes by itself.
    for subject in attempts:
        if not any("permissions violation" in it.lower() and f'"{subject.lower()}"' in it.lower() for it in refusals):
            print(subject)
    await connection.close()


asyncio.run(main(*sys.argv[1:]))
