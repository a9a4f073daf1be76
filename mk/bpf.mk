# SPDX-License-Identifier: MIT
# The BPF programs: one object for each source, linked into one, embedded as a skeleton header.

# Files that define what others declare extern come first: libbpf 1.1's linker takes a map's
# place from the first object that names it.
BPF_OBJECTS := $(addprefix $(BUILD)/bpf/,config.bpf.o maps.bpf.o tasks.bpf.o identity/pids.bpf.o \
	kinds.bpf.o sockets.bpf.o calls/compat.bpf.o channels/channels.bpf.o channels/names.bpf.o \
	channels/mapped.bpf.o channels/retransmits.bpf.o pipes.bpf.o calls/clones.bpf.o \
	requests/aio.bpf.o requests/aio_submit.bpf.o calls/calls.bpf.o calls/bytes.bpf.o \
	calls/messages.bpf.o calls/copies.bpf.o rows.bpf.o relays/relays.bpf.o stacks/stacks.bpf.o \
	accounts.bpf.o targets.bpf.o calls/sampling.bpf.o \
	calls/syscalls.bpf.o lifecycle.bpf.o sched.bpf.o requests/uring.bpf.o walk.bpf.o \
	calls/unaccounted.bpf.o profile.bpf.o)
# An object of its own, so that `zctrace fuse` loads nothing else.
FUSE_WATCH_OBJECTS := $(BUILD)/bpf/fuse/fuse.bpf.o
# And one for `zctrace mount`.
SENDERS_OBJECT := $(BUILD)/bpf/fuse/senders.bpf.o
# Only compiled: an x86 machine finds out whether the programs still build for arm64.
ARM64_OBJECTS := $(patsubst $(BUILD)/bpf/%,$(BUILD)/bpf-arm64/%,$(BPF_OBJECTS) $(FUSE_WATCH_OBJECTS) $(SENDERS_OBJECT))
SKELETON := $(BUILD)/generated/zctrace.skel.h
FUSE_WATCH_SKELETON := $(BUILD)/generated/fuse_watch.skel.h
SENDERS_SKELETON := $(BUILD)/generated/senders.skel.h

$(BUILD)/bpf/%.bpf.o: bpf/%.bpf.c
	$(call say,CLANG,$<)mkdir -p $(@D) && $(CLANG) $(BPF_FLAGS) -D__TARGET_ARCH_$(ARCH) -c $< -o $@

$(BUILD)/bpf-arm64/%.bpf.o: bpf/%.bpf.c
	$(call say,CLANG,'$< (arm64)')mkdir -p $(@D) && $(CLANG) $(BPF_FLAGS) -D__TARGET_ARCH_arm64 -c $< -o $@

$(BUILD)/zctrace.bpf.o: $(BPF_OBJECTS)
	$(call say,LINK,$@)$(BPFTOOL) gen object $@ $^

$(BUILD)/fuse_watch.bpf.o: $(FUSE_WATCH_OBJECTS)
	$(call say,LINK,$@)$(BPFTOOL) gen object $@ $^

$(FUSE_WATCH_SKELETON): $(BUILD)/fuse_watch.bpf.o
	$(call say,SKEL,$@)mkdir -p $(@D) && $(BPFTOOL) gen skeleton $< name fuse_watch_bpf > $@

$(SENDERS_SKELETON): $(SENDERS_OBJECT)
	$(call say,SKEL,$@)mkdir -p $(@D) && $(BPFTOOL) gen skeleton $< name senders_bpf > $@

$(SKELETON): $(BUILD)/zctrace.bpf.o
	$(call say,SKEL,$@)mkdir -p $(@D) && $(BPFTOOL) gen skeleton $< name zctrace_bpf > $@
