/**
 * A first client of Toguna: a command, a refusal, a read after a write, a replay of a log.
 *
 *     TOGUNA_TOKEN=… node build/flow.js grpc ADDRESS partners/ID
 *     TOGUNA_TOKEN=… node build/flow.js grpc-web ADDRESS partners/ID
 *
 * By gRPC, or by gRPC-Web as browsers speak it. ADDRESS is that of the service of partnerships, ID one that no partner has yet.
 * Prints a line of JSON for each step.
 */

import { createHash, randomUUID } from "node:crypto";
import { setTimeout as sleep } from "node:timers/promises";
import { type DescMessage, type MessageShape, create } from "@bufbuild/protobuf";
import { type Client, Code, ConnectError, type Interceptor, createClient } from "@connectrpc/connect";
import { createGrpcTransport } from "@connectrpc/connect-node";
import { createGrpcWebTransport } from "@connectrpc/connect-web";
import * as google from "./generated/google/rpc/error_details_pb.js";
import { LogService } from "./generated/toguna/log/v1/log_service_pb.js";
import { PartnerKind } from "./generated/toguna/partnerships/events/v1/partner_events_pb.js";
import {
  PartnerService,
} from "./generated/toguna/partnerships/v1/partner_service_pb.js";
import { LocalizedTextSchema, TextOrigin } from "./generated/toguna/type/v1/types_pb.js";

type Partners = Client<typeof PartnerService>;

/** gRPC over HTTP/2; or gRPC-Web by `fetch`, which browsers have too. The rest of the program is the same. */
function connect(protocol: string, address: string) {
  const identified: Interceptor = (next) => (request) => {
    request.header.set("authorization", `Bearer ${process.env.TOGUNA_TOKEN}`);
    request.header.set("accept-language", "fr");
    return next(request);
  };
  const options = {
    baseUrl: `http://${address}`, // Elsewhere: https.
    interceptors: [identified],
    defaultTimeoutMs: 10_000,
  };
  return protocol === "grpc-web" ? createGrpcWebTransport(options) : createGrpcTransport(options);
}

/** One of the details of a refusal: ErrorInfo is always there, the others where they help. */
function detail<Desc extends DescMessage>(error: ConnectError, schema: Desc): MessageShape<Desc> | undefined {
  return error.findDetails(schema)[0];
}

/** The milliseconds that a refusal asks its caller to wait before the same may be sent again. */
function retryDelay(error: ConnectError): number | undefined {
  const delay = detail(error, google.RetryInfoSchema)?.retryDelay;
  return delay && Number(delay.seconds) * 1000 + delay.nanos / 1e6;
}

/** What the service says has a reason. Without one it is the line's, or the deadline has passed. */
function isOfTheLine(error: ConnectError) {
  return !detail(error, google.ErrorInfoSchema);
}

/**
 * Sends a request, again after the wait that a refusal asks for, or where no answer came. A command keeps its request
 * id, and so has its effect once, however often it is sent.
 */
async function answered<Request, Answer>(method: (request: Request) => Promise<Answer>, request: Request) {
  for (let wait = 500; ; wait *= 2) {
    try {
      return await method(request);
    } catch (caught) {
      const error = ConnectError.from(caught);
      const delay = retryDelay(error) ?? (isOfTheLine(error) ? wait : undefined);
      if (delay === undefined || wait > 4_000) throw error;
      await sleep(delay);
    }
  }
}

/** The error of a request that is refused; undefined where it is answered. */
async function refusal<Request>(method: (request: Request) => Promise<unknown>, request: Request) {
  return method(request).then(() => undefined, ConnectError.from);
}

/** The code as gRPC writes it. */
function code(error: ConnectError) {
  return Code[error.code].replace(/(?<!^)[A-Z]/g, "_$&").toUpperCase();
}

function named(french: string) {
  return create(LocalizedTextSchema, { fr: { text: french, origin: TextOrigin.OFFICIAL } });
}

/** Registers a partner, and sends the same once more, as after a cut: the same answer, marked as a replay. */
async function command(partners: Partners, name: string) {
  const request = {
    requestId: randomUUID(),
    name,
    kind: PartnerKind.PUBLIC_AGENCY,
    names: named("Agence de coopération"),
    countryCode: "ML",
  };
  let receipt;
  for (const step of ["command", "again"]) {
    ({ receipt } = await answered(partners.registerPartner, request));
    say(step, { position: Number(receipt!.events[0].position), etag: receipt!.etag, replayed: receipt!.replayed });
  }
  return receipt!;
}

