// SPDX-License-Identifier: MIT
// From the names of symbols to those in the source.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>

namespace zctrace {

// The longest name that is kept. Compilers make names of many kilobytes out of templates.
constexpr std::size_t kFunctionNameBytes = 512;

// "_ZN3foo3barEv" is "foo::bar()", and Rust's "_ZN3foo3bar17h0123456789abcdefE" and "_RNvC3foo3bar"
// are "foo::bar".
// "memcpy@@GLIBC_2.14" is "memcpy". Other names stay as they are, cut after kFunctionNameBytes.
std::string function_name(std::string_view symbol);

}  // namespace zctrace
