"""A first client of Toguna: a command, a refusal, a read after a write, a replay of a log.

    TOGUNA_TOKEN=… .venv/bin/python flow.py ADDRESS partners/ID

ADDRESS is that of the service of partnerships, ID one that no partner has yet. Prints a line of JSON for each step.
"""

import hashlib
import json
import os
import pathlib
import sys
import time
import uuid

import grpc
from google.rpc import error_details_pb2
from grpc_status import rpc_status

from toguna.log.v1.log_service_pb2 import ReplayLogRequest
from toguna.log.v1.log_service_pb2_grpc import LogServiceStub
from toguna.partnerships.events.v1.partner_events_pb2 import PARTNER_KIND_PUBLIC_AGENCY
from toguna.partnerships.v1.partner_service_pb2 import GetPartnerRequest, RegisterPartnerRequest, RenamePartnerRequest
from toguna.partnerships.v1.partner_service_pb2_grpc import PartnerServiceStub
from toguna.type.v1.types_pb2 import TEXT_ORIGIN_OFFICIAL, LocalizedText, Text

SERVICE_CONFIG = os.environ.get("TOGUNA_SERVICE_CONFIG", "../../../deploy/service-config.json")
# A folder with the authority of the service (ca.pem), and this machine's certificate and key; none: without TLS.
CERTIFICATES = os.environ.get("TOGUNA_CERTIFICATES")
METADATA = [("authorization", f"Bearer {os.environ['TOGUNA_TOKEN']}"), ("accept-language", "fr")]


def connect(address):
    """A channel that sends again by itself what a cut line lost: the service config says which calls may be."""
    with open(SERVICE_CONFIG, encoding="utf-8") as file:
        options = [("grpc.service_config", file.read()), ("grpc.enable_retries", 1)]
    if CERTIFICATES is None:
        return grpc.insecure_channel(address, options)  # On one's own machine alone.
    return grpc.secure_channel(address, credentials(pathlib.Path(CERTIFICATES)), options)


def credentials(folder):
    """Knows the service by its authority, and shows the certificate to which this machine's token is bound."""
    authority, key, certificate = ((folder / name).read_bytes() for name in ("ca.pem", "key.pem", "cert.pem"))
    return grpc.ssl_channel_credentials(authority, key, certificate)


def details_of(error):
    """What a refusal says of itself, by the names of the messages: ErrorInfo always, others where they help."""
    status = rpc_status.from_call(error)
    details = {}
    for packed in status.details if status else []:
        message = getattr(error_details_pb2, packed.type_url.rsplit(".", 1)[-1])()
        packed.Unpack(message)
        details[type(message).__name__] = message
    return details


def answered(method, request):
    """Sends a request, again after the wait that a refusal asks for, or where no answer came in time.

    A command keeps its request id, and so has its effect once, however often it is sent.
    """
    for wait in (1, 2, 4, 8, None):
        try:
            return method(request, timeout=8, metadata=METADATA)
        except grpc.RpcError as error:
            retry = details_of(error).get("RetryInfo")
            late = error.code() == grpc.StatusCode.DEADLINE_EXCEEDED
            if wait is None or not (retry or late):
                raise
            time.sleep(retry.retry_delay.ToTimedelta().total_seconds() if retry else wait)


def refusal_of(method, request):
    """The error of a request that is refused; None where it is answered."""
    try:
        method(request, timeout=8, metadata=METADATA)
    except grpc.RpcError as error:
        return error
    return None


def named(french):
    return LocalizedText(fr=Text(text=french, origin=TEXT_ORIGIN_OFFICIAL))


def command(partners, name):
    """Registers a partner, and sends the same once more, as after a cut: the same answer, marked as a replay."""
    request = RegisterPartnerRequest(
        request_id=str(uuid.uuid4()),
        name=name,
        kind=PARTNER_KIND_PUBLIC_AGENCY,
        names=named("Agence de coopération"),
        country_code="ML",
    )
    for step in ("command", "again"):
        receipt = answered(partners.RegisterPartner, request).receipt
        say(step, position=receipt.events[0].position, etag=receipt.etag, replayed=receipt.replayed)
    return receipt


