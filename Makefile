# Everything happens in virtual environments and in build/; nothing is installed elsewhere.
#
#   make         build in place: .venv with an editable install
#   make demo    draw the shipped sample into demo.png
#   make test    C tests, Python tests, notebooks
#   make soak    thousands of readings from servers and files that fail, watchers that are killed
#   make lint    formatting, types, stubs, include layers
#   make format  lay out C and Python files as lint wants them
#   make bench   the benchmarks
#   make docs    the pictures of docs/gallery, drawn anew
#   make asan    all tests under AddressSanitizer and UndefinedBehaviorSanitizer
#   make fuzz    the fuzz targets, FUZZ_SECONDS each (60)
#   make clean   remove what the above made
#
# PYTHON=python3.12 names the interpreter, WERROR=true makes compiler warnings in the core errors,
# PYTEST_ARGS are handed to pytest, BENCH_ARGS to the benchmarks.

WERROR ?= false
PYTEST_ARGS ?=
BENCH_ARGS ?=
FUZZ_SECONDS ?= 60

VENV := .venv
ASAN_VENV := .venv-asan
BENCH_VENV := .venv-bench
PY := $(VENV)/bin/python
# What meson-python starts (meson, ninja, numpy-config) is looked up on PATH.
IN_VENV = PATH="$(CURDIR)/$(VENV)/bin:$$PATH"
IN_ASAN_VENV = PATH="$(CURDIR)/$(ASAN_VENV)/bin:$$PATH"
IN_BENCH_VENV = PATH="$(CURDIR)/$(BENCH_VENV)/bin:$$PATH"

BUILD_FILES := pyproject.toml meson.build meson.options tests/c/meson.build fuzz/meson.build
C_FILES = $(shell find $(wildcard csrc tests fuzz benchmarks) -name '*.[ch]')
BUILD_REQUIRES = $$($(1) -c 'import tomllib; print(*tomllib.load(open("pyproject.toml", "rb"))["build-system"]["requires"])')

.DELETE_ON_ERROR:
.NOTPARALLEL:
.SECONDARY:
.PHONY: all demo test soak lint format bench docs asan asan-c asan-python fuzz clean
all: $(VENV)/.with-progress

# A virtual environment, the build requirements in it, then the editable install with the extras
# in the stamp's name. An editable install rebuilds changed C files on import; pip runs again only
# where dependencies or build files have changed.
%/.created:
	@echo '[venv] $*'
	@tools/make_venv.sh $*
	@touch $@

%/.build-deps: %/.created pyproject.toml
	@echo '[pip]  build requirements'
	@$*/bin/python -m pip install -q --upgrade 'pip>=23.1'
	@$*/bin/python -m pip install -q ninja $(call BUILD_REQUIRES,$*/bin/python)
	@touch $@

$(VENV)/.with-%: $(VENV)/.build-deps $(BUILD_FILES)
	@echo '[pip]  genomevedic[$*], editable'
	@$(IN_VENV) $(PY) -m pip install -q --no-build-isolation -Cbuild-dir=build/editable -e '.[$*]'
	@$(PY) tools/mend_editable.py
	@touch $@

demo: $(VENV)/.with-plot
	@sample=$$($(PY) -c 'import genomevedic as gv; print(gv.datasets.flowcell_sample())') \
	    && $(PY) -m genomevedic plot "$$sample" -o demo.png \
	    && echo "The picture of the shipped sample is $(CURDIR)/demo.png"

# $(1) the build directory, $(2) the PATH of its tools, $(3) further options. Options given to a
# directory that exists already are applied to it.
define configure_core
@$(2) meson setup $(1) $$(test -f $(1)/build.ninja && echo --reconfigure) -Dpython=false $(3)
endef

docs: $(VENV)/.with-plot
	$(PY) tools/make_gallery.py

test: $(VENV)/.with-viewers
	$(call configure_core,build/core,$(IN_VENV),-Dwerror=$(WERROR))
	@$(IN_VENV) meson test -C build/core --print-errorlogs
	$(PY) -m pytest $(PYTEST_ARGS)

soak: $(VENV)/.with-test
	$(PY) -m pytest -m soak $(PYTEST_ARGS)

lint: $(VENV)/.with-test,lint
	$(VENV)/bin/ruff check .
	$(VENV)/bin/ruff format --check .
	$(VENV)/bin/mypy
	$(VENV)/bin/stubtest genomevedic._core --mypy-config-file pyproject.toml --concise
	@echo '$(VENV)/bin/clang-format --dry-run --Werror (C files)'
	@$(VENV)/bin/clang-format --dry-run --Werror $(C_FILES)
	$(PY) tools/check_layers.py

format: $(VENV)/.with-test,lint
	$(VENV)/bin/clang-format -i $(C_FILES)
	$(VENV)/bin/ruff check --fix-only .
	$(VENV)/bin/ruff format .

