# SPDX-License-Identifier: MIT
# The fuzz targets, compiled by clang with sanitizers. Which sources a target needs is not listed:
# it is linked against an archive of the ordinary objects first, and the linker names those it
# takes. Only these are compiled again.
FUZZ := $(patsubst tests/fuzz/%.cpp,$(BUILD)/fuzz/%,$(wildcard tests/fuzz/*_fuzz.cpp))
FUZZ_FLAGS := -fsanitize=fuzzer-no-link,address,undefined -fno-sanitize-recover=all
FUZZ_NEEDS := $(FUZZ:=.mk)

.PHONY: fuzz fuzz-targets fuzz-link
fuzz: packages-test  ## Run each fuzz target for FUZZ_S (60) seconds with a new seed (or FUZZ_SEED)
	$(Q)$(SUBMAKE) fuzz-targets
	$(Q)FUZZ_S=$(or $(FUZZ_S),60) FUZZ_SEED=$(or $(FUZZ_SEED),0) scripts/check $(BUILD) fuzz

fuzz-targets: $(FUZZ_NEEDS)
	$(Q)$(MAKE) --no-print-directory fuzz-link

fuzz-link: $(FUZZ)
ifneq ($(filter fuzz-link,$(MAKECMDGOALS)),)
include $(FUZZ_NEEDS)
endif

# A thin archive: the linker's trace then names the objects' paths. They are relative to the
# archive, which must lie in $(BUILD) for them to begin with it.
$(BUILD)/ordinary.a: $(PROGRAM)
	$(call say,AR,$@)mkdir -p $(@D) && rm -f $@ && ar rcsT $@ $^

$(BUILD)/fuzz/%_fuzz.mk: $(BUILD)/fuzz/tests/fuzz/%_fuzz.o $(BUILD)/ordinary.a
	$(call say,GEN,$@)$(CLANGXX) $(FUZZ_FLAGS) -fsanitize=fuzzer -o $(@:.mk=.ordinary) $^ $(LIBS) -Wl,--trace > $(@:.mk=.trace) && \
		rm $(@:.mk=.ordinary) && \
		sed -n 's,.*$(BUILD)/\(\(cli\|collector\|transfers\)/[^()]*\.o\).*,$(@:.mk=): $(BUILD)/fuzz/\1,p' \
		$(@:.mk=.trace) > $@

# The shorter stem wins over the pattern of $(BUILD)/%.o.
$(BUILD)/fuzz/%.o: LEVEL = -O1
$(BUILD)/fuzz/%.o: %.cpp $(FUZZ_HEADERS) | $(GENERATED)
	$(call say,FUZZ,$<)mkdir -p $(@D) && $(CLANGXX) $(ALL_CXXFLAGS) $(FUZZ_FLAGS) -include-pch $(FUZZ_HEADERS) -c $< -o $@

$(BUILD)/fuzz/%_fuzz: $(BUILD)/fuzz/tests/fuzz/%_fuzz.o
	$(call say,LINK,$@)$(CLANGXX) $(FUZZ_FLAGS) -fsanitize=fuzzer -o $@ $^ $(LIBS)
