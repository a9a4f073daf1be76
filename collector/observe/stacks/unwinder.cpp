// SPDX-License-Identifier: MIT
// libdwfl walks the stack by the programs' call frame information, and by frame pointers where a
// program has none.
#include "collector/observe/stacks/unwinder.h"

#include <algorithm>
#include <cstring>

#include "collector/observe/stacks/code_image.h"

namespace zctrace {
namespace {

// Programs whose files are open and whose tables are in memory.
constexpr std::size_t kMostImages = 64;

// struct pt_regs of x86-64 in words, in the order in which DWARF numbers the registers.
#if defined(__x86_64__)
constexpr unsigned kDwarfRegisters[] = {10, 12, 11, 5, 13, 14, 4, 19, 9, 8, 7, 6, 3, 2, 1, 0, 16};
constexpr unsigned kPc = 16;
constexpr unsigned kSp = 19;
#else
constexpr unsigned kDwarfRegisters[] = {0,  1,  2,  3,  4,  5,  6,  7,  8,  9,  10,
                                        11, 12, 13, 14, 15, 16, 17, 18, 19, 20, 21,
                                        22, 23, 24, 25, 26, 27, 28, 29, 30, 31};
constexpr unsigned kPc = 32;
constexpr unsigned kSp = 31;
#endif

bool same(const zc_stack_image& a, const zc_stack_image& b) {
  return std::memcmp(&a, &b, sizeof(a)) == 0;
}

}  // namespace

// What libdwfl calls while it walks one stack.
class Unwinder::Image {
 public:
  explicit Image(const zc_stack_image& identity) : code_(identity) {}

  const zc_stack_image& identity() const { return code_.identity(); }

  CallStack unwind(const RawStack& raw) {
    raw_ = &raw;
    addresses_.clear();
    CallStack stack;
    if ((raw.sample.flags & ZC_STACK_COMPAT) == 0) stack.whole = walk();
    follow_frame_pointers(stack.whole);
    const auto pid = static_cast<pid_t>(raw.sample.pid);
    for (std::size_t i = 0; i < addresses_.size(); i++)
      // A call returns behind itself, which may be in another line or function. The innermost
      // address is that behind the instruction of the system call.
      stack.user.push_back(code_.frame_at(addresses_[i] - 1, pid));
    return stack;
  }

 private:
  // Whether it came to the first frame of the thread.
  bool walk() {
    const std::uint64_t pc = raw_->sample.registers[kPc];
    code_.module_at(pc, pid());
    if (!attached_) {
      static const Dwfl_Thread_Callbacks kCallbacks = {next_thread,   nullptr, read_memory,
                                                       set_registers, nullptr, nullptr};
      attached_ = dwfl_attach_state(code_.dwfl(), nullptr, kThread, &kCallbacks, this);
    }
    // No module yet: the architecture is not known.
    if (!attached_) return false;
    missing_ = false;
    // For libdwfl a frame whose return address cannot be read is the last one.
    return dwfl_getthread_frames(code_.dwfl(), kThread, add_frame, this) == 0 && !missing_;
  }

  // The return addresses that the kernel found by frame pointers begin where those above end: code
  // without call frame information, such as a JIT compiler's, may have called code that has it.
  void follow_frame_pointers(bool whole) {
    if (whole) return;
    const __u64* const begin = raw_->sample.user;
    const __u64* const end =
        begin + std::min<unsigned>(raw_->sample.user_frames, ZC_STACK_USER_FRAMES);
    const __u64* next = begin;
    if (!addresses_.empty()) {
      next = std::find(begin, end, addresses_.back());
      if (next == end && addresses_.size() > 1) return;
      if (next == end) next = begin;
      if (next != end) next++;
    }
    for (; next != end && addresses_.size() < kMostFrames; next++)
      if (*next != 0) addresses_.push_back(*next);
  }

  pid_t pid() const { return static_cast<pid_t>(raw_->sample.pid); }

  static pid_t next_thread(Dwfl*, void* image, void** thread) {
    if (*thread != nullptr) return 0;
    *thread = image;
    return kThread;
  }

  static bool read_memory(Dwfl*, Dwarf_Addr address, Dwarf_Word* result, void* image) {
    auto* const self = static_cast<Image*>(image);
    const auto word = self->raw_->word(address);
    if (word)
      *result = *word;
    else
      self->missing_ |= self->is_of_stack(address);
    return word.has_value();
  }

  // At the first frame of a thread libdwfl reads at its frame pointer, which is 0, and elsewhere.
  bool is_of_stack(std::uint64_t address) const {
    const std::uint64_t top = raw_->sample.registers[kSp];
    const std::uint64_t bottom = raw_->sample.image.start_stack;
    return address >= top && (top >= bottom || address < bottom);
  }

  static bool set_registers(Dwfl_Thread* thread, void* image) {
    Dwarf_Word registers[std::size(kDwarfRegisters)];
    const zc_stack_sample& sample = static_cast<Image*>(image)->raw_->sample;
    for (std::size_t i = 0; i < std::size(kDwarfRegisters); i++)
      registers[i] = sample.registers[kDwarfRegisters[i]];
    dwfl_thread_state_register_pc(thread, sample.registers[kPc]);
    return dwfl_thread_state_registers(thread, 0, std::size(kDwarfRegisters), registers);
  }

  static int add_frame(Dwfl_Frame* state, void* argument) {
    auto* const image = static_cast<Image*>(argument);
    Dwarf_Addr pc = 0;
    bool is_activation = false;
    if (!dwfl_frame_pc(state, &pc, &is_activation) || pc == 0) return DWARF_CB_ABORT;
    if (image->addresses_.size() == kMostFrames) return DWARF_CB_ABORT;
    image->addresses_.push_back(pc);
    // libdwfl looks for the module next.
    image->code_.module_at(pc - 1, image->pid());
    return DWARF_CB_OK;
  }

  static constexpr pid_t kThread = 1;  // any number

  CodeImage code_;
  bool attached_ = false;
  bool missing_ = false;  // memory that was needed for this stack
  const RawStack* raw_ = nullptr;
  std::vector<std::uint64_t> addresses_;
};

Unwinder::Unwinder() = default;
Unwinder::~Unwinder() = default;

Unwinder::Image& Unwinder::image_of(const zc_stack_sample& sample) {
  const auto known = std::find_if(images_.begin(), images_.end(), [&](const Image& image) {
    return same(image.identity(), sample.image);
  });
  if (known != images_.end()) {
    images_.splice(images_.begin(), images_, known);
  } else {
    images_.emplace_front(sample.image);
    if (images_.size() > kMostImages) images_.pop_back();
  }
  return images_.front();
}

CallStack Unwinder::unwind(const RawStack& raw) { return image_of(raw.sample).unwind(raw); }

}  // namespace zctrace
