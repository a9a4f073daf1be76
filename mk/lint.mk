# SPDX-License-Identifier: MIT
# Checks that run nothing: formatting, a second compiler, cppcheck, clang-tidy.
FORMATTED = $(sort $(shell find $(CPP_FOLDERS) -name '*.cpp' -o -name '*.h'))
# The benchmarks with a skeleton of their own are left out.
# clang compiles the tests of units and of the kernel's programs anyway.
CHECKED := $(patsubst %,$(BUILD)/clang/%.ok,$(filter-out tests/unit/% tests/kernel/%,$(call cpp_files,$(CPP_FOLDERS))) \
	$(filter-out $(patsubst %.bpf.c,%%,$(wildcard tests/bench/*.bpf.c)),$(wildcard tests/bench/*.c)) \
	$(PROGRAM_SOURCES))
TIDIED := $(patsubst $(BUILD)/clang/%,$(BUILD)/tidy/%,$(filter-out $(BUILD)/clang/tests/%,$(CHECKED)))
scripts_in = $(shell grep -rlE '^$(1)' --exclude-dir=__pycache__ scripts tests packaging .ci)
PYTHON_SOURCES = $(sort $(call scripts_in,\#!/usr/bin/python3) $(shell find scripts tests packaging -name '*.py'))
SHELL_SOURCES = $(sort $(call scripts_in,\#!/bin/(ba)?sh))

.PHONY: lint clang-check cppcheck format-check page-check tidy
lint: format-check clang-check cppcheck page-check

clang-check: $(CHECKED) $(UNIT_TESTS) $(KERNEL_TESTS)  ## Compile everything with clang++ too; a warning is an error

cppcheck:  ## Check the sources with cppcheck
	$(call say,CPPCHECK,'cli collector transfers')mkdir -p $(BUILD)/cppcheck && \
		cppcheck --quiet --std=c++20 --language=c++ -I. \
		--enable=warning,performance,portability --error-exitcode=1 --inline-suppr \
		--suppressions-list=scripts/cppcheck-suppressions --cppcheck-build-dir=$(BUILD)/cppcheck \
		-j $(JOBS) cli collector transfers

format:  ## Format the C++ sources in place (bpf/ keeps the kernel's style)
	$(Q)clang-format -i $(FORMATTED)

format-check:  ## Check that `make format` would change nothing
	$(call say,FORMAT,'$(CPP_FOLDERS)')clang-format --dry-run --Werror $(FORMATTED)

# d3-sankey is as it was published.
page-check:  ## Check the scripts of the page with node
	$(call say,CHECK,'$(PAGE_FOLDER)')for script in $$(find $(PAGE_FOLDER) -name '*.js'); do \
		node --input-type=module --check < $$script || { echo "in $$script" >&2; exit 1; }; done

tidy: packages-tidy  ## Check the sources with clang-tidy, cppcheck, pyflakes and shellcheck
	$(Q)$(SUBMAKE) cppcheck $(TIDIED)
	$(Q)pyflakes3 $(PYTHON_SOURCES)
	$(Q)shellcheck -S warning $(SHELL_SOURCES)

# For clangd and other tools that read the sources.
compile_commands.json: $(GENERATED) FORCE  ## Write compile_commands.json for editors
	$(call say,GEN,$@)scripts/compile-commands "$(CURDIR)" \
		$(call cpp_files,$(CPP_FOLDERS)) -- $(CXX) $(ALL_CXXFLAGS) > $@
FORCE:

$(CHECKED): LEVEL = -O0
$(BUILD)/clang/%.cpp.ok: %.cpp $(TEST_HEADERS) | $(GENERATED)
	$(call say,CHECK,$<)mkdir -p $(@D) && $(CLANGXX) -fsyntax-only $(TEST_HEADERS:%=-include-pch %) \
		$(ALL_CXXFLAGS) -MF $(@:.ok=.d) -MT $@ $< && touch $@

$(BUILD)/clang/%.c.ok: %.c
	$(call say,CHECK,$<)mkdir -p $(@D) && $(CLANG) -fsyntax-only $(COMPILE_FLAGS) -MF $(@:.ok=.d) -MT $@ $< && touch $@

# On standard error clang-tidy only counts the warnings that it suppressed.
$(BUILD)/tidy/%.ok: % $(BUILD)/clang/%.ok .clang-tidy
	$(call say,TIDY,$<)mkdir -p $(@D) && clang-tidy --quiet $< -- -std=c++20 $(LIB_CPPFLAGS) $(ZC_CPPFLAGS) 2>$(@:.ok=.log) || \
		{ cat $(@:.ok=.log) >&2; exit 1; }; touch $@
