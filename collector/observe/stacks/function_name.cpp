// SPDX-License-Identifier: MIT
#include "collector/observe/stacks/function_name.h"

#include <cxxabi.h>

#include <cctype>
#include <cstdlib>
#include <memory>
#include <utility>

namespace zctrace {
namespace {

// The demangler needs time and memory that grow with the name, or faster.
constexpr std::size_t kLongestMangled = 4096;

// Rust adds a hash to each name, as if it were a function in a namespace: "::h", 16 digits.
constexpr std::size_t kRustHash = 19;

bool has_rust_hash(std::string_view name) {
  if (name.size() <= kRustHash) return false;
  name = name.substr(name.size() - kRustHash);
  if (!name.starts_with("::h")) return false;
  for (const char digit : name.substr(3))
    if (std::isxdigit(static_cast<unsigned char>(digit)) == 0) return false;
  return true;
}

// In symbols Rust writes what an identifier cannot contain as "$LT$", and "::" as "..".
std::string rust_name(std::string name) {
  constexpr std::pair<std::string_view, std::string_view> kEscapes[] = {
      {"$LT$", "<"},  {"$GT$", ">"},  {"$RF$", "&"},  {"$BP$", "*"},
      {"$LP$", "("},  {"$RP$", ")"},  {"$C$", ","},   {"$SP$", "@"},
      {"$u20$", " "}, {"$u27$", "'"}, {"$u5b$", "["}, {"$u5d$", "]"},
      {"$u7b$", "{"}, {"$u7d$", "}"}, {"$u7e$", "~"}, {"..", "::"},
  };
  for (const auto& [escape, text] : kEscapes)
    for (std::size_t at = 0; (at = name.find(escape, at)) != std::string::npos; at += text.size())
      name.replace(at, escape.size(), text);
  if (name.starts_with("_<")) name.erase(0, 1);
  return name;
}

}  // namespace

std::string function_name(std::string_view symbol) {
  if (const std::size_t version = symbol.find('@'); version != 0)
    symbol = symbol.substr(0, version);
  std::string name(symbol);
  if (symbol.starts_with("_Z") && symbol.size() <= kLongestMangled) {
    int status = 0;
    const std::unique_ptr<char, void (*)(void*)> plain(
        abi::__cxa_demangle(name.c_str(), nullptr, nullptr, &status), std::free);
    if (status == 0 && plain) name = plain.get();
    if (has_rust_hash(name)) name = rust_name(name.substr(0, name.size() - kRustHash));
  }
  if (name.size() > kFunctionNameBytes) {
    name.resize(kFunctionNameBytes);
    name += "…";
  }
  return name;
}

}  // namespace zctrace
