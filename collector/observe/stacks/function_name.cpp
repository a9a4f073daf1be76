// SPDX-License-Identifier: MIT
#include "collector/observe/stacks/function_name.h"

#include <algorithm>
#include <csetjmp>
#include <cstring>
#include <utility>

// Keeps a header of libiberty from declaring the C library's basename() differently.
#define HAVE_DECL_BASENAME 1
#include <libiberty/demangle.h>

namespace zctrace {
namespace {

// The demanglers need time and memory that grow with the name, or faster.
constexpr std::size_t kLongestMangled = 4096;
// Each conversion operator in the template arguments of another one doubles the time of C++'s
// demangler.
constexpr std::size_t kMostConversions = 12;

// A name as far as it is kept.
struct PlainName {
  char text[kFunctionNameBytes + 1];
  std::size_t bytes;
  std::jmp_buf full;
};

// A short name can stand for one of any length, because parts of it can refer to others. So nothing
// but a jump ends it in time; the demanglers have no memory that would have to be freed, except for
// identifiers of Rust that are not ASCII.
void add(const char* part, std::size_t bytes, void* argument) {
  if (bytes == 0) return;  // an identifier that is empty has no address
  auto* const name = static_cast<PlainName*>(argument);
  const std::size_t left = sizeof(name->text) - name->bytes;
  std::memcpy(name->text + name->bytes, part, std::min(bytes, left));
  name->bytes += std::min(bytes, left);
  if (bytes >= left) std::longjmp(name->full, 1);
}

// libiberty's functions: they return 0 if the symbol is not theirs.
using Demangler = int(const char*, int, demangle_callbackref, void*);

// "" if it is not a symbol of that language.
std::string plain_name(Demangler& demangle, const std::string& symbol) {
  PlainName name;
  name.bytes = 0;
  // NOLINTNEXTLINE(cert-err52-cpp): C is between here and add()
  if (setjmp(name.full) == 0 && demangle(symbol.c_str(), DMGL_PARAMS, add, &name) == 0) return {};
  return {name.text, name.bytes};
}

bool is_digit_of_rust(char c) {
  return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}

// Whether the type of a function or a trait object ("FG2_", "DG2_") names more than 62 lifetimes.
// The demangler counts up to their number, which can be 2^64, even where it prints nothing.
bool has_many_lifetimes(std::string_view symbol) {
  for (std::size_t at = 1; at < symbol.size(); ++at) {
    if (symbol[at] != 'G' || (symbol[at - 1] != 'F' && symbol[at - 1] != 'D')) continue;
    const std::string_view rest = symbol.substr(at + 1);
    const auto end = std::find_if_not(rest.begin(), rest.end(), is_digit_of_rust);
    if (end != rest.end() && *end == '_' && end - rest.begin() > 1) return true;
  }
  return false;
}

std::size_t conversions_in(std::string_view symbol) {
  std::size_t found = 0;
  for (std::size_t at = symbol.find("cv"); at != symbol.npos; at = symbol.find("cv", at + 2))
    ++found;
  return found;
}

// "" if it is neither a symbol of Rust nor one of C++, or one that would take too long.
std::string demangled(const std::string& symbol) {
  if (symbol.size() > kLongestMangled) return {};
  // Rust's first, because its older names look like those of C++.
  if (!symbol.starts_with("_R") || !has_many_lifetimes(symbol))
    if (std::string name = plain_name(rust_demangle_callback, symbol); !name.empty()) return name;
  if (!symbol.starts_with("_Z") || conversions_in(symbol) > kMostConversions) return {};
  return plain_name(cplus_demangle_v3_callback, symbol);
}

}  // namespace

std::string function_name(std::string_view symbol) {
  if (const std::size_t version = symbol.find('@'); version != 0)
    symbol = symbol.substr(0, version);
  std::string name(symbol);
  if (symbol.starts_with("_Z") || symbol.starts_with("_R"))
    if (std::string plain = demangled(name); !plain.empty()) name = std::move(plain);
  if (name.size() > kFunctionNameBytes) {
    name.resize(kFunctionNameBytes);
    name += "…";
  }
  return name;
}

}  // namespace zctrace
