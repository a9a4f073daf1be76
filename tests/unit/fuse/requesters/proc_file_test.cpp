// SPDX-License-Identifier: MIT
// The file of a task that is kept open between two looks at it.
#include "collector/fuse/requesters/proc_file.h"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <cerrno>
#include <optional>
#include <string>
#include <utility>

#include "collector/os/child.h"
#include "collector/os/pipe.h"

namespace zctrace::fuse {
namespace {

// A process that waits in read(2) until it is ended.
class Reader {
 public:
  pid_t pid() const { return child_->pid(); }
  void end() { child_.reset(); }

 private:
  Pipe pipe_ = make_pipe();
  std::optional<Child> child_{std::in_place, ChildOptions{.dies_with_parent = true}, [this] {
                                char byte;
                                while (::read(pipe_.reader.get(), &byte, 1) < 0) continue;
                              }};
};

class TaskSyscallFiles : public testing::Test {
 protected:
  void SetUp() override { ASSERT_TRUE(proc_); }

  // The number of the call in which the task waits; a negative errno if its file cannot be read.
  long syscall_of(pid_t tid) {
    for (;;) {
      char text[256];
      const ssize_t n = file_.read(proc_.get(), tid, text, sizeof(text));
      if (n < 0) return n;
      const std::string line(text, static_cast<std::size_t>(n));
      if (line != "running\n") return std::stol(line);
      ::usleep(1000);
    }
  }

  // How many system calls it takes to look at a task that waits.
  std::uint64_t calls_to_look_at(const Reader& reader) {
    take_proc_calls();
    EXPECT_EQ(syscall_of(reader.pid()), SYS_read);
    return take_proc_calls();
  }

  Descriptor proc_{::open("/proc", O_PATH | O_DIRECTORY | O_CLOEXEC)};
  TaskSyscallFile file_;
};

TEST_F(TaskSyscallFiles, OneCallForEachFurtherLookAtATask) {
  const Reader reader;
  calls_to_look_at(reader);
  EXPECT_EQ(calls_to_look_at(reader), 1);
}

TEST_F(TaskSyscallFiles, AnotherTaskIsNotTakenForTheLast) {
  const Reader first;
  Reader second;
  calls_to_look_at(second);  // until it waits
  calls_to_look_at(first);
  EXPECT_EQ(calls_to_look_at(second), 3);  // close, open, read
  const pid_t ended = second.pid();
  second.end();
  EXPECT_EQ(syscall_of(ended), -ENOENT);
  EXPECT_EQ(syscall_of(first.pid()), SYS_read);
}

TEST_F(TaskSyscallFiles, ATaskThatDoesNotExistIsNotRemembered) {
  EXPECT_EQ(syscall_of(0), -ENOENT);
  const Reader reader;
  EXPECT_EQ(syscall_of(reader.pid()), SYS_read);
}

}  // namespace
}  // namespace zctrace::fuse
