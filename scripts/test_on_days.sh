#!/bin/sh
# The tests that read the clock, once on each of a dozen days: every weekday, the ends of months, quarters and years,
# 29 February, and both changes of the clock, through which the run goes.  `make soak` ends with it; arguments go to
# pytest in place of the chosen tests, and DAYS="2028-02-29" chooses days.  Prints a line for each day.
set -u
cd "$(dirname "$0")/.."
output=.test-output/days
library=$output/moved_clock.so
mkdir -p "$output"

# day, time, zone of the organisation, why
days='
2026-11-28 12:00 UTC           Saturday, on which the demo left a board without an owner
2026-11-30 07:00 UTC           Monday, the last of a month
2026-12-01 00:10 UTC           Tuesday, the first of a month
2026-12-31 22:10 UTC           Thursday, the last of a quarter and a year
2027-01-01 00:05 UTC           Friday, the first of a quarter and a year
2027-03-28 01:52 Europe/Berlin Sunday, an hour is missing
2027-03-31 12:00 UTC           Wednesday, the last of a quarter
2027-04-01 08:00 UTC           Thursday, the first of a quarter
2027-05-01 15:00 UTC           Saturday, the first of a month
2027-10-31 02:50 Europe/Berlin Sunday, an hour comes twice, the last of a month
2028-02-29 09:00 UTC           Tuesday, there every four years
2028-03-01 12:00 UTC           Wednesday, the day after it
'

not_run() {
    echo "NOT RUN: the tests on other days. $1" >&2
    exit 1
}

if ! command -v cc >/dev/null && command -v apt-get >/dev/null; then
    as_root=
    [ "$(id -u)" = 0 ] || as_root="sudo -n"
    { $as_root apt-get update -qq && $as_root env DEBIAN_FRONTEND=noninteractive \
        apt-get install -y -qq --no-install-recommends gcc libc6-dev; } >/dev/null 2>&1
fi
command -v cc >/dev/null || not_run "They need a C compiler: sudo apt-get install gcc libc6-dev."
cc -shared -fPIC -O2 -Wall -o "$library" scripts/moved_clock.c || not_run "scripts/moved_clock.c cannot be built."
library=$(cd "$output" && pwd)/moved_clock.so
[ "$(CLOCK_AHEAD_SECONDS=86400 LD_PRELOAD=$library date -u +%F)" = "$(date -u -d tomorrow +%F)" ] ||
    not_run "LD_PRELOAD moves no clock here."
HEADWAY_CHROMIUM=$(sh scripts/browser.sh) && export HEADWAY_CHROMIUM

if [ $# = 0 ]; then
    # All of the demo, and the files that ask what day it is.
    asking=$(grep -rlE '\b(local_today|localdate|now|today|trailing|passed|current_quarter)\(' --include='test_*.py' \
        tests/query tests/programs tests/hand_kept tests/pages tests/privacy tests/orgtree tests/journeys)
    # shellcheck disable=SC2086
    set -- tests/demo $asking
fi

failed=
while read -r day time zone why; do
    [ -n "$day" ] || continue
    case " ${DAYS:-$day} " in *" $day "*) ;; *) continue ;; esac
    ahead=$(($(TZ=$zone date -d "$day $time" +%s) - $(date +%s)))
    CLOCK_AHEAD_SECONDS=$ahead HEADWAY_TIME_ZONE=$zone LD_PRELOAD=$library \
        .venv/bin/python -m pytest -q -n "${HEADWAY_TEST_PROCESSES:-2}" --dist loadfile --no-loadscope-reorder \
        "$@" </dev/null >"$output/$day.txt" 2>&1
    result=$?
    [ $result = 0 ] || failed=yes
    echo "$day $why: $(tail -n 1 "$output/$day.txt")"
    [ $result = 0 ] || grep -E '^(FAILED|ERROR)' "$output/$day.txt"
done <<LIST
$days
LIST
[ -z "$failed" ]
