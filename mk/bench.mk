# SPDX-License-Identifier: MIT
# Benchmarks, the soak test, and the transcripts of the documents.
BENCH := $(addprefix $(BUILD)/bench/,loop switches floor parts crowd snapshot run_times rt_wait)

.PHONY: bench soak readme screenshots
bench: packages-bench  ## Measure the cost of observing beside strace, perf, bpftrace and syscount
	$(Q)$(SUBMAKE) all $(BENCH)
	$(Q)ZCTRACE_BUILD=$(BUILD) tests/bench/overhead.py --json $(BUILD)/bench/overhead.json $(BENCH_OPTIONS)
	$(Q)tests/bench/fuse_bench --build $(BUILD)
	$(Q)$(SUBMAKE) tests
	$(Q)ZCTRACE_BUILD=$(BUILD) tests/bench/longest_run.py
	$(Q)ZCTRACE_BUILD=$(BUILD) tests/bench/scrape.py

soak: packages-soak  ## Run attach and export under load for ZCTRACE_SOAK_S (1800) seconds, then kills, stops, stress-ng, fsx and fio for about as long again
	$(Q)$(SUBMAKE) tests $(BUILD)/soak/fsx
	$(Q)ZCTRACE_TIMING_OBSERVATIONS=200 scripts/check $(BUILD) kernel -k TheErrorHoldsAsOftenAsItSays
	$(Q)ZCTRACE_BUILD=$(BUILD) tests/bench/soak
	$(Q)ZCTRACE_BUILD=$(BUILD) tests/soak/endurance
	$(Q)ZCTRACE_SOAK_S=60 scripts/check $(BUILD) cli -k '*fio*'

readme: packages-readme  ## Record every transcript in README.md and docs/ again (root, on an idle machine)
	$(Q)$(SUBMAKE) all
	$(Q)ZCTRACE_BUILD=$(BUILD) scripts/readme

screenshots: packages-test  ## Take the pictures in docs/images again (root, on an idle machine)
	$(Q)$(SUBMAKE) all
	$(Q)ZCTRACE_BUILD=$(BUILD) scripts/screenshots

$(BUILD)/bench/%.skel.h: tests/bench/%.bpf.c
	$(call say,CLANG,$<)mkdir -p $(@D) && \
		$(CLANG) $(BPF_FLAGS) -I. -Ibpf -D__TARGET_ARCH_$(ARCH) -c $< -o $(@:.skel.h=.bpf.o) && \
		$(BPFTOOL) gen skeleton $(@:.skel.h=.bpf.o) name $*_bpf > $@

$(addprefix $(BUILD)/bench/,floor parts run_times): $(BUILD)/bench/%: tests/bench/%.c $(BUILD)/bench/%.skel.h
	$(call say,CC,$<)$(CC) $(ALL_CFLAGS) -I. -I$(BUILD)/bench $< -o $@ -lbpf -lelf -lz

$(BUILD)/soak/fsx: tests/soak/fsx.c
	$(call say,CC,$<)mkdir -p $(@D) && $(CC) $(ALL_CFLAGS) $< -o $@

BENCH_LIBS = -pthread
$(BUILD)/bench/verified: BENCH_LIBS = -lbpf
$(BUILD)/bench/%: tests/bench/%.c
	$(call say,CC,$<)mkdir -p $(@D) && $(CC) $(ALL_CFLAGS) $< -o $@ $(BENCH_LIBS)

$(BUILD)/bench/snapshot: $(BUILD)/tests/bench/snapshot.o $(COLLECTOR)
	$(call say,LINK,$@)mkdir -p $(@D) && $(CXX) $(CXXFLAGS) $(LDFLAGS) -o $@ $^ $(LIBS)
