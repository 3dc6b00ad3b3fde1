# Keeps one server. Each line on standard input names a signal for it. When standard input closes, whoever started the
# server is gone: it is stopped by $1, and TOGUNA_REMOVE_AFTER, if set, is removed.
stop=$1
shift
exec 3<&0
"$@" </dev/null >&2 3<&- &
server=$!
echo "$server"
exec >&-
(
    while read -r signal; do kill -s "$signal" "$server" 2>/dev/null; done
    trap '' TERM
    kill -s "$stop" "$server" 2>/dev/null
    tenths=0
    while kill -0 "$server" 2>/dev/null; do
        sleep 0.1
        tenths=$((tenths + 1))
        [ "$tenths" -eq 200 ] && kill -s KILL "$server"
    done
    [ -n "$TOGUNA_REMOVE_AFTER" ] && rm -rf "$TOGUNA_REMOVE_AFTER"
) <&3 2>/dev/null &
watch=$!
exec 3<&-
wait "$server"
code=$?
kill "$watch" 2>/dev/null
exit "$code"
