// SPDX-License-Identifier: MIT
// A record that a forked child writes and its parent reads.
#pragma once

#include <new>
#include <type_traits>

#include "transfers/error.h"
#include "transfers/methods/region.h"

namespace zctrace::transfers {

// Owns one T in a MAP_SHARED page, which keeps whatever the child stored before it died.
// The parent reads it only after it has reaped the child, so no lock is needed.
template <typename T>
class SharedRecord {
  static_assert(std::is_trivially_copyable_v<T> && std::is_trivially_destructible_v<T>);

 public:
  SharedRecord() {
    void* page =
        ::mmap(nullptr, sizeof(T), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    if (page == MAP_FAILED) throw SetupError(errno, "map a page shared with a child");
    region_ = Region(page, sizeof(T));
    new (page) T{};
  }
  T* get() const { return reinterpret_cast<T*>(region_.begin()); }
  T* operator->() const { return get(); }

 private:
  Region region_;
};

}  // namespace zctrace::transfers
