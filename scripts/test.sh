#!/bin/sh
# `make test`: every test in two processes, and the checks beside them.  With arguments, which go to pytest, the tests
# alone; `--quick` is `make quick`.
set -u
cd "$(dirname "$0")/.."
report=.test-output/pytest.txt
unset PYTHONDONTWRITEBYTECODE  # every process of checks and tests would compile 2,000 files again
mkdir -p .test-output

if [ -z "${HEADWAY_TEST_DATA:-}" ] && [ -d ../shared/data ]; then
    HEADWAY_TEST_DATA=$(cd ../shared/data && pwd)
    export HEADWAY_TEST_DATA
fi

failed=
checks=
if [ $# = 0 ]; then
    sh scripts/check.sh >.test-output/checks.txt 2>&1 &
    checks=$!
    trap 'kill $checks 2>/dev/null' EXIT
    trap 'exit 130' INT TERM HUP
fi

if [ "${1:-}" = --quick ]; then
    : # no browser is used
elif HEADWAY_CHROMIUM=$(sh scripts/browser.sh); then
    export HEADWAY_CHROMIUM
elif [ "${HEADWAY_SKIP_BROWSER:-}" != 1 ]; then
    echo "NOT RUN: the browser tests. HEADWAY_SKIP_BROWSER=1 leaves them out knowingly."
    failed=yes
fi

{
    # In the order of tests/run_order.py, which knows what takes longest; by itself the runner would go by number.
    .venv/bin/python -m pytest -n "${HEADWAY_TEST_PROCESSES:-2}" --dist loadfile --no-loadscope-reorder \
        --durations=40 "$@"
    echo $? >.test-output/status
} 2>&1 | tee "$report"
[ "$(cat .test-output/status)" = 0 ] || failed=yes

if [ -n "$checks" ]; then
    wait "$checks" || failed=yes
    cat .test-output/checks.txt
fi
[ -z "$failed" ]
