# SPDX-License-Identifier: MIT
# The headers of libraries take most of a compilation, so clang parses them once: for the tests and
# for the checks of lint, and with sanitizers for the fuzz targets. Our own headers are not among
# them; a change of one compiles again only what includes it.
PRECOMPILED_FOR := $(call cpp_files,cli collector transfers tests)
TEST_HEADERS ?= $(BUILD)/clang/headers.pch
FUZZ_HEADERS := $(BUILD)/fuzz/headers.pch

$(BUILD)/clang/headers.h: $(PRECOMPILED_FOR)
	$(Q)mkdir -p $(@D) && grep -hE '^#include <([a-z_]+|(CLI|nlohmann|fmt|gtest|prometheus)/.*)>' $^ | sort -u >$@.new
	$(Q)cmp -s $@.new $@ && touch -r $@ $@.new; mv $@.new $@

$(BUILD)/clang/headers.pch: LEVEL = -O0
$(BUILD)/clang/headers.pch: $(BUILD)/clang/headers.h
	$(call say,HEADERS,$@)$(TEST_CXX) $(ALL_CXXFLAGS) -fpch-instantiate-templates -x c++-header $< -o $@

$(FUZZ_HEADERS): LEVEL = -O1
$(FUZZ_HEADERS): $(BUILD)/clang/headers.h
	$(call say,HEADERS,$@)mkdir -p $(@D) && $(CLANGXX) $(ALL_CXXFLAGS) $(FUZZ_FLAGS) -fpch-instantiate-templates -x c++-header $< -o $@
