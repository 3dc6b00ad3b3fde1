#!/bin/sh
# A first client of Toguna in a shell, with jq and curl or `buf curl`: a command, a refusal, a read after a write, a
# replay of a log.
#
#     TOGUNA_TOKEN=… sh flow.sh curl ADDRESS partners/ID
#     TOGUNA_TOKEN=… sh flow.sh buf ADDRESS partners/ID
#
# ADDRESS is that of the service of partnerships, ID one that no partner has yet. Prints a line of JSON for each step.
set -eu
[ $# -eq 3 ] || { sed -n '2,8s/^# \{0,1\}//p' "$0" >&2; exit 2; }
HERE=$(cd "$(dirname "$0")" && pwd) ADDRESS=$2 NAME=$3
cd "$(mktemp -d)"
trap 'rm -rf "$PWD"' EXIT
# Says how to talk: `once` and `replay_from`.
. "$HERE/$1.sh"

stop() { echo "$1" >&2; exit 1; }
uuid() { cat /proc/sys/kernel/random/uuid; }

# What the answer says, in words of jq: `told .receipt.etag`, and of a refusal `told 'detail("ErrorInfo").reason'`.
told() {
    jq --compact-output --raw-output '
        def detail(name): .details[]? | select(.type == "google.rpc." + name).debug;
        def seconds: detail("RetryInfo").retryDelay | rtrimstr("s") | tonumber;
        '"$1" answer
}

# Sends a request until it is answered: again where the answer was lost, and after the wait that a refusal asks for. A
# command keeps its request id, and so has its effect once, however often it is sent.
answered() {
    for wait in 0.5 1 2 4 8; do
        once "$@"
        case $code in
        ok) return ;;
        unavailable | deadline_exceeded) retry_after=$(told seconds) && sleep "${retry_after:-$wait}" ;;
        resource_exhausted) sleep "$(told seconds)" ;;
        *) break ;;
        esac
    done
    stop "$1 was not answered: $(cat answer)"
}

# say STEP VALUES: prints a line of what the answer says.
say() { told "{step: \"$1\"} + $2"; }

# Registers a partner, and sends the same once more, as after a cut: the same answer, marked as a replay.
register() {
    request=$(jq --null-input --arg id "$(uuid)" --arg name "$NAME" '{
        requestId: $id, name: $name, kind: "PARTNER_KIND_PUBLIC_AGENCY", countryCode: "ML",
        names: {fr: {text: "Agence de coopération", origin: "TEXT_ORIGIN_OFFICIAL"}}
    }')
    for step in command again; do
        answered RegisterPartner "$request"
        say $step '(.receipt | {position: .events[0].position | tonumber, etag, replayed: (.replayed // false)})'
    done
    etag=$(told .receipt.etag)
}

# What is wrong with a request comes all at once, for people in their language and for programs by reason.
invalid() {
    once RegisterPartner "$(jq --null-input --arg id "$(uuid)" '{
        requestId: $id, name: "partners/No Such Id", names: {fr: {text: "?", origin: "TEXT_ORIGIN_OFFICIAL"}}
    }')"
    say invalid '{
        code: .code | ascii_upcase,
        reason: detail("ErrorInfo").reason,
        violations: [detail("BadRequest").fieldViolations[] | {(.field): .description}] | add,
        locale: detail("LocalizedMessage").locale,
        message: detail("LocalizedMessage").message,
        trace: detail("RequestInfo").requestId
    }'
}

# rename FRENCH ETAG: a request.
rename() {
    jq --null-input --arg id "$(uuid)" --arg name "$NAME" --arg french "$1" --arg etag "$2" '{
        requestId: $id, etag: $etag, name: $name, names: {fr: {text: $french, origin: "TEXT_ORIGIN_OFFICIAL"}}
    }'
}

# Whoever decided on what has changed since is told its etag now: read again, decide again, send with that.
stale() {
    answered RenamePartner "$(rename "Agence de la coopération" "$etag")"
    once RenamePartner "$(rename "Agence pour la coopération" "$etag")"
    refusal=$(say stale '(detail("ErrorInfo") as $why |
        {code: .code | ascii_upcase, reason: $why.reason, etag: $why.metadata.etag})')
    answered RenamePartner "$(rename "Agence pour la coopération" "$(told 'detail("ErrorInfo").metadata.etag')")"
    told "$refusal"' + {mended: .receipt.etag}'
    seen=$(told .receipt.consistencyToken)
}

# Whoever sends too much is told how long to wait. With `validateOnly` nothing is written.
limited() {
    rehearsal() { rename "Agence" "" | jq '. + {validateOnly: true}'; }
    code=ok
    while [ $code = ok ]; do
        once RenamePartner "$(rehearsal)"
    done
    refusal=$(say limited '{code: .code | ascii_upcase, reason: detail("ErrorInfo").reason, wait: seconds}')
    sleep "$(told seconds)"
    answered RenamePartner "$(rehearsal)"
    told "$refusal"' + {then: .receipt.etag}'
}

# A query that carries the consistency token of a receipt has seen what that command did.
read_it() {
    answered GetPartner "{\"name\": \"$NAME\", \"atLeastAsFresh\": [\"$seen\"]}"
    say read '{name: .partner.name, french: .partner.names.fr.text, etag}'
}

# Every event of the log, over as many calls as it takes. A resume token is kept once the events before it are.
replay() {
    : >records
    token='' kept=0 cuts=0 fruitless=0 ended=''
    until [ "$ended" ]; do
        [ $fruitless -lt 5 ] || stop "the line brings nothing any more"
        sleep $fruitless
        # Where the line was cut, what came since the last token comes again.
        replay_from "$token" >messages || cuts=$((cuts + 1))
        last=$kept fruitless=$((fruitless + 1))
        : >batch
        while IFS=$(printf '\t') read -r kind message; do
            printf '%s' "$message" >message
            case $kind in
            events)
                jq --raw-output '.events[] | "\(.previousPosition // 0) \(.position) \(.record)"' message >events
                while read -r previous position record; do
                    [ "$previous" = "$last" ] || stop "what came after $last and before $position is missing"
                    last=$position
                    printf '%s' "$record" | base64 --decode >>batch
                done <events
                ;;
            failure) stop "$message" ;;
            *)
                [ "$(jq --raw-output '.place.lastEventPosition // 0' message)" = "$last" ] ||
                    stop "what came after $last is missing"
                cat batch >>records
                : >batch
                token=$(jq --raw-output .place.resumeToken message) kept=$last fruitless=0
                case $kind in caught_up | caughtUp) ended=yes ;; esac
                ;;
            esac
        done <messages
    done
    jq --null-input --compact-output --arg sha256 "$(sha256sum <records | cut -d ' ' -f 1)" \
        "{step: \"replay\", last: $kept, cuts: $cuts, sha256: \$sha256}"
}

register
invalid
stale
limited
read_it
replay
