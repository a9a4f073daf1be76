# SPDX-License-Identifier: MIT
# zctrace: `make help` lists the targets. Everything that is built lies under build/.
VERSION := 0.1.0
PREFIX ?= /usr/local
JOBS ?= $(shell nproc)
BUILD ?= build

CXX ?= g++
CLANG ?= clang
CLANGXX ?= clang++
BPFTOOL ?= $(firstword $(wildcard /usr/sbin/bpftool) bpftool)
PYTHON ?= /usr/bin/python3

# The one list of packages; `make packages` installs those that are missing.
PACKAGES := g++ make pkg-config clang llvm libbpf-dev bpftool libcap-dev libcli11-dev \
	libfmt-dev nlohmann-json3-dev libgtest-dev liburing-dev libncurses-dev \
	zlib1g-dev libelf-dev linux-libc-dev \
	prometheus-cpp-dev
TEST_PACKAGES := nginx caddy curl wrk openssl gcc-multilib strace python3 python3-jsonschema tmux procps util-linux \
	coreutils libcap2-bin bash tar findutils mount passwd xfsprogs btrfs-progs prometheus systemd
# mount
PACKAGES += libfuse3-dev fuse3
TEST_PACKAGES += fio
# fuzz, clang-check and cppcheck
TEST_PACKAGES += libclang-rt-dev cppcheck

# tidy
TIDY_PACKAGES := clang-tidy pyflakes3 shellcheck

MATRIX_PACKAGES := qemu-system-x86 busybox-static binutils e2fsprogs
ARM64_PACKAGES := qemu-system-arm lld
# What the guests' programs come from, where they are not this machine's own.
GUEST_PACKAGES := busybox-static bash dash coreutils tar findutils strace mount util-linux procps \
	xfsprogs python3 python3-jsonschema
BENCH_PACKAGES := libbpf-tools bpftrace linux-perf strace nginx wrk

ifneq ($(V),1)
Q := @
say = @printf '  %-8s %s\n' $(1) $(2);
endif

ARCH := $(shell uname -m | sed 's/x86_64/x86/; s/aarch64/arm64/')
COMMON_FLAGS := -O2 -g -Wall -Wextra -Werror -MMD -MP
CXXFLAGS ?=
CPPFLAGS := -I. -I$(BUILD)/generated -DZCTRACE_VERSION='"$(VERSION)"'
# libfuse declares what this version of its interface has
CPPFLAGS += -DFUSE_USE_VERSION=314
ALL_CXXFLAGS := -std=c++20 $(COMMON_FLAGS) $(CPPFLAGS) $(CXXFLAGS)
BPF_FLAGS := $(COMMON_FLAGS) -target bpf -mcpu=v3 -Wno-unused-parameter
LIBS := -lbpf -lelf -lz -lcap -lfmt -luring -lncursesw \
	-lprometheus-cpp-pull -lprometheus-cpp-core
LIBS += -lfuse3 -pthread
SANITIZE ?=
FUZZ_FLAGS := -fsanitize=fuzzer-no-link,address,undefined -fno-sanitize-recover=all

# Files that define what others declare extern come first: libbpf 1.1's linker takes a map's
# place from the first object that names it.
BPF_OBJECTS := $(addprefix $(BUILD)/bpf/,config.bpf.o maps.bpf.o tasks.bpf.o pids.bpf.o \
	kinds.bpf.o compat.bpf.o pipes.bpf.o clones.bpf.o calls.bpf.o bytes.bpf.o rows.bpf.o accounts.bpf.o targets.bpf.o \
	syscalls.bpf.o lifecycle.bpf.o sched.bpf.o uring.bpf.o walk.bpf.o unaccounted.bpf.o)
ARM64_OBJECTS := $(BPF_OBJECTS:$(BUILD)/bpf/%=$(BUILD)/bpf-arm64/%)
SKELETON := $(BUILD)/generated/zctrace.skel.h
NAMES := $(BUILD)/generated/syscall_names.inc
SCHEMA := $(BUILD)/generated/json_schema.inc

# Of a folder and all that are in it.
cpp_files = $(sort $(shell find $(1) -name '*.cpp'))
sources = $(patsubst %.cpp,$(BUILD)/%.o,$(call cpp_files,$(1)))
COLLECTOR := $(call sources,collector)
TRANSFERS := $(call sources,transfers)
CLI := $(filter-out $(BUILD)/cli/main.o,$(call sources,cli))
UNIT_TESTS := $(call sources,tests/unit)
KERNEL_TESTS := $(call sources,tests/kernel)
# The folders only sort the sources; their names are unique.
PROGRAM_SOURCES := $(sort $(shell find tests/fixtures/programs -name '*.c'))
PROGRAMS := $(patsubst %.c,$(BUILD)/programs/%,$(notdir $(PROGRAM_SOURCES)))
ifneq ($(ARCH),x86)
PROGRAMS := $(filter-out %_m32,$(PROGRAMS))
endif

