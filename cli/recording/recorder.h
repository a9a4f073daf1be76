// SPDX-License-Identifier: MIT
// Writes intervals into one SQLite file while an observation goes on.
#pragma once

#include <cstdint>
#include <nlohmann/json.hpp>
#include <optional>
#include <string>
#include <vector>

#include "cli/recording/sqlite.h"
#include "cli/views/report/channel_table.h"
#include "collector/model/report.h"
#include "collector/observe/stacks/stack_profile.h"

namespace zctrace {

struct RecorderOptions {
  std::string file;
  std::uint64_t most_bytes = std::uint64_t{1} << 30;
  std::string by;  // --by, for who prints the recording again
  ChannelLimits channels;
  std::size_t max_processes = 1000;  // ended ones that a merged interval keeps apart
};

// Owns the file. Each interval is one transaction: other programs may read the file at any moment,
// also after zctrace was killed, and delay nothing. While it is open, SQLite has a write-ahead log
// and its index beside it, which finish() removes; on a file system that cannot map files, a
// rollback journal, and readers and intervals wait for each other. Where an interval cannot be
// written, because the disk is full or a lock is held, it is said once, and the interval is added
// to the next one. Above the size limit the oldest intervals are merged pairwise: details in time
// are lost, sums are not. One thread.
class Recorder {
 public:
  // Makes the file, readable by its owner only, the user of sudo where there is one. Throws Error:
  // it exists already, or cannot be made.
  explicit Recorder(const RecorderOptions& options);
  ~Recorder();  // removes the file if it has no interval: nothing was observed
  Recorder(const Recorder&) = delete;
  Recorder& operator=(const Recorder&) = delete;

  // What happened since the latest interval. Never throws for what may pass; says it.
  void write(const Report& interval);
  // The last interval has been written. `whole`: what the command prints of all of them; nullptr:
  // it does not. `stacks`: nullptr where they were not asked for. Puts the log into the file; where
  // a reader prevents that, it is said, and the last program that closes the recording does it.
  // False, and said: something is not recorded.
  bool finish(const Report* whole, const StackProfile* stacks = nullptr);

 private:
  void create(const std::string& path);
  void open(const std::string& path, bool with_log);
  // finish(), but for the log.
  bool write_whole(const Report* whole, const StackProfile* stacks);
  void insert_property(const char* name, const std::string& value);
  // Moves the log into the file as far as readers allow. What remains is in `log_bytes_`.
  void empty_log();
  void remove_log();
  // One transaction. Throws SqlError, then nothing has changed.
  void write_pending();
  void insert(const Report& interval, std::int64_t id, std::uint64_t at_ns, std::uint64_t merged);
  void insert_usage(std::int64_t interval, std::int64_t process,
                    const nlohmann::ordered_json& object,
                    const std::vector<std::int64_t>& channels);
  std::int64_t process_id(const nlohmann::ordered_json& process);
  std::vector<std::int64_t> channel_ids(const nlohmann::ordered_json& report);
  void keep_size();
  bool merge_one_pair();
  void say_once(const std::string& message);

  // Prepared once: a thousand processes use them in each interval.
  struct Insertions {
    SqlStatement process;
    SqlStatement usage;
    SqlStatement rows;
    SqlStatement flows;
  };

  RecorderOptions options_;
  std::optional<SqlDatabase> database_;
  std::optional<Insertions> insert_;
  std::optional<Report> pending_;
  std::uint64_t device_ = 0;  // of the file, and its inode: the name may come to mean another one
  std::uint64_t inode_ = 0;
  std::uint64_t at_ns_ = 0;      // where the next interval begins
  std::uint64_t log_bytes_ = 0;  // that are not in the file yet
  bool has_head_ = false;
  bool said_ = false;
};

}  // namespace zctrace
