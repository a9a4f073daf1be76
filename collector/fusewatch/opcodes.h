// SPDX-License-Identifier: MIT
// The names of FUSE's opcodes.
#pragma once

#include <cstdint>
#include <string>

namespace zctrace::fusewatch {

constexpr std::uint32_t kRead = 15;
constexpr std::uint32_t kWrite = 16;

// "read", "copy_file_range"; "opcode 99" for one that this version of zctrace does not know.
std::string opcode_name(std::uint32_t opcode);

// Whether requests of this kind move bytes of files.
bool moves_bytes(std::uint32_t opcode);

}  // namespace zctrace::fusewatch
