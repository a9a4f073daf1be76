// SPDX-License-Identifier: GPL-2.0
/*
 * Measures how long the programs at each tracepoint take that are attached between the first and
 * the second line of its input. For each further line it prints what it has measured since the
 * previous one: a line for each tracepoint, and an empty line.
 */
#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "run_times.skel.h"
#include "tests/bench/run_times.h"

#define NAME(number, name) [number] = #name,
static const char* const names[] = {RUN_TIMES_OF(NAME)};
// Each kernel has some of them. x86-64 has the vectors; arm64 has ipi_entry, and its timer is a
// device.
static const char* const interrupts[] = {
    "irq_handler_entry",   "local_timer_entry", "reschedule_entry",
    "call_function_entry", "irq_work_entry",    "call_function_single_entry",
    "softirq_entry",       "ipi_entry",         "thermal_apic_entry",
};
static struct bpf_program* programs[2][RUN_TIMES_TRACEPOINTS];

static int silent(enum libbpf_print_level level, const char* format, va_list arguments) {
  return level == LIBBPF_WARN && getenv("ZCTRACE_DEBUG") ? vfprintf(stderr, format, arguments) : 0;
}

static void fail(const char* what) {
  fprintf(stderr, "run_times: %s: %s\n", what, strerror(errno));
  exit(1);
}

// The kernel may lack a tracepoint.
static void attach_to(struct bpf_program* program, const char* tracepoint) {
  if (!bpf_program__attach_raw_tracepoint(program, tracepoint) && errno != ENOENT) fail(tracepoint);
}

static void attach(struct bpf_program** which) {
  for (int i = 0; i < RUN_TIMES_TRACEPOINTS; i++) attach_to(which[i], names[i]);
  puts("attached");
  fflush(stdout);
}

static void print_and_reset(int map) {
  const int cpus = libbpf_num_possible_cpus();
  struct run_times* const times = calloc(cpus, sizeof(*times));
  for (unsigned i = 0; i < RUN_TIMES_TRACEPOINTS; i++) {
    struct run_times all = {0};
    if (!times || bpf_map_lookup_elem(map, &i, times)) fail("cannot read the times");
    for (int cpu = 0; cpu < cpus; cpu++) {
      all.runs += times[cpu].runs;
      all.sum += times[cpu].sum;
      all.interrupted += times[cpu].interrupted;
      all.beyond += times[cpu].beyond;
      if (times[cpu].longest > all.longest) all.longest = times[cpu].longest;
      if (times[cpu].longest_alone > all.longest_alone)
        all.longest_alone = times[cpu].longest_alone;
    }
    printf("%s %llu %llu %llu %llu %llu %llu\n", names[i], all.runs, all.sum, all.longest,
           all.interrupted, all.longest_alone, all.beyond);
    memset(times, 0, cpus * sizeof(*times));
    if (bpf_map_update_elem(map, &i, times, BPF_ANY)) fail("cannot reset the times");
  }
  free(times);
  puts("");
  fflush(stdout);
}

int main(void) {
  char line[16];
  libbpf_set_print(silent);
  struct run_times_bpf* const skeleton = run_times_bpf__open();
  if (!skeleton) fail("cannot open the programs");
  for (int i = 0; i < RUN_TIMES_TRACEPOINTS; i++) {
    for (int after = 0; after < 2; after++) {
      char name[64];
      snprintf(name, sizeof(name), "%s_%s", after ? "after" : "before", names[i]);
      programs[after][i] = bpf_object__find_program_by_name(skeleton->obj, name);
      if (!programs[after][i]) fail(name);
      bpf_program__set_autoload(programs[after][i], true);
    }
  }
  if (run_times_bpf__load(skeleton)) fail("cannot load the programs");
  for (unsigned i = 0; i < sizeof(interrupts) / sizeof(*interrupts); i++)
    attach_to(skeleton->progs.interrupt, interrupts[i]);
  attach(programs[0]);
  if (fgets(line, sizeof(line), stdin)) attach(programs[1]);
  while (fgets(line, sizeof(line), stdin)) print_and_reset(bpf_map__fd(skeleton->maps.run_times));
  run_times_bpf__destroy(skeleton);
  return 0;
}