# What the fuzz targets reach, built apart: clang, sanitizers, coverage.
FUZZ := $(patsubst tests/fuzz/%.cpp,$(BUILD)/fuzz/%,$(wildcard tests/fuzz/*_fuzz.cpp))
FUZZED := $(addprefix $(BUILD)/fuzz/,$(addprefix cli/views/,csv_view.o json_view.o \
	wording.o markdown_view.o page.o table_view.o \
	$(addprefix report/,process_table.o report_facts.o report_sections.o row_table.o verification_facts.o)) \
	cli/options/listen_address.o cli/options/target_options.o cli/text/printable.o cli/text/signal_name.o cli/text/units.o \
	collector/model/report.o collector/os/mountinfo.o \
	$(addprefix collector/observe/,owner.o syscall_table.o targets.o) \
	$(addprefix collector/fuse/requesters/,background_reader.o proc_file.o read_cause.o requesters.o) \
	$(addprefix transfers/,error.o sink.o source.o unnamed_file.o))

# A stamp for each file that clang++ and clang-tidy found nothing in.
CHECKED := $(patsubst %,$(BUILD)/clang/%.ok,$(call cpp_files,cli collector transfers tests) \
	$(wildcard tests/bench/*.c) $(PROGRAM_SOURCES))
# They have skeletons of their own.
CHECKED := $(filter-out $(addprefix $(BUILD)/clang/tests/bench/,floor% parts%),$(CHECKED))
TIDIED := $(patsubst $(BUILD)/clang/%,$(BUILD)/tidy/%,$(filter-out $(BUILD)/clang/tests/%,$(CHECKED)))
PYTHON_SOURCES := scripts/check scripts/kernel-matrix/run scripts/kernel-matrix/sysroot \
	tests/bench/soak tests/bench/fuse_bench $(wildcard scripts/*/*.py tests/*/*.py tests/*/*/*.py)
SHELL_SOURCES := .ci/run scripts/demo scripts/packages scripts/kernel-matrix/tests \
	scripts/kernel-matrix/init
comma := ,

BENCH := $(addprefix $(BUILD)/bench/,loop switches floor parts crowd snapshot)

.DELETE_ON_ERROR:
.SECONDARY:
.SUFFIXES:
.PHONY: all demo check packages unit-check kernel-check kernel-matrix cli-check arm64-check bench \
	soak asan tsan fuzz fuzz-targets clang-check cppcheck format tidy install uninstall clean help

all: $(BUILD)/zctrace  ## Build build/zctrace (the default)

demo: packages  ## Install what is missing, build, compare the methods and watch a cp
	$(Q)$(MAKE) --no-print-directory -j$(JOBS) all
	$(Q)scripts/demo $(BUILD)/zctrace

check: packages  ## Install what is missing, build, run every test
	$(Q)$(MAKE) --no-print-directory -j$(JOBS) all tests fuzz-targets clang-check cppcheck
	$(Q)scripts/check $(BUILD)

unit-check: tests  ## Run the tests that need neither root nor BPF
	$(Q)scripts/check $(BUILD) unit

kernel-check: tests  ## Run the tests on real probes
	$(Q)scripts/check $(BUILD) kernel

cli-check: all tests  ## Run the tests of the program as a user runs it
	$(Q)scripts/check $(BUILD) cli

packages:  ## Install the packages that are missing (Debian; root or sudo)
	$(Q)scripts/packages $(PACKAGES) $(TEST_PACKAGES)

.PHONY: tests
tests: all $(BUILD)/unit-tests $(BUILD)/kernel-tests $(PROGRAMS) $(ARM64_OBJECTS)

bench: packages bench-packages  ## Measure what observing costs, beside strace, perf, bpftrace and syscount
	$(Q)$(MAKE) --no-print-directory -j$(JOBS) all $(BENCH)
	$(Q)ZCTRACE_BUILD=$(BUILD) tests/bench/overhead.py --json $(BUILD)/bench/overhead.json $(BENCH_OPTIONS)
	$(Q)tests/bench/fuse_bench --build $(BUILD)

.PHONY: bench-packages
bench-packages:
	$(Q)scripts/packages $(BENCH_PACKAGES)

soak: packages  ## Half an hour (ZCTRACE_SOAK_S=1800) of attach and export under load, a minute of fio on a mount
	$(Q)$(MAKE) --no-print-directory tests
	$(Q)ZCTRACE_BUILD=$(BUILD) tests/bench/soak
	$(Q)cd tests/cli && ZCTRACE_BUILD=$(abspath $(BUILD)) ZCTRACE_SOAK_S=60 $(PYTHON) -m unittest -k fio mount.content_test

MATRIX ?= amd64 arm64
MATRIX_TREE := $(BUILD)/kernel-matrix
IN_GUEST := zctrace kernel-tests bench/verified

kernel-matrix: $(MATRIX:%=matrix-%)  ## Boot Linux 6.1 and 6.12 in an emulator, for each of MATRIX='amd64 arm64', and run the tests there

.PHONY: matrix-amd64 matrix-arm64
matrix-amd64: packages
	$(Q)scripts/packages $(MATRIX_PACKAGES)
	$(Q)$(MAKE) --no-print-directory -j$(JOBS) $(IN_GUEST:%=$(BUILD)/%) $(PROGRAMS)
	$(Q)scripts/kernel-matrix/run $(BUILD) --directory $(MATRIX_TREE) \
		--kernel linux-image-cloud-amd64 --kernel linux-image-6.12-cloud-amd64

# Cross-compiled against Debian's own packages, by clang, which needs no other compiler for it.
ARM64 := --target=aarch64-linux-gnu --sysroot=$(abspath $(MATRIX_TREE)/arm64) -fuse-ld=lld -Wno-unused-command-line-argument
matrix-arm64: packages
	$(Q)scripts/packages $(MATRIX_PACKAGES) $(ARM64_PACKAGES)
	$(Q)scripts/kernel-matrix/sysroot arm64 $(MATRIX_TREE) $(filter %-dev,$(PACKAGES)) \
		libc6-dev libstdc++-$(shell g++ -dumpversion)-dev $(GUEST_PACKAGES)
	$(Q)$(MAKE) --no-print-directory -j$(JOBS) BUILD=$(BUILD)/arm64 ARCH=arm64 \
		CC='$(CLANG) $(ARM64)' CXX='$(CLANGXX) $(ARM64)' \
		CXXFLAGS=-O1 arm64-guest
	$(Q)scripts/kernel-matrix/run $(BUILD)/arm64 --arch arm64 --directory $(MATRIX_TREE) \
		--root $(MATRIX_TREE)/arm64 \
		--kernel linux-image-cloud-arm64 --kernel linux-image-6.12-cloud-arm64

.PHONY: arm64-guest
arm64-guest: $(IN_GUEST:%=$(BUILD)/%) $(PROGRAMS)

# A tree of its own for each; reports of a sanitizer fail the test that made them.
define sanitized
	$(Q)$(MAKE) --no-print-directory -j$(JOBS) BUILD=$(BUILD)/$(1) SANITIZE='$(2)' \
		CXXFLAGS='-O1 -fno-omit-frame-pointer $(2)' tests
	$(Q)ZCTRACE_SANITIZER=$(3) $(4) scripts/check $(BUILD)/$(1) unit kernel cli
endef

asan: packages  ## Run the tests with the address, leak and undefined behaviour sanitizers
	$(call sanitized,asan,-fsanitize=address$(comma)undefined -fno-sanitize-recover=all,address)

# Without address randomization: more than 28 bits of it (vm.mmap_rnd_bits, 32 on some kernels)
# leave no place for the shadow memory of GCC 12's runtime.
tsan: packages  ## Run the tests with the thread sanitizer
	$(call sanitized,tsan,-fsanitize=thread,thread,setarch -R)

fuzz: packages  ## Run the fuzz targets, FUZZ_S=60 seconds each
	$(Q)$(MAKE) --no-print-directory -j$(JOBS) fuzz-targets
	$(Q)FUZZ_S=$(or $(FUZZ_S),60) scripts/check $(BUILD) fuzz

fuzz-targets: $(FUZZ)

clang-check: $(CHECKED)  ## See that clang++ compiles everything without a warning

cppcheck: | $(BUILD)/cppcheck  ## Look for mistakes with cppcheck
	$(call say,CPPCHECK,'cli collector transfers')cppcheck --quiet --std=c++20 --language=c++ -I. \
		--enable=warning,performance,portability --error-exitcode=1 --inline-suppr \
		--suppressions-list=scripts/cppcheck-suppressions --cppcheck-build-dir=$(BUILD)/cppcheck \
		-j $(JOBS) cli collector transfers

format:  ## Format the C++ sources in place
	$(Q)clang-format -i $$(find cli collector transfers tests -name '*.cpp' -o -name '*.h')

tidy: packages tidy-packages  ## Look for mistakes with clang-tidy, cppcheck, pyflakes and shellcheck
	$(Q)$(MAKE) --no-print-directory -j$(JOBS) cppcheck $(TIDIED)
	$(Q)pyflakes3 $(PYTHON_SOURCES)
	$(Q)shellcheck -S warning $(SHELL_SOURCES)

.PHONY: tidy-packages
tidy-packages:
	$(Q)scripts/packages $(TIDY_PACKAGES)

install: all  ## Install into PREFIX (/usr/local)
	install -D -m 755 $(BUILD)/zctrace $(DESTDIR)$(PREFIX)/bin/zctrace

uninstall:  ## Remove what install put there
	rm -f $(DESTDIR)$(PREFIX)/bin/zctrace

clean:  ## Remove build/
	rm -rf $(BUILD)

help:  ## Show this list
	@sed -n 's/^\([a-z0-9-]*\):.*##  *\(.*\)/  \1\t\2/p' Makefile | sort | expand -t 18
	@echo '  V=1 shows the commands; PREFIX= and DESTDIR= say where install puts things'

# --- BPF ---------------------------------------------------------------------------------

$(BUILD)/bpf/%.bpf.o: bpf/%.bpf.c | $(BUILD)/bpf
	$(call say,CLANG,$<)$(CLANG) $(BPF_FLAGS) -D__TARGET_ARCH_$(ARCH) -c $< -o $@

$(BUILD)/bpf-arm64/%.bpf.o: bpf/%.bpf.c | $(BUILD)/bpf-arm64
	$(call say,CLANG,'$< (arm64)')$(CLANG) $(BPF_FLAGS) -D__TARGET_ARCH_arm64 -c $< -o $@

$(BUILD)/zctrace.bpf.o: $(BPF_OBJECTS)
	$(call say,LINK,$@)$(BPFTOOL) gen object $@ $^

$(SKELETON): $(BUILD)/zctrace.bpf.o | $(BUILD)/generated
	$(call say,SKEL,$@)$(BPFTOOL) gen skeleton $< name zctrace_bpf > $@

$(NAMES): | $(BUILD)/generated
	$(call say,GEN,$@)echo '#include <sys/syscall.h>' | $(CXX) -E -dM -x c - | \
		sed -n 's/^#define SYS_\([a-z0-9_]*\) .*/{SYS_\1, "\1"},/p' | sort > $@

# A string literal, which json_schema.cpp includes.
$(SCHEMA): schema/zctrace-1.schema.json | $(BUILD)/generated
	$(call say,GEN,$@){ printf 'R"json('; cat $<; printf ')json"'; } > $@

# --- C++ ---------------------------------------------------------------------------------

$(BUILD)/%.o: %.cpp | $(SKELETON) $(NAMES) $(SCHEMA)
	$(call say,CXX,$<)mkdir -p $(@D) && $(CXX) $(ALL_CXXFLAGS) -c $< -o $@

# What the tests do themselves need not be fast; half of their building time is saved.
$(BUILD)/tests/unit/%.o $(BUILD)/tests/kernel/%.o: ALL_CXXFLAGS += -O0

# The headers of C++ and of libraries, read once: they are most of what there is to read.
$(BUILD)/clang/headers.h: $(CHECKED:$(BUILD)/clang/%.ok=%) | $(BUILD)/clang
	$(Q)grep -hE '^#include <([a-z_]+|(CLI|nlohmann|fmt|gtest|prometheus)/.*)>' $(filter %.cpp,$^) | sort -u >$@.new
	$(Q)cmp -s $@.new $@ && touch -r $@ $@.new; mv $@.new $@

$(BUILD)/clang/headers.pch: $(BUILD)/clang/headers.h
	$(call say,CHECK,$<)$(CLANGXX) $(ALL_CXXFLAGS) -x c++-header $< -o $@

$(BUILD)/clang/%.cpp.ok: %.cpp $(BUILD)/clang/headers.pch | $(SKELETON) $(NAMES) $(SCHEMA)
	$(call say,CHECK,$<)mkdir -p $(@D) && $(CLANGXX) -fsyntax-only -include-pch $(BUILD)/clang/headers.pch \
		$(ALL_CXXFLAGS) -MF $(@:.ok=.d) -MT $@ $< && touch $@

$(BUILD)/clang/%.c.ok: %.c
	$(call say,CHECK,$<)mkdir -p $(@D) && $(CLANG) -fsyntax-only $(COMMON_FLAGS) -MF $(@:.ok=.d) -MT $@ $< && touch $@

# Its standard error only counts the warnings in the headers of others.
$(BUILD)/tidy/%.ok: % $(BUILD)/clang/%.ok .clang-tidy
	$(call say,TIDY,$<)mkdir -p $(@D) && clang-tidy --quiet $< -- -std=c++20 $(CPPFLAGS) 2>$(@:.ok=.log) || \
		{ cat $(@:.ok=.log) >&2; exit 1; }; touch $@

# The shorter stem wins over the pattern of $(BUILD)/%.o.
$(BUILD)/fuzz/%.o: %.cpp | $(SKELETON) $(NAMES) $(SCHEMA)
	$(call say,FUZZ,$<)mkdir -p $(@D) && $(CLANGXX) $(ALL_CXXFLAGS) -O1 $(FUZZ_FLAGS) -c $< -o $@

$(BUILD)/fuzz/%_fuzz: $(BUILD)/fuzz/tests/fuzz/%_fuzz.o $(FUZZED)
	$(call say,LINK,$@)$(CLANGXX) $(FUZZ_FLAGS) -fsanitize=fuzzer -o $@ $^ $(LIBS)

$(BUILD)/zctrace: $(BUILD)/cli/main.o $(CLI) $(COLLECTOR) $(TRANSFERS)
	$(call say,LINK,$@)$(CXX) $(SANITIZE) -o $@.new $^ $(LIBS) && mv $@.new $@

$(BUILD)/unit-tests: $(UNIT_TESTS) $(CLI) $(COLLECTOR) $(TRANSFERS)
	$(call say,LINK,$@)$(CXX) $(SANITIZE) -o $@ $^ -lgtest_main -lgtest $(LIBS)

$(BUILD)/kernel-tests: $(KERNEL_TESTS) $(COLLECTOR) $(TRANSFERS)
	$(call say,LINK,$@)$(CXX) $(SANITIZE) -o $@ $^ -lgtest_main -lgtest $(LIBS)

PROGRAM_FLAGS = -luring
$(BUILD)/programs/%_m32: PROGRAM_FLAGS = -m32
vpath %.c $(sort $(dir $(PROGRAM_SOURCES)))
$(BUILD)/programs/%: %.c tests/fixtures/programs/known.h | $(BUILD)/programs
	$(call say,CC,$<)$(CC) -O1 -g -Wall -Wextra -Werror -pthread $< -o $@ $(PROGRAM_FLAGS)

$(BUILD)/bench/%.skel.h: tests/bench/%.bpf.c | $(BUILD)/bench
	$(call say,CLANG,$<)$(CLANG) $(BPF_FLAGS) -I. -Ibpf -D__TARGET_ARCH_$(ARCH) -c $< -o $(@:.skel.h=.bpf.o) && \
		$(BPFTOOL) gen skeleton $(@:.skel.h=.bpf.o) name $*_bpf > $@

$(BUILD)/bench/floor $(BUILD)/bench/parts: $(BUILD)/bench/%: tests/bench/%.c $(BUILD)/bench/%.skel.h
	$(call say,CC,$<)$(CC) -O2 -g -Wall -Wextra -Werror -MMD -MP -I. -I$(BUILD)/bench $< -o $@ -lbpf -lelf -lz

$(BUILD)/bench/verified: tests/bench/verified.c | $(BUILD)/bench
	$(call say,CC,$<)$(CC) -O2 -g -Wall -Wextra -Werror -MMD -MP $< -o $@ -lbpf

$(BUILD)/bench/%: tests/bench/%.c | $(BUILD)/bench
	$(call say,CC,$<)$(CC) -O2 -g -Wall -Wextra -Werror -MMD -MP -pthread $< -o $@

$(BUILD)/bench/snapshot: $(BUILD)/tests/bench/snapshot.o $(COLLECTOR)
	$(call say,LINK,$@)$(CXX) $(SANITIZE) -o $@.new $^ $(LIBS) && mv $@.new $@

$(BUILD)/bpf $(BUILD)/bench $(BUILD)/bpf-arm64 $(BUILD)/clang $(BUILD)/cppcheck $(BUILD)/generated $(BUILD)/programs:
	$(Q)mkdir -p $@

# Not of the packages that are unpacked below it, nor of builds of other kinds.
-include $(shell find $(BUILD) \( -path $(MATRIX_TREE) -o -path $(BUILD)/programs \) -prune -o -name '*.d' -print 2>/dev/null)
