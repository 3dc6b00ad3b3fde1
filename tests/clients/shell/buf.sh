# How flow.sh talks with `buf curl`, which knows the protos: one may write names as they are there, and is told what is
# misspelt before anything is sent. Commands and queries go by Connect, which shows the details of a refusal; streams
# by gRPC. Without the protos at hand, `--protocol grpc` alone learns them from the service.
buf build "${PROTO:-$HERE/../../../proto}" --output api.binpb

# once METHOD REQUEST: posts a request. The answer or the refusal is then in the file `answer`, its code in `$code`.
once() {
    if buf curl --timeout 10s --schema api.binpb --header "authorization: Bearer $TOGUNA_TOKEN" \
        --header "accept-language: fr" --data "$2" \
        "http://$ADDRESS/toguna.partnerships.v1.PartnerService/$1" >answer 2>refusal; then
        code=ok
    else
        cp refusal answer
        # What the service says has details. Without them it is the line's.
        code=$(jq --raw-output 'if .details then .code else "unavailable" end' answer)
    fi
}

# replay_from TOKEN: what a replay says from there on, a line each: its kind, a tab, the rest as JSON. Fails where the
# line was cut.
replay_from() {
    cut=0
    buf curl --timeout 60s --schema api.binpb --protocol grpc --header "authorization: Bearer $TOGUNA_TOKEN" \
        --data "{${1:+\"resume_token\": \"$1\"}}" "http://$ADDRESS/toguna.log.v1.LogService/ReplayLog" \
        >stream 2>refusal || cut=$?
    [ "$cut" = 0 ] || jq --exit-status '.details == null' refusal >/dev/null || stop "$(cat refusal)"
    jq --raw-output 'to_entries[] | "\(.key)\t\(.value | tojson)"' stream
    [ "$cut" = 0 ]
}
