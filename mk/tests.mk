# SPDX-License-Identifier: MIT
# Test programs and the builds with sanitizers.
UNIT_TESTS := $(call objects,tests/unit)
KERNEL_TESTS := $(call objects,tests/kernel)
# The folders only sort the sources; their names are unique.
PROGRAM_SOURCES := $(sort $(shell find tests/fixtures/programs -name '*.c'))
PROGRAMS := $(patsubst %.c,$(BUILD)/programs/%,$(notdir $(PROGRAM_SOURCES)))
ifneq ($(ARCH),x86)
PROGRAMS := $(filter-out %_m32,$(PROGRAMS))
endif

# The tests' own code need not be fast. clang, which the BPF programs need anyway, compiles it with
# precompiled headers in less than half of the time that g++ takes without.
$(UNIT_TESTS) $(KERNEL_TESTS): LEVEL = -O0
$(UNIT_TESTS) $(KERNEL_TESTS): $(BUILD)/%.o: %.cpp $(TEST_HEADERS) | $(GENERATED)
	$(call say,CXX,$<)mkdir -p $(@D) && $(TEST_CXX) $(ALL_CXXFLAGS) $(TEST_HEADERS:%=-include-pch %) -c $< -o $@

$(BUILD)/unit-tests: $(UNIT_TESTS) $(PROGRAM)
	$(call say,LINK,$@)$(CXX) $(CXXFLAGS) $(LDFLAGS) -o $@ $^ -lgtest_main -lgtest $(LIBS)

$(BUILD)/kernel-tests: $(KERNEL_TESTS) $(COLLECTOR) $(TRANSFERS)
	$(call say,LINK,$@)$(CXX) $(CXXFLAGS) $(LDFLAGS) -o $@ $^ -lgtest_main -lgtest $(LIBS)

PROGRAM_LIBS = -luring
$(BUILD)/programs/%_m32: PROGRAM_LIBS = -m32
$(BUILD)/programs/%_fuse: PROGRAM_LIBS = -lfuse3
$(BUILD)/programs/%: LEVEL = -O1
$(BUILD)/programs/stack_chain: LEVEL = -O1 -fomit-frame-pointer
vpath %.c $(sort $(dir $(PROGRAM_SOURCES)))
$(BUILD)/programs/%: %.c tests/fixtures/programs/known.h
	$(call say,CC,$<)mkdir -p $(@D) && $(CC) $(filter-out $(DEPENDENCIES),$(ALL_CFLAGS)) -pthread $< -o $@ $(PROGRAM_LIBS)

# In a copy of the tree and of what is built of it.
.PHONY: contributing-check
contributing-check: packages-test  ## Apply, build and test the examples of CONTRIBUTING.md (root; EXAMPLE=add-a-view for one)
	$(Q)$(SUBMAKE) $(BUILD)/zctrace
	$(Q)MAKE='$(MAKE)' CXX='$(CXX)' scripts/examples $(BUILD) $(EXAMPLE)

# Each sanitizer has a build tree of its own, for which one compiler makes all objects. A sanitizer's
# report fails the test that caused it.
comma := ,
define sanitized
	$(Q)$(SUBMAKE) BUILD=$(BUILD)/$(1) OPTIMIZE=-O1 CXXFLAGS='-fno-omit-frame-pointer $(2)' \
		TEST_CXX='$(CXX)' TEST_HEADERS= tests
	$(Q)ZCTRACE_SANITIZER=$(3) $(4) scripts/check $(BUILD)/$(1) unit kernel cli
endef

.PHONY: asan tsan
asan: packages-test  ## Run the tests with the address, leak and undefined behaviour sanitizers
	$(call sanitized,asan,-fsanitize=address$(comma)undefined -fno-sanitize-recover=all,address)

# Without address randomization: more than 28 random bits (vm.mmap_rnd_bits, 32 on some kernels)
# leave no space for the shadow memory of GCC 12's runtime.
tsan: packages-test  ## Run the tests with the thread sanitizer
	$(call sanitized,tsan,-fsanitize=thread,thread,setarch -R)
