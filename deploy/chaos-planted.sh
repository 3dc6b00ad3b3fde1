#!/bin/sh
# Plants one fault after another in a copy of what is committed, and shows that a short chaos run catches each: prints
# a table, and fails where a fault survives. Names of faults as arguments: only these. See docs/chaos.md.
set -eu
cd "$(dirname "$0")/.."
root=$(pwd)
faults=tests/chaos/planted
scratch=target/planted
mkdir -p "$scratch/tree" "$scratch/fresh"

# Only files that differ are touched, so that only what they are part of is built again.
git archive HEAD | tar -x -C "$scratch/fresh"
(cd "$scratch/fresh" && find . -type f) | while read -r file; do
    cmp -s "$scratch/fresh/$file" "$scratch/tree/$file" && continue
    mkdir -p "$(dirname "$scratch/tree/$file")"
    cp "$scratch/fresh/$file" "$scratch/tree/$file"
done
(cd "$scratch/tree" && find . -type f) | while read -r file; do
    [ -e "$scratch/fresh/$file" ] || rm "$scratch/tree/$file"
done
rm -rf "$scratch/fresh"

in_copy() {
    # Git is not to look at our own repository around the copy.
    (cd "$scratch/tree" && GIT_CEILING_DIRECTORIES="$root/$scratch" "$@")
}

build() {
    packages=$(for service in $(echo "$1" | tr ',' ' '); do printf ' --package %s' "$service"; done)
    # shellcheck disable=SC2086 # The packages are words.
    CARGO_PROFILE_DEV_DEBUG=false in_copy cargo build --locked --target-dir "$root/$scratch/build" $packages --bins \
        >"$scratch/build.log" 2>&1 || { cat "$scratch/build.log" >&2; exit 1; }
}

deploy/install.sh
chaos=$(cargo test --locked --package tests --test chaos --no-run 2>&1 | sed -n 's/.*Executable.*(\(.*\))/\1/p')
[ -n "$chaos" ] || { echo "the chaos test cannot be built" >&2; exit 1; }

# said FILE WORD: what the head of a planted fault says of itself.
said() {
    sed -n "s/^$2: //p" "$1" | head -n 1
}

# attempt SERVICES FAULTS SECONDS SEED LOG: one run; the invariants that it broke, if any.
attempt() {
    CHAOS_PROGRAMS="$root/$scratch/build/debug" CHAOS_SERVICES="$1" CHAOS_FAULTS="$2" CHAOS_SECONDS="$3" \
        CHAOS_SEED="$4" "$chaos" --nocapture >"$5" 2>&1 || true
    sed -n 's/^verdict: BROKEN: //p' "$5"
    grep -q '^verdict: ' "$5" || echo "no verdict"
}

survived=0
all_faults=
all_services=
printf '%-34s | %-6s | %-24s | %4s | %7s\n' "planted fault" "caught" "by" "runs" "seconds"
for patch in $(ls "$faults"/*.patch); do
    name=$(basename "$patch" .patch)
    if [ $# -gt 0 ] && ! echo " $* " | grep -q " $name "; then continue; fi
    in_copy git apply "$root/$patch"
    services=$(said "$patch" Services)
    all_services=$(printf '%s,%s' "$all_services" "$services" | tr ',' '\n' | sed '/^$/d' | sort -u | paste -s -d ,)
    all_faults=$all_faults,$(said "$patch" Faults)
    build "$services"
    run=0
    broken=
    began=$(date +%s)
    while [ "$run" -lt "$(said "$patch" Runs)" ] && { [ -z "$broken" ] || [ "$broken" = "no verdict" ]; }; do
        run=$((run + 1))
        log=$scratch/$name-$run.log
        broken=$(attempt "$services" "$(said "$patch" Faults)" "$(said "$patch" Seconds)" "$run" "$log")
    done
    took=$(($(date +%s) - began))
    caught=yes
    case $broken in "" | "no verdict" | Run)
        caught=NO
        survived=1
        ;;
    esac
    printf '%-34s | %-6s | %-24s | %4s | %7s\n' "$name" "$caught" "$broken" "$run" "$took"
    in_copy git apply --reverse "$root/$patch"
done
# The same faults from outside, all together, find nothing where nothing is planted.
build "$all_services"
began=$(date +%s)
broken=$(attempt "$all_services" "$all_faults" 60 1 "$scratch/nothing.log")
found=no
[ -z "$broken" ] && grep -q '^test result: ok' "$scratch/nothing.log" || { found=YES; survived=1; }
printf '%-34s | %-6s | %-24s | %4s | %7s\n' "(nothing)" "$found" "$broken" 1 "$(($(date +%s) - began))"
exit "$survived"
