#!/bin/sh
# `make test`: the checks, then every test in two processes. Arguments go to pytest.
set -u
cd "$(dirname "$0")/.."
report=.test-output/pytest.txt
mkdir -p .test-output

if [ -z "${HEADWAY_TEST_DATA:-}" ] && [ -d ../shared/data ]; then
    HEADWAY_TEST_DATA=$(cd ../shared/data && pwd)
    export HEADWAY_TEST_DATA
fi

failed=
sh scripts/check.sh || failed=yes

if HEADWAY_CHROMIUM=$(sh scripts/browser.sh); then
    export HEADWAY_CHROMIUM
elif [ "${HEADWAY_SKIP_BROWSER:-}" != 1 ]; then
    echo "NOT RUN: the browser tests. HEADWAY_SKIP_BROWSER=1 leaves them out knowingly."
    failed=yes
fi

{
    # In the order of tests/conftest.py, which knows what takes longest; by itself the runner would go by number.
    .venv/bin/python -m pytest -n "${HEADWAY_TEST_PROCESSES:-2}" --dist loadfile --no-loadscope-reorder "$@"
    echo $? >.test-output/status
} 2>&1 | tee "$report"
[ "$(cat .test-output/status)" = 0 ] || failed=yes
[ -z "$failed" ]
