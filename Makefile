# Everything runs as `.venv/bin/python -m …`: the first line of an installed console script breaks in a long path,
# and every path here is relative, so that a space in the folder's name does no harm.
.POSIX:
.SUFFIXES:
.PHONY: help demo run analysis test quick soak check bench clean environment development

PYTHON_HERE = .venv/bin/python

help:
	@echo 'make run     start an empty Headway on http://127.0.0.1:8000/'
	@echo 'make demo    the same with a made-up organisation; FLAVOUR=gitlab and others: its tools'
	@echo 'make analysis  what the prediction of work types needs (docs/work-types.md)'
	@echo 'make test    every check and every test; ARGS="tests/push -x" for a part, without the checks'
	@echo 'make quick   the tests that start no process: no browser, launcher, kill or demo; ARGS as for make test'
	@echo 'make soak    the long tests: kill loops, full fault matrices, oracles; then what reads the clock, on a dozen days'
	@echo 'make check   ruff, mypy, import-linter, deployment, migrations, requirements, file sizes'
	@echo 'make bench   speed and memory beside their goals'
	@echo 'make clean   remove the environment and, after asking, the data'

run: environment
	@exec $(PYTHON_HERE) manage.py up

demo: environment
	@sh scripts/environment.sh requirements-demo.txt
	@exec $(PYTHON_HERE) manage.py up --demo $(FLAVOUR:%=--flavour=%)

analysis: environment
	@sh scripts/environment.sh requirements-analysis.txt

test: development
	@exec sh scripts/test.sh $(ARGS)

quick: development
	@exec sh scripts/test.sh --quick $(ARGS)

soak: development
	@sh scripts/test.sh -m soak $(ARGS); failed=$$?; \
	[ -n "$(ARGS)" ] || sh scripts/test_on_days.sh || failed=1; exit $$failed

check: development
	@exec sh scripts/check.sh

bench: development
	@HEADWAY_CHROMIUM=$$(sh scripts/browser.sh) exec $(PYTHON_HERE) manage.py bench

clean:
	@exec sh scripts/clean.sh

environment:
	@sh scripts/environment.sh requirements.txt requirements-embedded.txt

development:
	@sh scripts/environment.sh requirements.txt requirements-embedded.txt requirements-demo.txt requirements-analysis.txt requirements-dev.txt
