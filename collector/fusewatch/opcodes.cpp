// SPDX-License-Identifier: MIT
// The numbers are those of linux/fuse.h in Linux 6.18, spelled out because older headers lack some.
#include "collector/fusewatch/opcodes.h"

#include <algorithm>
#include <iterator>
#include <utility>

namespace zctrace::fusewatch {
namespace {

constexpr std::uint32_t kCopyFileRange = 47;
constexpr std::uint32_t kCopyFileRange64 = 53;

constexpr std::pair<std::uint32_t, const char*> kNames[] = {
    {0, "others"},        {1, "lookup"},
    {2, "forget"},        {3, "getattr"},
    {4, "setattr"},       {5, "readlink"},
    {6, "symlink"},       {8, "mknod"},
    {9, "mkdir"},         {10, "unlink"},
    {11, "rmdir"},        {12, "rename"},
    {13, "link"},         {14, "open"},
    {kRead, "read"},      {kWrite, "write"},
    {17, "statfs"},       {18, "release"},
    {20, "fsync"},        {21, "setxattr"},
    {22, "getxattr"},     {23, "listxattr"},
    {24, "removexattr"},  {25, "flush"},
    {26, "init"},         {27, "opendir"},
    {28, "readdir"},      {29, "releasedir"},
    {30, "fsyncdir"},     {31, "getlk"},
    {32, "setlk"},        {33, "setlkw"},
    {34, "access"},       {35, "create"},
    {36, "interrupt"},    {37, "bmap"},
    {38, "destroy"},      {39, "ioctl"},
    {40, "poll"},         {41, "notify_reply"},
    {42, "batch_forget"}, {43, "fallocate"},
    {44, "readdirplus"},  {45, "rename2"},
    {46, "lseek"},        {kCopyFileRange, "copy_file_range"},
    {48, "setupmapping"}, {49, "removemapping"},
    {50, "syncfs"},       {51, "tmpfile"},
    {52, "statx"},        {kCopyFileRange64, "copy_file_range_64"},
    {4096, "cuse_init"},
};

}  // namespace

std::string opcode_name(std::uint32_t opcode) {
  const auto* const found = std::find_if(std::begin(kNames), std::end(kNames),
                                         [&](const auto& name) { return name.first == opcode; });
  return found != std::end(kNames) ? found->second : "opcode " + std::to_string(opcode);
}

bool moves_bytes(std::uint32_t opcode) {
  return opcode == kRead || opcode == kWrite || opcode == kCopyFileRange ||
         opcode == kCopyFileRange64;
}

}  // namespace zctrace::fusewatch
