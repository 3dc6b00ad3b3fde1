import static toguna.partnerships.events.v1.PartnerEvents.PartnerKind.PARTNER_KIND_PUBLIC_AGENCY;

import com.google.gson.Gson;
import com.google.protobuf.Any;
import com.google.protobuf.ByteString;
import com.google.protobuf.InvalidProtocolBufferException;
import com.google.protobuf.Message;
import com.google.protobuf.util.Durations;
import com.google.rpc.BadRequest;
import com.google.rpc.ErrorInfo;
import com.google.rpc.LocalizedMessage;
import com.google.rpc.RequestInfo;
import com.google.rpc.RetryInfo;
import io.grpc.ManagedChannel;
import io.grpc.ManagedChannelBuilder;
import io.grpc.Metadata;
import io.grpc.Status.Code;
import io.grpc.StatusRuntimeException;
import io.grpc.protobuf.StatusProto;
import io.grpc.stub.MetadataUtils;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.MessageDigest;
import java.util.ArrayList;
import java.util.HexFormat;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.UUID;
import java.util.concurrent.TimeUnit;
import java.util.function.BiFunction;
import toguna.log.v1.Command.Receipt;
import toguna.log.v1.LogServiceGrpc;
import toguna.log.v1.LogServiceGrpc.LogServiceBlockingStub;
import toguna.log.v1.LogServiceOuterClass.Place;
import toguna.log.v1.LogServiceOuterClass.ReplayLogRequest;
import toguna.log.v1.LogServiceOuterClass.ReplayLogResponse;
import toguna.log.v1.LogServiceOuterClass.ReplayedEvent;
import toguna.partnerships.v1.PartnerServiceGrpc;
import toguna.partnerships.v1.PartnerServiceGrpc.PartnerServiceBlockingStub;
import toguna.partnerships.v1.PartnerServiceOuterClass.GetPartnerRequest;
import toguna.partnerships.v1.PartnerServiceOuterClass.RegisterPartnerRequest;
import toguna.partnerships.v1.PartnerServiceOuterClass.RenamePartnerRequest;
import toguna.type.v1.Types.LocalizedText;
import toguna.type.v1.Types.Text;
import toguna.type.v1.Types.TextOrigin;

/**
 * A first client of Toguna: a command, a refusal, a read after a write, a replay of a log.
 *
 * <pre>TOGUNA_TOKEN=… java -Dfile.encoding=UTF-8 -cp 'build:lib/*' Flow ADDRESS partners/ID</pre>
 *
 * <p>ADDRESS is that of the service of partnerships, ID one that no partner has yet. Prints a line of JSON for each
 * step.
 */
public final class Flow {
    private final PartnerServiceBlockingStub partners;
    private final LogServiceBlockingStub logs;
    private final String name;

    private Flow(ManagedChannel channel, String name) {
        var headers = new Metadata();
        headers.put(header("authorization"), "Bearer " + System.getenv("TOGUNA_TOKEN"));
        headers.put(header("accept-language"), "fr");
        var identified = MetadataUtils.newAttachHeadersInterceptor(headers);
        this.partners = PartnerServiceGrpc.newBlockingStub(channel).withInterceptors(identified);
        this.logs = LogServiceGrpc.newBlockingStub(channel).withInterceptors(identified);
        this.name = name;
    }

    /** A channel that sends again by itself what a cut line lost: the service config says which calls may be. */
    @SuppressWarnings("unchecked")
    private static ManagedChannel connect(String address) throws Exception {
        var file = System.getenv().getOrDefault("TOGUNA_SERVICE_CONFIG", "../../../deploy/service-config.json");
        Map<String, Object> serviceConfig = new Gson().fromJson(Files.readString(Path.of(file)), Map.class);
        return ManagedChannelBuilder.forTarget(address)
            .usePlaintext() // Elsewhere: TLS, the default.
            .defaultServiceConfig(serviceConfig)
            .enableRetry()
            .build();
    }

    private static Metadata.Key<String> header(String name) {
        return Metadata.Key.of(name, Metadata.ASCII_STRING_MARSHALLER);
    }

    /** One of the details of a refusal, or its default: ErrorInfo is always there, the others where they help. */
    private static <M extends Message> M detail(StatusRuntimeException error, M none) {
        try {
            var status = StatusProto.fromThrowable(error);
            for (Any packed : status == null ? List.<Any>of() : status.getDetailsList()) {
                if (packed.is(none.getClass())) {
                    @SuppressWarnings("unchecked")
                    var found = (M) packed.unpack(none.getClass());
                    return found;
                }
            }
            return none;
        } catch (InvalidProtocolBufferException unreadable) {
            throw new IllegalStateException(unreadable);
        }
    }

