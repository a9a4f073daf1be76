// SPDX-License-Identifier: MIT
// A file that one of --json, --csv and --markdown names.
#pragma once

#include <string>

#include "collector/os/descriptor.h"

namespace zctrace {

// Gives a new file to the user of sudo, where there is one. On a file system without owners it
// stays root's.
void give_to_caller(int file);

// The file is opened before anything runs, so that a path which cannot be written is an early
// error. Its old content is removed only when there is new content. A part that was written before
// a disk became full is removed again, and so is a new file that stayed empty. Reports hold command
// lines, so only the owner can read a new file; under sudo, that is the user of sudo.
class OutputFile {
 public:
  // "" writes nothing, "-" standard output. Throws Error.
  explicit OutputFile(const std::string& path);
  ~OutputFile();
  OutputFile(OutputFile&&) = default;

  bool wanted() const { return !path_.empty(); }
  const std::string& path() const { return path_; }
  // Whether both write to the same file, pipe or socket, under whatever names.
  bool same_as(const OutputFile& other) const;
  void write(const std::string& text);  // the first call replaces the old content; throws Error

 private:
  int descriptor() const;

  std::string path_;
  Descriptor directory_;
  std::string name_;  // in directory_
  Descriptor file_;
  bool created_ = false;
  bool written_ = false;
};

}  // namespace zctrace