/** What is wrong with a request comes all at once, for people in their language and for programs by reason. */
async function invalid(partners: Partners) {
  const request = { requestId: randomUUID(), name: "partners/No Such Id", names: named("?") };
  const error = (await refusal(partners.registerPartner, request))!;
  const violations = detail(error, google.BadRequestSchema)?.fieldViolations ?? [];
  const { locale, message } = detail(error, google.LocalizedMessageSchema)!;
  say("invalid", {
    code: code(error),
    reason: detail(error, google.ErrorInfoSchema)?.reason,
    violations: Object.fromEntries(violations.map(({ field, description }) => [field, description])),
    locale,
    message,
    trace: detail(error, google.RequestInfoSchema)?.requestId,
  });
}

/** Whoever decided on what has changed since is told its etag now: read again, decide again, send with that. */
async function stale(partners: Partners, name: string, etag: string) {
  const rename = (french: string, etag: string) => ({ requestId: randomUUID(), etag, name, names: named(french) });
  await answered(partners.renamePartner, rename("Agence de la coopération", etag));
  const error = (await refusal(partners.renamePartner, rename("Agence pour la coopération", etag)))!;
  const { reason, metadata } = detail(error, google.ErrorInfoSchema)!;
  const { receipt } = await answered(partners.renamePartner, rename("Agence pour la coopération", metadata.etag));
  say("stale", { code: code(error), reason, etag: metadata.etag, mended: receipt!.etag });
  return receipt!;
}

/** Whoever sends too much is told how long to wait. With `validateOnly` nothing is written. */
async function limited(partners: Partners, name: string) {
  const rehearsal = () => ({ requestId: randomUUID(), validateOnly: true, name, names: named("Agence") });
  let error;
  while (!error) error = await refusal(partners.renamePartner, rehearsal());
  const wait = retryDelay(error)! / 1000;
  const { receipt } = await answered(partners.renamePartner, rehearsal());
  const reason = detail(error, google.ErrorInfoSchema)?.reason;
  say("limited", { code: code(error), reason, wait, then: receipt!.etag });
}

/** A query that carries the consistency token of a receipt has seen what that command did. */
async function read(partners: Partners, name: string, seen: string) {
  const { partner, etag } = await answered(partners.getPartner, { name, atLeastAsFresh: [seen] });
  say("read", { name: partner!.name, french: partner!.names?.fr?.text, etag });
}

/** Every event of the log, over as many calls as it takes. A resume token is kept once the events before it are. */
async function replay(logs: Client<typeof LogService>) {
  const digest = createHash("sha256");
  let [token, kept, cuts, fruitless, ended] = ["", 0n, 0, 0, false];
  while (!ended) {
    let last = kept;
    let batch: Uint8Array[] = [];
    fruitless += 1;
    try {
      const start = token ? { case: "resumeToken" as const, value: token } : undefined;
      for await (const { message } of logs.replayLog({ start }, { timeoutMs: 60_000 })) {
        if (message.case === "events") {
          for (const event of message.value.events) {
            if (event.previousPosition !== last) {
              throw new Error(`what came after ${last} and before ${event.position} is missing`);
            }
            last = event.position;
            batch.push(event.record);
          }
        } else if (message.value?.place) {
          const { place } = message.value;
          if (place.lastEventPosition !== last) throw new Error(`what came after ${last} is missing`);
          batch.forEach((record) => digest.update(record));
          [token, kept, batch, fruitless] = [place.resumeToken, last, [], 0];
          ended = message.case === "caughtUp";
        }
      }
    } catch (error) {
      // The line was cut: what came since the last token comes again.
      if (!(error instanceof ConnectError && isOfTheLine(error)) || fruitless === 5) throw error;
      cuts += 1;
      await sleep(fruitless * 1000);
    }
  }
  say("replay", { last: Number(kept), cuts, sha256: digest.digest("hex") });
}

function say(step: string, values: object) {
  console.log(JSON.stringify({ step, ...values }));
}

const [protocol, address, name] = process.argv.slice(2);
const transport = connect(protocol, address);
const partners = createClient(PartnerService, transport);
const registered = await command(partners, name);
await invalid(partners);
const renamed = await stale(partners, name, registered.etag);
await limited(partners, name);
await read(partners, name, renamed.consistencyToken);
await replay(createClient(LogService, transport));
