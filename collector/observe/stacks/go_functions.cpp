// SPDX-License-Identifier: MIT
// The format is described in Go's sources, src/runtime/symtab.go and src/debug/gosym/pclntab.go.
#include "collector/observe/stacks/go_functions.h"

#include <algorithm>

#include "collector/observe/stacks/function_name.h"

namespace zctrace {
namespace {

constexpr std::uint32_t kGo116 = 0xfffffffa;
constexpr std::uint32_t kGo118 = 0xfffffff0;
constexpr std::uint32_t kGo120 = 0xfffffff1;

constexpr std::size_t kHeaderWords = 8;  // that follow the first eight bytes, of eight bytes each
constexpr std::size_t kWord = 8;
constexpr std::size_t kTextWord = 2;  // since Go 1.18

// Little-endian, as all processors that zctrace runs on. nullopt: not within `bytes`.
std::optional<std::uint64_t> number_at(std::string_view bytes, std::uint64_t offset,
                                       std::size_t size) {
  if (offset > bytes.size() || bytes.size() - offset < size) return std::nullopt;
  std::uint64_t number = 0;
  for (std::size_t i = size; i-- > 0;)
    number = number << 8 | static_cast<unsigned char>(bytes[offset + i]);
  return number;
}

std::string_view from(std::string_view bytes, std::uint64_t offset) {
  return offset < bytes.size() ? bytes.substr(offset) : std::string_view();
}

std::string_view contents(Elf_Scn* section) {
  const Elf_Data* const data = ::elf_rawdata(section, nullptr);
  if (data == nullptr || data->d_buf == nullptr) return {};
  return {static_cast<const char*>(data->d_buf), data->d_size};
}

// In a program whose addresses are chosen when it starts, the table has no address.
std::optional<std::uint64_t> relocation_of(Elf* elf, std::uint64_t address) {
  for (Elf_Scn* section = nullptr; (section = ::elf_nextscn(elf, section)) != nullptr;) {
    GElf_Shdr header;
    if (::gelf_getshdr(section, &header) == nullptr || header.sh_type != SHT_RELA) continue;
    const std::string_view relocations = contents(section);
    for (std::size_t at = 0; at + sizeof(Elf64_Rela) <= relocations.size();
         at += sizeof(Elf64_Rela)) {
      if (number_at(relocations, at, kWord) != address) continue;
      return number_at(relocations, at + offsetof(Elf64_Rela, r_addend), kWord);
    }
  }
  return std::nullopt;
}

}  // namespace

GoFunctions::GoFunctions(std::string_view table, std::optional<std::uint64_t> relocated_text) {
  const auto magic = number_at(table, 0, 4);
  std::uint64_t words[kHeaderWords] = {};
  for (std::size_t i = 0; i < kHeaderWords; i++) {
    const auto word = number_at(table, kWord + i * kWord, kWord);
    if (!word) return;
    words[i] = *word;
  }
  const bool is_offset = magic == kGo118 || magic == kGo120;
  const auto pointer_bytes = number_at(table, 7, 1);
  if ((!is_offset && magic != kGo116) || pointer_bytes != kWord) return;
  // How many functions and files; the code's address; where names, units, files, lines, functions
  // are.
  names_ = from(table, is_offset ? words[3] : words[2]);
  functions_ = from(table, is_offset ? words[7] : words[6]);
  text_ = !is_offset ? 0 : relocated_text.value_or(words[kTextWord]);
  word_bytes_ = is_offset ? 4 : kWord;
  // Behind the last entry is the end of the code.
  count_ = std::min<std::uint64_t>(words[0], functions_.size() / (2 * word_bytes_));
}

std::optional<GoFunctions::CodeEntry> GoFunctions::entry(std::uint64_t index) const {
  const std::uint64_t at = index * 2 * word_bytes_;
  const auto address = number_at(functions_, at, word_bytes_);
  const auto function = number_at(functions_, at + word_bytes_, word_bytes_);
  // Behind the last one, only the address is there.
  if (!address) return std::nullopt;
  return CodeEntry{text_ + *address, function.value_or(functions_.size())};
}

std::string_view GoFunctions::name_at(std::uint64_t address) const {
  std::uint64_t begin = 0;
  std::uint64_t end = count_;
  while (begin < end) {
    const std::uint64_t middle = begin + (end - begin) / 2;
    const auto found = entry(middle);
    if (found && found->address <= address)
      begin = middle + 1;
    else
      end = middle;
  }
  if (begin == 0) return {};
  const auto next = entry(begin);
  const auto found = entry(begin - 1);
  if (!found || !next || next->address <= address) return {};
  // Its address, then its name.
  const auto name = number_at(functions_, found->function + word_bytes_, 4);
  if (!name || found->function >= functions_.size()) return {};
  const std::string_view text = from(names_, *name);
  const std::size_t length = text.substr(0, kFunctionNameBytes).find('\0');
  return length == std::string_view::npos ? std::string_view() : text.substr(0, length);
}

GoFunctions go_functions(Elf* elf) {
  std::size_t names = 0;
  if (elf == nullptr || ::gelf_getclass(elf) != ELFCLASS64 || ::elf_getshdrstrndx(elf, &names) != 0)
    return {};
  for (Elf_Scn* section = nullptr; (section = ::elf_nextscn(elf, section)) != nullptr;) {
    GElf_Shdr header;
    if (::gelf_getshdr(section, &header) == nullptr) continue;
    const char* const name = ::elf_strptr(elf, names, header.sh_name);
    if (name == nullptr || !std::string_view(name).ends_with(".gopclntab")) continue;
    return GoFunctions(contents(section),
                       relocation_of(elf, header.sh_addr + kWord + kTextWord * kWord));
  }
  return {};
}

}  // namespace zctrace
