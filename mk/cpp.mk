# SPDX-License-Identifier: MIT
# The C++ sources. A new file needs no entry here: each folder is searched.
CPP_FOLDERS := cli collector transfers tests
cpp_files = $(sort $(shell find $(1) -name '*.cpp'))
objects = $(patsubst %.cpp,$(BUILD)/%.o,$(call cpp_files,$(1)))

NAMES := $(BUILD)/generated/syscall_names.inc
SCHEMAS := $(BUILD)/generated/json_schema.inc $(BUILD)/generated/diff_json_schema.inc \
	$(BUILD)/generated/fuse_json_schema.inc
# Every object may include these.
GENERATED := $(SKELETON) $(FUSE_WATCH_SKELETON) $(SENDERS_SKELETON) $(NAMES) $(SCHEMAS) $(PAGE)

# CLI11 is all inline: a file that includes it takes twice as long to compile with optimization.
# These only parse options and wait, so they are compiled without. They are linked last, because
# the linker keeps the first copy of an inline function, which must be an optimized one.
UNOPTIMIZED := $(call objects,cli/commands cli/options)
MAIN := $(BUILD)/cli/main.o
CLI := $(filter-out $(MAIN) $(UNOPTIMIZED),$(call objects,cli))
COLLECTOR := $(call objects,collector)
TRANSFERS := $(call objects,transfers)
# All but main(); the order is the linker's.
PROGRAM := $(CLI) $(COLLECTOR) $(TRANSFERS) $(UNOPTIMIZED)

$(UNOPTIMIZED): LEVEL = -O0

$(NAMES):
	$(call say,GEN,$@)mkdir -p $(@D) && echo '#include <sys/syscall.h>' | $(CXX) -E -dM -x c - | \
		sed -n 's/^#define SYS_\([a-z0-9_]*\) .*/{SYS_\1, "\1"},/p' | sort > $@

# String literals, which json_schema.cpp and its like include.
$(BUILD)/generated/json_schema.inc: schema/zctrace-2.schema.json
$(BUILD)/generated/diff_json_schema.inc: schema/zctrace-diff-1.schema.json
$(BUILD)/generated/fuse_json_schema.inc: schema/zctrace-fuse-1.schema.json
$(SCHEMAS):
	$(call say,GEN,$@)mkdir -p $(@D) && { printf 'R"json('; cat $<; printf ')json"'; } > $@

$(BUILD)/%.o: %.cpp | $(GENERATED)
	$(call say,CXX,$<)mkdir -p $(@D) && $(CXX) $(ALL_CXXFLAGS) -c $< -o $@

# A running zctrace can be replaced, but not written to.
$(BUILD)/zctrace: $(MAIN) $(PROGRAM)
	$(call say,LINK,$@)$(CXX) $(CXXFLAGS) $(LDFLAGS) -o $@.new $^ $(LIBS) && mv $@.new $@

# Objects that contain the version.
$(patsubst %.cpp,$(BUILD)/%.o,$(shell grep -rl ZCTRACE_VERSION --include='*.cpp' cli collector)): VERSION