    /**
     * Sends a request, again after the wait that a refusal asks for, or where no answer came in time. A command keeps
     * its request id, and so has its effect once, however often it is sent.
     */
    private <Q, A> A answered(BiFunction<PartnerServiceBlockingStub, Q, A> method, Q request) throws Exception {
        for (int wait = 1_000; ; wait *= 2) {
            try {
                return method.apply(partners.withDeadlineAfter(10, TimeUnit.SECONDS), request);
            } catch (StatusRuntimeException error) {
                var retry = detail(error, RetryInfo.getDefaultInstance());
                var late = error.getStatus().getCode() == Code.DEADLINE_EXCEEDED;
                if (wait > 8_000 || !retry.hasRetryDelay() && !late) {
                    throw error;
                }
                Thread.sleep(retry.hasRetryDelay() ? Durations.toMillis(retry.getRetryDelay()) + 1 : wait);
            }
        }
    }

    /** The error of a request that is refused; null where it is answered. */
    private <Q, A> StatusRuntimeException refusal(BiFunction<PartnerServiceBlockingStub, Q, A> method, Q request) {
        try {
            method.apply(partners.withDeadlineAfter(10, TimeUnit.SECONDS), request);
            return null;
        } catch (StatusRuntimeException error) {
            return error;
        }
    }

    private static LocalizedText named(String french) {
        var text = Text.newBuilder().setText(french).setOrigin(TextOrigin.TEXT_ORIGIN_OFFICIAL);
        return LocalizedText.newBuilder().setFr(text).build();
    }

    /** Registers a partner, and sends the same once more, as after a cut: the same answer, marked as a replay. */
    private Receipt command() throws Exception {
        var request = RegisterPartnerRequest.newBuilder()
            .setRequestId(UUID.randomUUID().toString())
            .setName(name)
            .setKind(PARTNER_KIND_PUBLIC_AGENCY)
            .setNames(named("Agence de coopération"))
            .setCountryCode("ML")
            .build();
        Receipt receipt = null;
        for (var step : List.of("command", "again")) {
            receipt = answered(PartnerServiceBlockingStub::registerPartner, request).getReceipt();
            var position = receipt.getEvents(0).getPosition();
            say(step, "position", position, "etag", receipt.getEtag(), "replayed", receipt.getReplayed());
        }
        return receipt;
    }

    /** What is wrong with a request comes all at once, for people in their language and for programs by reason. */
    private void invalid() {
        var request = RegisterPartnerRequest.newBuilder()
            .setRequestId(UUID.randomUUID().toString())
            .setName("partners/No Such Id")
            .setNames(named("?"))
            .build();
        var error = refusal(PartnerServiceBlockingStub::registerPartner, request);
        var violations = new LinkedHashMap<String, String>();
        for (var each : detail(error, BadRequest.getDefaultInstance()).getFieldViolationsList()) {
            violations.put(each.getField(), each.getDescription());
        }
        var text = detail(error, LocalizedMessage.getDefaultInstance());
        say(
            "invalid",
            "code", error.getStatus().getCode(),
            "reason", detail(error, ErrorInfo.getDefaultInstance()).getReason(),
            "violations", violations,
            "locale", text.getLocale(),
            "message", text.getMessage(),
            "trace", detail(error, RequestInfo.getDefaultInstance()).getRequestId());
    }

    private RenamePartnerRequest.Builder rename(String french) {
        var requestId = UUID.randomUUID().toString();
        return RenamePartnerRequest.newBuilder().setRequestId(requestId).setName(name).setNames(named(french));
    }

    /** Whoever decided on what has changed since is told its etag now: read again, decide again, send with that. */
    private Receipt stale(String etag) throws Exception {
        answered(PartnerServiceBlockingStub::renamePartner, rename("Agence de la coopération").setEtag(etag).build());
        var late = rename("Agence pour la coopération").setEtag(etag).build();
        var error = refusal(PartnerServiceBlockingStub::renamePartner, late);
        var info = detail(error, ErrorInfo.getDefaultInstance());
        var now = info.getMetadataOrThrow("etag");
        var again = rename("Agence pour la coopération").setEtag(now).build();
        var receipt = answered(PartnerServiceBlockingStub::renamePartner, again).getReceipt();
        var code = error.getStatus().getCode();
        say("stale", "code", code, "reason", info.getReason(), "etag", now, "mended", receipt.getEtag());
        return receipt;
    }

