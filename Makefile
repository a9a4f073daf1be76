# SPDX-License-Identifier: MIT
# `make help` lists the targets. Everything that is built goes into build/.
VERSION := $(shell cat VERSION)
PREFIX ?= /usr/local
BUILD ?= build
JOBS ?= $(shell nproc)

.DELETE_ON_ERROR:
.SECONDARY:
.SUFFIXES:
.PHONY: all tests demo check unit-check kernel-check cli-check install uninstall format clean help

all:  ## Build build/zctrace, its man pages and completions (the default)

include mk/packages.mk
include mk/flags.mk
include mk/bpf.mk
include mk/page.mk
include mk/cpp.mk
include mk/precompiled.mk
include mk/tests.mk
include mk/fuzz.mk
include mk/lint.mk
include mk/programs.mk
include mk/bench.mk
include mk/matrix.mk
include mk/documents.mk
include mk/install.mk
include mk/packaging.mk

all: $(BUILD)/zctrace reference

tests: $(BUILD)/zctrace $(BUILD)/unit-tests $(BUILD)/kernel-tests $(PROGRAMS) $(ARM64_OBJECTS) programs  ## Build the program and its tests

demo: packages-build  ## Install what the build needs, build, compare the methods and observe a cp
	$(Q)$(SUBMAKE) all
	$(Q)scripts/demo $(BUILD)/zctrace

check: packages-test  ## Install what the tests need, build and run every test (TEST='*pattern*' for some)
	$(Q)$(SUBMAKE) $(if $(TEST),tests,tests fuzz-targets)
	$(Q)scripts/check $(BUILD) $(if $(TEST),-k '$(TEST)')

unit-check: $(BUILD)/unit-tests  ## Build and run the tests that need neither root nor BPF
	$(Q)scripts/check $(BUILD) unit

kernel-check: all $(BUILD)/kernel-tests $(PROGRAMS)  ## Run the tests of the BPF programs (root)
	$(Q)scripts/check $(BUILD) kernel

cli-check: all $(PROGRAMS) programs  ## Run the tests of the program as a user runs it (root)
	$(Q)scripts/check $(BUILD) cli

clean:  ## Remove build/
	rm -rf $(BUILD)

help:  ## Show this list
	@sed -n 's/^\([a-z0-9-]*\):.*##  *\(.*\)/  \1\t\2/p' $(filter-out %.d,$(MAKEFILE_LIST)) | sort | expand -t 22
	@echo '  V=1 prints the commands. mk/flags.mk lists the variables: CXX, CXXFLAGS, LDFLAGS, WERROR=, PREFIX, DESTDIR'

# Neither unpacked packages, nor packages of ours, nor builds of other kinds are searched for dependencies.
-include $(shell find $(BUILD) \( -path $(MATRIX_TREE) -o -path $(BUILD)/programs -o -path $(DEB) -o -path $(RPM) \
	-o -path $(TARBALL) -o -path $(BUILD)/package-check -o -path $(IMAGE) -o -path $(BUILD)/examples \) -prune -o -name '*.d' -print 2>/dev/null)
