// SPDX-License-Identifier: MIT
// Creates the large maps of an object in a thread, while the types of the kernel are read. A hash
// map of 65,536 entries takes the kernel a millisecond, and libbpf creates one after the other.
// These maps have no BTF: their values must hold no lock, timer or kptr.
#pragma once

#include <thread>
#include <vector>

#include "collector/os/descriptor.h"

struct bpf_map;
struct bpf_object;

namespace zctrace {

class EarlyMaps {
 public:
  // Begins with the hash maps that libbpf is to create. Their sizes must not change any more.
  // `object` must outlive this.
  explicit EarlyMaps(const bpf_object* object);
  EarlyMaps(const EarlyMaps&) = delete;
  EarlyMaps& operator=(const EarlyMaps&) = delete;

  // Has libbpf use them. Call it before the object is loaded. What could not be created is left to
  // libbpf, which then says why.
  void hand_over();

 private:
  struct Early {
    bpf_map* map;
    Descriptor created;
  };

  std::vector<Early> maps_;
  std::jthread thread_;  // fills maps_, and ends before they do
};

}  // namespace zctrace