    /** Whoever sends too much is told how long to wait. With `validate_only` nothing is written. */
    private void limited() throws Exception {
        StatusRuntimeException error = null;
        while (error == null) {
            error = refusal(PartnerServiceBlockingStub::renamePartner, rename("Agence").setValidateOnly(true).build());
        }
        var wait = Durations.toNanos(detail(error, RetryInfo.getDefaultInstance()).getRetryDelay()) / 1e9;
        var rehearsal = rename("Agence").setValidateOnly(true).build();
        var then = answered(PartnerServiceBlockingStub::renamePartner, rehearsal).getReceipt().getEtag();
        var reason = detail(error, ErrorInfo.getDefaultInstance()).getReason();
        say("limited", "code", error.getStatus().getCode(), "reason", reason, "wait", wait, "then", then);
    }

    /** A query that carries the consistency token of a receipt has seen what that command did. */
    private void read(String seen) throws Exception {
        var request = GetPartnerRequest.newBuilder().setName(name).addAtLeastAsFresh(seen).build();
        var answer = answered(PartnerServiceBlockingStub::getPartner, request);
        var french = answer.getPartner().getNames().getFr().getText();
        say("read", "name", answer.getPartner().getName(), "french", french, "etag", answer.getEtag());
    }

    /** Every event of the log, over as many calls as it takes. A resume token is kept once the events before it are. */
    private void replay() throws Exception {
        var digest = MessageDigest.getInstance("SHA-256");
        var request = ReplayLogRequest.getDefaultInstance();
        long kept = 0;
        int cuts = 0;
        int fruitless = 0;
        for (var ended = false; !ended; ) {
            fruitless++;
            var last = kept;
            var batch = new ArrayList<ByteString>();
            try {
                var messages = logs.withDeadlineAfter(60, TimeUnit.SECONDS).replayLog(request);
                while (messages.hasNext()) {
                    var message = messages.next();
                    for (ReplayedEvent event : message.getEvents().getEventsList()) {
                        if (event.getPreviousPosition() != last) {
                            throw new IllegalStateException("missing: what came after " + last);
                        }
                        last = event.getPosition();
                        batch.add(event.getRecord());
                    }
                    if (message.hasEvents()) {
                        continue;
                    }
                    var place = place(message);
                    if (place.getLastEventPosition() != last) {
                        throw new IllegalStateException("missing: after " + last);
                    }
                    batch.forEach(record -> digest.update(record.toByteArray()));
                    batch.clear();
                    kept = last;
                    fruitless = 0;
                    request = ReplayLogRequest.newBuilder().setResumeToken(place.getResumeToken()).build();
                    ended = message.hasCaughtUp();
                }
            } catch (StatusRuntimeException error) {
                // A refusal has a reason; without one the line was cut: what came since the last token comes again.
                var reason = detail(error, ErrorInfo.getDefaultInstance()).getReason();
                if (!reason.isEmpty() || fruitless == 5) {
                    throw error;
                }
                cuts++;
                Thread.sleep(fruitless * 1000L);
            }
        }
        say("replay", "last", kept, "cuts", cuts, "sha256", HexFormat.of().formatHex(digest.digest()));
    }

    /** Where a replay is; every message but those with events says so. */
    private static Place place(ReplayLogResponse message) {
        return switch (message.getMessageCase()) {
            case CHECKPOINT -> message.getCheckpoint().getPlace();
            case CAUGHT_UP -> message.getCaughtUp().getPlace();
            case HEARTBEAT -> message.getHeartbeat().getPlace();
            default -> message.getGoodbye().getPlace();
        };
    }

    private static void say(String step, Object... values) {
        var line = new LinkedHashMap<String, Object>(Map.of("step", step));
        for (int i = 0; i < values.length; i += 2) {
            line.put((String) values[i], values[i + 1]);
        }
        System.out.println(new Gson().toJson(line));
    }

    public static void main(String[] arguments) throws Exception {
        var channel = connect(arguments[0]);
        try {
            var flow = new Flow(channel, arguments[1]);
            var registered = flow.command();
            flow.invalid();
            var renamed = flow.stale(registered.getEtag());
            flow.limited();
            flow.read(renamed.getConsistencyToken());
            flow.replay();
        } finally {
            channel.shutdownNow();
        }
    }
}
