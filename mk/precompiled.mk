# SPDX-License-Identifier: MIT
# The headers of libraries take most of a compilation, so clang parses them once: for the tests and
# for the checks of lint, and with sanitizers for the fuzz targets. Our own headers are not among
# them; a change of one compiles again only what includes it.
TEST_HEADERS ?= $(BUILD)/precompiled/tests.pch
FUZZ_HEADERS := $(BUILD)/precompiled/fuzz.pch

$(BUILD)/precompiled/headers.h: $(call cpp_files,$(CPP_FOLDERS))
	$(Q)mkdir -p $(@D) && grep -hE '^#include <([a-z_]+|(CLI|nlohmann|fmt|gtest|prometheus)/.*)>' $^ | sort -u >$@.new
	$(Q)cmp -s $@.new $@ && touch -r $@ $@.new; mv $@.new $@

$(BUILD)/precompiled/tests.pch: LEVEL = -O0
$(BUILD)/precompiled/tests.pch: $(BUILD)/precompiled/headers.h
	$(call say,HEADERS,$@)$(TEST_CXX) $(ALL_CXXFLAGS) -fpch-instantiate-templates -x c++-header $< -o $@

$(FUZZ_HEADERS): LEVEL = -O1
$(FUZZ_HEADERS): $(BUILD)/precompiled/headers.h
	$(call say,HEADERS,$@)$(CLANGXX) $(ALL_CXXFLAGS) $(FUZZ_FLAGS) -fpch-instantiate-templates -x c++-header $< -o $@