# What is measured is what people get: a release build, installed, in an environment of its own with
# the peers. An editable one looks for something to rebuild at every import.
bench: $(BENCH_VENV)/.build-deps
	@echo '[pip]  genomevedic[bench], installed'
	@$(IN_BENCH_VENV) $(BENCH_VENV)/bin/python -m pip install -q --no-build-isolation \
	    -Cbuild-dir=build/bench-wheel '.[bench]'
	$(BENCH_VENV)/bin/python benchmarks/run.py $(BENCH_ARGS)

# The sanitized extension lies in its own environment and not in the source tree, so imports from
# the tree are switched off (PYTHONSAFEPATH). Python itself never frees all it holds, so leaks are
# looked for in the C tests alone. The C++ library is loaded with the sanitizer's, or exceptions of
# other packages would be thrown before it knows them. Tests that measure memory can see GV_ASAN.
ASAN_CC ?= gcc
ASAN_SETUP := -Db_sanitize=address,undefined -Db_lundef=false -Dbuildtype=debugoptimized \
    -Db_ndebug=false -Dc_args=-fno-sanitize-recover=all
ASAN_LIBS = $(shell for l in libasan.so libstdc++.so.6; do $(ASAN_CC) -print-file-name=$$l; done)

# A report ends the process: pytest leaves descriptor 2 alone so that it is seen, and the status is
# one that no test expects of a child.
asan: asan-c asan-python

asan-c: $(ASAN_VENV)/.build-deps
	$(call configure_core,build/asan-core,CC=$(ASAN_CC) $(IN_ASAN_VENV),$(ASAN_SETUP))
	@ASAN_OPTIONS=detect_leaks=1 UBSAN_OPTIONS=print_stacktrace=1 $(IN_ASAN_VENV) \
	    meson test -C build/asan-core --print-errorlogs --timeout-multiplier 5

asan-python: $(ASAN_VENV)/.build-deps
	@echo '[pip]  genomevedic[test], sanitized'
	@CC=$(ASAN_CC) $(IN_ASAN_VENV) $(ASAN_VENV)/bin/python -m pip install -q --no-build-isolation \
	    -Cbuild-dir=build/asan $(ASAN_SETUP:%=-Csetup-args=%) '.[test]'
	GV_ASAN=1 PYTHONSAFEPATH=1 PYTHONMALLOC=malloc ARROW_DEFAULT_MEMORY_POOL=system \
	    LD_PRELOAD='$(ASAN_LIBS)' \
	    ASAN_OPTIONS=detect_leaks=0:allocator_may_return_null=1:exitcode=99 \
	    UBSAN_OPTIONS=print_stacktrace=1:exitcode=99 \
	    $(ASAN_VENV)/bin/pytest --capture=sys $(PYTEST_ARGS)

# Inputs that take new ways through the code are kept in build/fuzz/found, where the next run goes
# on, and one that fails beside that folder.
FUZZ_CC ?= clang
FUZZ_SEEDS_fastq := fuzz/corpus/fastq tests/data
FUZZ_SEEDS_inflate := fuzz/corpus/inflate
FUZZ_SEEDS_name := fuzz/corpus/name tests/data/names

# $(1) the target. A large quarantine would make every buffer one of fresh pages, which are slow.
define run_fuzzer
@mkdir -p build/fuzz/found/$(1)
ASAN_OPTIONS=quarantine_size_mb=1 UBSAN_OPTIONS=print_stacktrace=1 build/fuzz/fuzz/fuzz_$(1) \
    -max_total_time=$(FUZZ_SECONDS) -max_len=5000 -timeout=20 -print_final_stats=1 \
    -artifact_prefix=build/fuzz/$(1)- build/fuzz/found/$(1) $(FUZZ_SEEDS_$(1))
endef

fuzz: $(VENV)/.build-deps
	@echo 'int LLVMFuzzerTestOneInput(void); int LLVMFuzzerTestOneInput(void) { return 0; }' \
	    | $(FUZZ_CC) -fsanitize=fuzzer,address,undefined -x c -o /dev/null - 2>/dev/null \
	    || { echo 'make fuzz needs clang and its runtime (Debian: apt-get install clang' \
	        'libclang-rt-14-dev).' >&2; exit 1; }
	$(call configure_core,build/fuzz,CC=$(FUZZ_CC) $(IN_VENV),-Dfuzz=enabled)
	@$(IN_VENV) meson compile -C build/fuzz fuzz_fastq fuzz_inflate fuzz_name
	$(call run_fuzzer,fastq)
	$(call run_fuzzer,inflate)
	$(call run_fuzzer,name)

clean:
	rm -rf build dist $(VENV) $(ASAN_VENV) $(BENCH_VENV) demo.png .pytest_cache .mypy_cache .ruff_cache .hypothesis
