// SPDX-License-Identifier: MIT
// Prints how many instructions the verifier walked for each loaded BPF program: run it under
// zctrace to see zctrace's own.
#include <bpf/bpf.h>
#include <stdio.h>
#include <unistd.h>

int main(void) {
  unsigned long sum = 0;
  __u32 id = 0;
  while (bpf_prog_get_next_id(id, &id) == 0) {
    struct bpf_prog_info info = {0};
    __u32 size = sizeof(info);
    const int program = bpf_prog_get_fd_by_id(id);
    if (program < 0) continue;
    if (bpf_obj_get_info_by_fd(program, &info, &size) == 0) {
      printf("%s %u\n", info.name, info.verified_insns);
      sum += info.verified_insns;
    }
    close(program);
  }
  printf("verified instructions: %lu\n", sum);
  return sum == 0;
}
