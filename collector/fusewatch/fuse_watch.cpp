// SPDX-License-Identifier: MIT
#include "collector/fusewatch/fuse_watch.h"

#include <signal.h>
#include <time.h>

#include <algorithm>
#include <cerrno>
#include <fstream>
#include <set>
#include <utility>

#include "collector/observe/machine/host.h"
#include "collector/os/caller.h"
#include "collector/os/mountinfo.h"

namespace zctrace::fusewatch {
namespace {

// A connection without a mount point is forgotten after so many polls without a request.
constexpr unsigned kIdlePolls = 5;
// Connections that have ended, listed in one report.
constexpr std::size_t kMostEnded = 256;

std::uint64_t monotonic_ns() {
  timespec now = {};
  ::clock_gettime(CLOCK_MONOTONIC, &now);
  return static_cast<std::uint64_t>(now.tv_sec) * 1'000'000'000 +
         static_cast<std::uint64_t>(now.tv_nsec);
}

FuseProgramOptions program_options(const FuseWatchOptions& options,
                                   const std::optional<FuseMount>& mount) {
  FuseProgramOptions programs;
  if (mount) programs.device = mount->number;
  if (const std::optional<uid_t> user = confined_user()) programs.user = *user;
  programs.room = options.room;
  return programs;
}

// A kernel's array of characters, which may lack the zero byte at its end.
template <std::size_t Size>
std::string text_of(const char (&text)[Size]) {
  return {text, std::find(text, text + Size, '\0')};
}

bool has_ended(std::uint32_t pid) {
  return ::kill(static_cast<pid_t>(pid), 0) != 0 && errno == ESRCH;
}

// Whether the thread has ended, or only waits for its process to be waited for. /proc answers this
// without a lock.
bool thread_has_ended(std::uint32_t pid, std::uint32_t tid) {
  std::ifstream file("/proc/" + std::to_string(pid) + "/task/" + std::to_string(tid) + "/stat");
  std::string line;
  if (!std::getline(file, line)) return has_ended(tid);
  // "PID (NAME) STATE …", and NAME may contain anything.
  const auto end = line.rfind(") ");
  return end != std::string::npos && (line[end + 2] == 'Z' || line[end + 2] == 'X');
}

RequesterKind kind_of(const zc_fuse_requester_key& key) {
  if (key.process != 0) return RequesterKind::process;
  if (key.start_ns == ZC_FUSE_BY_KERNEL) return RequesterKind::kernel;
  if (key.start_ns == ZC_FUSE_BY_UNKNOWN) return RequesterKind::unknown;
  return RequesterKind::others;
}

constexpr RequesterId kOthers{ZC_FUSE_BY_OTHERS, 0};
// Processes that have ended and are not listed. Only on this side, unlike kOthers.
constexpr RequesterId kSummed{ZC_FUSE_BY_OTHERS + 1, 0};

RequesterId id_of(const zc_fuse_requester_key& key) { return {key.start_ns, key.process}; }

// The requests that a record counts as sent, and that have neither an answer nor been withdrawn.
std::uint64_t open_requests(const RequestSums& counts) {
  return counts.sent - std::min(counts.sent, counts.answered + counts.withdrawn);
}

std::vector<std::string> mount_points(const std::vector<FuseMount>& mounts,
                                      const std::string& device) {
  std::vector<std::string> points;
  for (const FuseMount& mount : mounts)
    if (mount.device == device) points.push_back(mount.target);
  return points;
}

}  // namespace

FuseWatch::FuseWatch(const FuseWatchOptions& options)
    : options_(options),
      mount_(options.mount ? std::optional(fuse_mount_of(*options.mount)) : std::nullopt),
      programs_(program_options(options_, mount_)) {
  find_mounts();
}

void FuseWatch::find_mounts() {
  earlier_mounts_ = std::exchange(mounts_, fuse_mounts(read_mounts("/proc/self/mountinfo")));
  unmounted_ = mount_ && std::none_of(mounts_.begin(), mounts_.end(), [&](const FuseMount& mount) {
                 return mount.device == mount_->device;
               });
}

void FuseWatch::add_connection(const zc_fuse_connection& record) {
  FuseConnection& connection = now_[record.id];
  connection.device = record.device == 0 ? "" : device_text(record.device);
  connection.type = text_of(record.type);
  if (const std::string subtype = text_of(record.subtype); !subtype.empty())
    connection.type += "." + subtype;
  if (connection.type.empty()) connection.type = "cuse";
  connection.user = record.user;
  connection.server_pid = record.server_pid;
  connection.server_name = text_of(record.server_name);
  connection.began = record.began != 0;
  connection.sent = record.sent;
  connection.waiting_sum = record.waiting_sum;
  connection.waiting_max = record.waiting_max;
  connection.background_max = record.background_max;
  connection.background_limit = record.background_limit;
  const std::vector<std::string> points = mount_points(mounts_, connection.device);
  connection.gone = points.empty();
  // A connection keeps the mount points that it had last. One that is new here, but has not begun
  // since the latest poll, had those of its device then.
  if (!points.empty())
    connection.mount_points = points;
  else if (connection.mount_points.empty() && !connection.began)
    connection.mount_points = mount_points(earlier_mounts_, connection.device);
}

void FuseWatch::add_counts(const FuseRecords& records) {
  for (const zc_fuse_connection& record : records.connections) add_connection(record);
  for (const auto& [key, record] : records.operations) {
    OpcodeCounts& counts = now_[key.connection].operations[key.opcode];
    const auto withdrawn = withdrawn_.find({key.connection, key.opcode});
    counts.sent = record.sent;
    counts.answered = record.answered;
    counts.withdrawn = record.withdrawn + (withdrawn != withdrawn_.end() ? withdrawn->second : 0);
    counts.errors = record.errors;
    counts.wall_ns = record.wall_ns;
    counts.timed = record.timed;
    counts.background = record.background;
    counts.bytes = record.bytes;
    counts.request_bytes = record.request_bytes;
    counts.reply_bytes = record.reply_bytes;
    counts.max_ns = record.max_ns;
    counts.latency = {};
    for (std::size_t bucket = 0; bucket < Histogram::kBuckets; bucket++)
      counts.latency.add(bucket, record.latency[bucket]);
    counts.in_flight = 0;
    counts.oldest_ns = 0;
  }
  for (const auto& [key, count] : records.errors)
    now_[key.connection].operations[key.opcode].errors_by[key.error] = count;
  for (const auto& [key, record] : records.requesters) {
    RequesterCounts& counts = now_[key.connection].requesters[id_of(key)];
    const auto withdrawn = withdrawn_by_.find({key.connection, id_of(key)});
    counts.kind = kind_of(key);
    counts.sent = record.sent;
    counts.answered = record.answered;
    counts.withdrawn =
        record.withdrawn + (withdrawn != withdrawn_by_.end() ? withdrawn->second : 0);
    counts.errors = record.errors;
    counts.wall_ns = record.wall_ns;
    counts.pid = record.pid;
    counts.name = text_of(record.name);
    counts.read_bytes = record.read_bytes;
    counts.written_bytes = record.written_bytes;
    counts.max_ns = record.max_ns;
    for (std::uint32_t opcode = 0; opcode < ZC_FUSE_OPCODES; opcode++)
      if (record.by_opcode[opcode] != 0) counts.by_opcode[opcode] = record.by_opcode[opcode];
    counts.in_flight = 0;
  }
}

void FuseWatch::add_flights(const FuseRecords& records) {
  const std::uint64_t now = monotonic_ns();
  for (const auto& [request, flight] : records.flights) {
    FuseConnection& connection = now_[flight.by.connection];
    OpcodeCounts& counts = connection.operations[flight.opcode];
    counts.in_flight++;
    counts.oldest_ns =
        std::max(counts.oldest_ns, now - std::min<std::uint64_t>(now, flight.sent_ns));
    if (const auto by = connection.requesters.find(id_of(flight.by));
        by != connection.requesters.end())
      by->second.in_flight++;
  }
}

// A process that is killed before the server has read its request takes the request back, and the
// kernel reports no end of it. A process that waits for any other request cannot end.
void FuseWatch::find_withdrawn(FuseRecords& records) {
  std::erase_if(records.flights, [&](const auto& entry) {
    const auto& [request, flight] = entry;
    if (flight.background != 0 || flight.tid == 0 || !thread_has_ended(flight.pid, flight.tid))
      return false;
    if (!programs_.remove_flight(request, flight)) return true;
    withdrawn_[{flight.by.connection, flight.opcode}]++;
    withdrawn_by_[{flight.by.connection, id_of(flight.by)}]++;
    return true;
  });
}

// The processes whose counts are final: they had ended before these records were read, and all of
// their requests have.
void FuseWatch::forget_requesters(const FuseRecords& records) {
  std::set<std::pair<std::uint32_t, RequesterId>> dead;
  for (const auto& [key, record] : records.requesters) {
    if (key.process == 0 || record.pid == 0) continue;
    RequesterCounts& counts = now_[key.connection].requesters[id_of(key)];
    const std::pair name{key.connection, id_of(key)};
    if (dead_.contains(name) && counts.in_flight == 0 && open_requests(counts) == 0) {
      programs_.remove_requester(key, record.share);
      withdrawn_by_.erase(name);
      counts.ended = true;
    } else if (has_ended(record.pid)) {
      dead.insert(name);
    }
  }
  dead_ = std::move(dead);
  for (auto& [id, connection] : now_) sum_ended(id, connection);
}

// Adds the ended processes with the fewest requests to kSummed. So does it with what they had at
// the latest interval, so that the difference stays the same.
void FuseWatch::sum_ended(std::uint32_t id, FuseConnection& connection) {
  std::vector<std::pair<std::uint64_t, RequesterId>> ended;  // by their requests
  for (const auto& [requester, counts] : connection.requesters)
    if (counts.ended) ended.emplace_back(counts.sent, requester);
  if (ended.size() <= options_.most_ended) return;
  std::sort(ended.begin(), ended.end());
  ended.resize(ended.size() - options_.most_ended);
  const auto sum = [&](std::map<RequesterId, RequesterCounts>& requesters) {
    for (const auto& [sent, requester] : ended) {
      const auto found = requesters.find(requester);
      if (found == requesters.end()) continue;
      RequesterCounts& others = requesters[kSummed];
      others.kind = RequesterKind::others;
      add(others, found->second);
      requesters.erase(found);
    }
  };
  sum(connection.requesters);
  if (const auto earlier = before_.find(id); earlier != before_.end())
    sum(earlier->second.requesters);
}

// A connection that is mounted nowhere that zctrace can see may still be in use, by open files or
// in another mount namespace. If it is used again after this, it gets another id.
void FuseWatch::forget_connections(const FuseRecords& records) {
  for (const zc_fuse_connection& record : records.connections) {
    FuseConnection& connection = now_[record.id];
    Idleness& idle = idle_[record.id];
    if (record.sent != std::exchange(idle.sent, record.sent) || !connection.gone ||
        connection.total().in_flight != 0) {
      idle.polls = 0;
      continue;
    }
    if (++idle.polls == kIdlePolls) programs_.close_connection(record);
    // What was read after it was closed is final.
    if (idle.polls <= kIdlePolls) continue;
    programs_.remove_connection(record, records);
    std::erase_if(withdrawn_, [&](const auto& entry) { return entry.first.first == record.id; });
    std::erase_if(withdrawn_by_, [&](const auto& entry) { return entry.first.first == record.id; });
    idle_.erase(record.id);
    ended_.push_back(record.id);
  }
  while (ended_.size() > kMostEnded) {
    left_out_connections_++;
    left_out_requests_ += now_[ended_.front()].sent;
    now_.erase(ended_.front());
    before_.erase(ended_.front());
    ended_.pop_front();
  }
}

void FuseWatch::poll() {
  find_mounts();
  FuseRecords records = programs_.read();
  find_withdrawn(records);
  add_counts(records);
  add_flights(records);
  forget_requesters(records);
  forget_connections(records);
}

WatchLosses FuseWatch::losses() const {
  return {programs_.loss(ZC_FUSE_LOST_CONNECTIONS), programs_.loss(ZC_FUSE_LOST_OPERATIONS),
          programs_.loss(ZC_FUSE_LOST_FLIGHTS), programs_.loss(ZC_FUSE_LOST_REQUESTERS),
          programs_.missed()};
}

FuseActivity FuseWatch::made_of(FuseConnections connections, const ReportClock& clock) const {
  FuseActivity activity;
  activity.host = this_host();
  activity.argv = own_command_line();
  clock.stamp(activity);
  activity.mount = options_.mount;
  std::set<std::string> busy;
  for (auto& [id, connection] : connections) {
    if (const auto summed = connection.requesters.find(kSummed);
        summed != connection.requesters.end()) {
      RequesterCounts& others = connection.requesters[kOthers];
      others.kind = RequesterKind::others;
      add(others, summed->second);
      connection.requesters.erase(kSummed);
    }
    if (!connection.is_idle()) busy.insert(connection.device);
  }
  std::erase_if(connections, [](const auto& entry) { return entry.second.is_idle(); });
  for (const FuseMount& mount : mounts_)
    if (!busy.contains(mount.device) && (!mount_ || mount.device == mount_->device))
      activity.idle_mounts.push_back(mount.target);
  activity.connections = std::move(connections);
  activity.left_out_connections = left_out_connections_;
  activity.left_out_requests = left_out_requests_;
  return activity;
}

FuseActivity FuseWatch::activity() {
  poll();
  FuseActivity activity = made_of(now_, clock_);
  activity.losses = losses();
  return activity;
}

FuseActivity FuseWatch::take_interval(Ended ended) {
  poll();
  FuseActivity activity = made_of(difference(now_, before_), interval_clock_);
  const WatchLosses losses_now = losses();
  activity.losses = difference(losses_now, losses_before_);
  losses_before_ = losses_now;
  interval_clock_.restart();
  if (ended == Ended::forget) {
    for (const std::uint32_t id : std::exchange(ended_, {})) now_.erase(id);
    for (auto& [id, connection] : now_)
      std::erase_if(connection.requesters, [](const auto& entry) { return entry.second.ended; });
    left_out_connections_ = left_out_requests_ = 0;
  }
  before_ = now_;
  return activity;
}

}  // namespace zctrace::fusewatch
