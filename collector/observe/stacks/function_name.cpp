// SPDX-License-Identifier: MIT
#include "collector/observe/stacks/function_name.h"

#include <cxxabi.h>

#include <algorithm>
#include <csetjmp>
#include <cstdlib>
#include <cstring>
#include <memory>
#include <utility>

// Keeps a header of libiberty from declaring the C library's basename() differently.
#define HAVE_DECL_BASENAME 1
#include <libiberty/demangle.h>

namespace zctrace {
namespace {

// The demangler of C++ needs time and memory that grow with the name, or faster.
constexpr std::size_t kLongestMangled = 4096;

// A name as far as it is kept.
struct RustName {
  char text[kFunctionNameBytes + 1];
  std::size_t bytes;
  std::jmp_buf full;
};

// A short name of Rust can stand for one of any length, because parts of it can refer to others. So
// nothing but a jump ends it in time; the demangler has no memory that would have to be freed,
// except for identifiers that are not ASCII.
void add(const char* part, std::size_t bytes, void* argument) {
  if (bytes == 0) return;  // an identifier that is empty has no address
  auto* const name = static_cast<RustName*>(argument);
  const std::size_t left = sizeof(name->text) - name->bytes;
  std::memcpy(name->text + name->bytes, part, std::min(bytes, left));
  name->bytes += std::min(bytes, left);
  if (bytes >= left) std::longjmp(name->full, 1);
}

// "" if Rust did not make the symbol.
std::string rust_name(const char* symbol) {
  RustName name;
  name.bytes = 0;
  // NOLINTNEXTLINE(cert-err52-cpp): C is between here and add()
  if (setjmp(name.full) == 0 && ::rust_demangle_callback(symbol, 0, add, &name) == 0) return {};
  return {name.text, name.bytes};
}

std::string cplusplus_name(const char* symbol) {
  int status = 0;
  const std::unique_ptr<char, void (*)(void*)> plain(
      abi::__cxa_demangle(symbol, nullptr, nullptr, &status), std::free);
  return plain ? plain.get() : "";
}

}  // namespace

std::string function_name(std::string_view symbol) {
  if (const std::size_t version = symbol.find('@'); version != 0)
    symbol = symbol.substr(0, version);
  std::string name(symbol);
  const bool is_mangled = symbol.starts_with("_Z") || symbol.starts_with("_R");
  if (is_mangled && symbol.size() <= kLongestMangled) {
    // Rust's first, because its older names look like those of C++.
    std::string plain = rust_name(name.c_str());
    if (plain.empty()) plain = cplusplus_name(name.c_str());
    if (!plain.empty()) name = std::move(plain);
  }
  if (name.size() > kFunctionNameBytes) {
    name.resize(kFunctionNameBytes);
    name += "…";
  }
  return name;
}

}  // namespace zctrace