def invalid(partners):
    """What is wrong with a request comes all at once, for people in their language and for programs by reason."""
    request = RegisterPartnerRequest(request_id=str(uuid.uuid4()), name="partners/No Such Id", names=named("?"))
    error = refusal_of(partners.RegisterPartner, request)
    details = details_of(error)
    say(
        "invalid",
        code=error.code().name,
        reason=details["ErrorInfo"].reason,
        violations={each.field: each.description for each in details["BadRequest"].field_violations},
        locale=details["LocalizedMessage"].locale,
        message=details["LocalizedMessage"].message,
        trace=details["RequestInfo"].request_id,
    )


def stale(partners, name, etag):
    """Whoever decided on what has changed since is told its etag now: read again, decide again, send with that."""
    def rename(french, etag):
        return RenamePartnerRequest(request_id=str(uuid.uuid4()), etag=etag, name=name, names=named(french))

    answered(partners.RenamePartner, rename("Agence de la coopération", etag))
    error = refusal_of(partners.RenamePartner, rename("Agence pour la coopération", etag))
    info = details_of(error)["ErrorInfo"]
    receipt = answered(partners.RenamePartner, rename("Agence pour la coopération", info.metadata["etag"])).receipt
    say("stale", code=error.code().name, reason=info.reason, etag=info.metadata["etag"], mended=receipt.etag)
    return receipt


def limited(partners, name):
    """Whoever sends too much is told how long to wait. With `validate_only` nothing is written."""
    def rehearsal():
        names = named("Agence")
        return RenamePartnerRequest(request_id=str(uuid.uuid4()), validate_only=True, name=name, names=names)

    errors = (refusal_of(partners.RenamePartner, rehearsal()) for _ in range(1000))
    error = next(error for error in errors if error)
    details = details_of(error)
    wait = details["RetryInfo"].retry_delay.ToTimedelta().total_seconds()
    receipt = answered(partners.RenamePartner, rehearsal()).receipt
    say("limited", code=error.code().name, reason=details["ErrorInfo"].reason, wait=wait, then=receipt.etag)


def read(partners, name, seen):
    """A query that carries the consistency token of a receipt has seen what that command did."""
    answer = answered(partners.GetPartner, GetPartnerRequest(name=name, at_least_as_fresh=[seen]))
    say("read", name=answer.partner.name, french=answer.partner.names.fr.text, etag=answer.etag)


def replay(logs):
    """Every event of the log, over as many calls as it takes. A resume token is kept once the events before it are."""
    token, kept, cuts, fruitless, digest = "", 0, 0, 0, hashlib.sha256()
    ended = False
    while not ended:
        request = ReplayLogRequest(resume_token=token) if token else ReplayLogRequest()
        last, batch = kept, []
        fruitless += 1
        try:
            for message in logs.ReplayLog(request, timeout=60, metadata=METADATA):
                kind = message.WhichOneof("message")
                for event in message.events.events:
                    if event.previous_position != last:
                        sys.exit(f"what came after {last} and before {event.position} is missing")
                    last = event.position
                    batch.append(event.record)
                if kind == "events":
                    continue
                place = getattr(message, kind).place
                if place.last_event_position != last:
                    sys.exit(f"what came after {last} is missing")
                for record in batch:
                    digest.update(record)
                token, kept, batch, fruitless = place.resume_token, last, [], 0
                ended = kind == "caught_up"
        except grpc.RpcError as error:
            # A refusal has a reason; without one the line was cut: what came since the last token comes again.
            if "ErrorInfo" in details_of(error) or fruitless == 5:
                raise
            cuts += 1
            time.sleep(fruitless)
    say("replay", last=kept, cuts=cuts, sha256=digest.hexdigest())


def say(step, **values):
    print(json.dumps({"step": step, **values}, ensure_ascii=False), flush=True)


def main(address, name):
    with connect(address) as channel:
        partners = PartnerServiceStub(channel)
        receipt = command(partners, name)
        invalid(partners)
        receipt = stale(partners, name, receipt.etag)
        limited(partners, name)
        read(partners, name, receipt.consistency_token)
        replay(LogServiceStub(channel))


if __name__ == "__main__":
    if len(sys.argv) != 3:
        sys.exit(__doc__)
    main(*sys.argv[1:])
