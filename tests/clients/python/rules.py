"""What the declared rules say of requests, before anything is sent.

    .venv/bin/python rules.py <requests

Each line of the input is JSON: `message`, the full name of a message, and `request`, its bytes in base64. For each it
prints a line: what is wrong, field by field, with the rule that says so; an empty list where nothing is.
"""

import base64
import importlib
import json
import pathlib
import sys

import protovalidate
from google.protobuf import descriptor_pool, message_factory


def violations(request):
    """Fields of a request that break a rule, each with the name of the rule."""
    return [
        {"field": written(violation.proto.field), "rule": violation.proto.rule_id}
        for violation in protovalidate.collect_violations(request)
    ]


def written(path):
    """The way to a field, as refusals write it: `act.sources[0].title`; empty: the request as a whole."""
    steps = []
    for element in path.elements if path else []:
        index = element.subscript.value if element.subscript else None
        steps.append(element.field_name if index is None else f"{element.field_name}[{index}]")
    return ".".join(steps)


def main():
    for file in pathlib.Path("toguna").rglob("*_pb2.py"):
        importlib.import_module(".".join(file.with_suffix("").parts))
    pool = descriptor_pool.Default()
    for line in sys.stdin:
        given = json.loads(line)
        message = message_factory.GetMessageClass(pool.FindMessageTypeByName(given["message"]))
        request = message.FromString(base64.b64decode(given["request"]))
        print(json.dumps(violations(request)))


if __name__ == "__main__":
    main()
