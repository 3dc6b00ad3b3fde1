# How flow.sh talks with curl alone: the unary protocol of Connect and server-sent events, over any HTTP.

# once METHOD REQUEST: posts a request. The answer or the refusal is then in the file `answer`, its code in `$code`.
once() {
    status=$(curl --silent --max-time 10 --output answer --write-out '%{http_code}' \
        --header "authorization: Bearer $TOGUNA_TOKEN" --header "accept-language: fr" \
        --header "content-type: application/json" --header "connect-timeout-ms: 10000" \
        --data "$2" "http://$ADDRESS/toguna.partnerships.v1.PartnerService/$1") || true
    case $status in
    200) code=ok ;;
    000) code=unavailable && echo '{}' >answer ;;
    *) code=$(jq --raw-output .code answer) ;;
    esac
}

# replay_from TOKEN: what a replay says from there on, a line each: its kind, a tab, the rest as JSON. Fails where the
# line was cut; an event that did not come whole, up to the empty line after it, is none.
replay_from() {
    cut=0
    curl --silent --no-buffer --max-time 60 --fail-with-body --header "authorization: Bearer $TOGUNA_TOKEN" \
        ${1:+--header "last-event-id: $1"} "http://$ADDRESS/v1/log:replay" >stream || cut=$?
    [ "$cut" != 22 ] || stop "$(cat stream)"
    awk '
        /^event: / { kind = substr($0, 8) } /^data: / { data = substr($0, 7) }
        /^$/ { if (kind) print kind "\t" data; kind = "" }' stream
    [ "$cut" = 0 ]
}
