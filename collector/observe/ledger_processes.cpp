// SPDX-License-Identifier: MIT
// Makes processes of what the ledger has added up.
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <cstring>
#include <tuple>

#include "collector/observe/kernel_records.h"
#include "collector/observe/ledger.h"
#include "collector/os/exit_status.h"

namespace zctrace {

// The kernel side measures calls with such an end (ZC_KINDS_WITH_DISK in bpf/calls/copies.bpf.h).
// Operations are run by tasks that are not observed, or outside of calls.
Charges Ledger::charges_of(zc_key key, const Row& row) const {
  const auto has_disk = [](unsigned kind) {
    return kind == ZC_FILE || kind == ZC_FUSE || kind == ZC_DEVICE;
  };
  if (!has_disk(ZC_KEY_FROM(key)) && !has_disk(ZC_KEY_TO(key))) return Charges::none;
  return charged_ && !row.asynchronous ? Charges::measured : Charges::unknown;
}

Row Ledger::to_row(const Account& account, std::uint32_t word, const RowSum& total) const {
  const RowMeaning& meaning = meanings_.at(ZC_KEY_ROW(zc_key{word}));
  Row row;
  row.syscall = meaning.name;
  row.from = kind_of(ZC_KEY_FROM(zc_key{word}));
  row.to = kind_of(ZC_KEY_TO(zc_key{word}));
  row.copy = meaning.copy;
  // Into a pipe it lends pages; out of one it copies.
  if (row.copy == Copy::lent && row.to == Kind::user) row.copy = Copy::copied;
  if (ZC_KEY_FROM(zc_key{word}) == ZC_NULL) row.zeroed_bytes = total.sum.bytes;
  if (ZC_KEY_TO(zc_key{word}) == ZC_NULL || ZC_KEY_TO(zc_key{word}) == ZC_DISCARD)
    row.discarded_bytes = total.sum.bytes;
  row.asynchronous = meaning.asynchronous;
  row.shown = meaning.shown;
  take_figures<RowFigures>(row, total.sum, kRowFields);
  estimate_time(row, total.sum);
  if (meaning.claimed) row.claimed_bytes = row.bytes;
  row.min_ns = total.sum.min_ns;
  row.max_ns = total.sum.max_ns;
  row.latency = total.latency;
  row.protocol = static_cast<Protocol>(ZC_KEY_PROTOCOL(zc_key{word}));
  row.charges = charges_of(zc_key{word}, row);
  row.in_memory = row.to == Kind::file && (ZC_KEY_TRAITS(zc_key{word}) & ZC_MEMORY_FILE) != 0;
  set_copies(account, word, row, total.sum.seen);
  return row;
}

// Of a row, or of the part of it that is one flow. How sends by reference ended is known of the
// row only: of a flow, if all ended alike.
void Ledger::set_copies(const Account& account, std::uint32_t word, Row& row,
                        std::uint64_t seen) const {
  MovedBytes moved{};
  for (auto tally = account.tallies.lower_bound({word, 0});
       tally != account.tallies.end() && tally->first.first == word; ++tally) {
    switch (const std::uint32_t what = tally->first.second; what) {
      case ZC_TALLY_COPIED: moved.sends_copied = tally->second; break;
      case ZC_TALLY_LENT: moved.sends_lent = tally->second; break;
      default: row.errors_by[what] = tally->second;
    }
  }
  moved.traits = ZC_KEY_TRAITS(zc_key{word});
  moved.charged = row.charges == Charges::measured;
  moved.seen = seen;
  count_row_copies(row, moved);
}

std::vector<Flow> Ledger::flows_of(const Account& account) const {
  std::vector<Flow> flows;
  for (const auto& [key, sums] : channels_.of(account.record.id)) {
    const RowSum part{row_of(sums.highest), {}};
    Flow flow{key.from, key.to, to_row(account, key.word, part)};
    flow.row.errors_by.clear();  // those of the whole row
    flows.push_back(std::move(flow));
  }
  return flows;
}

Process Ledger::identity_of(const Account& account) {
  const zc_account& record = account.record;
  Process process;
  process.account = record.id;
  process.pid = record.pid;
  process.tid = record.tid;
  process.parent_pid = record.parent_pid;
  process.name.assign(record.name, ::strnlen(record.name, sizeof(record.name)));
  process.start_ns = record.start_ns;
  if (account.finished) {
    process.end_ns = record.end_ns;
    process.exit_code = shell_status(record.exit_code);
    if (WIFSIGNALED(record.exit_code)) process.signal = WTERMSIG(record.exit_code);
  }
  return process;
}

Process Ledger::to_process(const Account& account) const {
  const zc_account& record = account.record;
  Process process = identity_of(account);
  process.argv = argv_of(account);
  process.threads = record.started;
  std::tie(process.user_ns, process.system_ns) = split_runtime(account.usage);
  take_figures<ProcessFigures>(process, account.usage, kProcessFields);
  process.max_rss_bytes =
      record.max_rss_pages * static_cast<std::uint64_t>(::sysconf(_SC_PAGESIZE));
  take_figures(process.outside_syscalls, account.outside, kOutsideFields);
  const ProfileLedger::Profile& profile = profile_.of(record.id);
  process.cpu_outside = profile.outside;
  for (const auto& [word, total] : account.rows) {
    Row row = to_row(account, word, total);
    row.cpu = profile_.of(profile, word);
    if (row.calls == 0 && row.voluntary_switches == 0 && row.involuntary_switches == 0 &&
        row.cpu.total() == 0)
      continue;
    // Another row may show the same kinds.
    add_row_by_protocol(process.rows, std::move(row));
  }
  const PipeLedger::FromPipes delivered = pipes_.delivered(record.id);
  process.delivered_to_pipes = static_cast<std::int64_t>(delivered.bytes);
  process.delivered_to_pipes_in_kernel = static_cast<std::int64_t>(delivered.in_kernel);
  process.spliced_from_user = static_cast<std::int64_t>(delivered.spliced_from_user);
  process.flows = flows_of(account);
  process.mapped_files = mapped_.of(record.id);
  process.relays = relays_.relays_of(record.id, meanings_);
  return process;
}

std::vector<Process> Ledger::listed(const std::function<Process(const Account&)>& made) const {
  std::vector<Process> processes;
  processes.reserve(accounts_.size());
  for (const auto& entry : accounts_)
    if (!is_own(entry.second)) processes.push_back(made(entry.second));
  std::stable_sort(processes.begin(), processes.end(),
                   [](const Process& a, const Process& b) { return a.start_ns < b.start_ns; });
  return processes;
}

std::vector<Process> Ledger::processes() const {
  return listed([this](const Account& account) { return to_process(account); });
}

std::vector<Process> Ledger::identities() const { return listed(identity_of); }

std::vector<Process> Ledger::own_threads() const {
  std::vector<Process> threads;
  for (const auto& entry : accounts_)
    if (is_own(entry.second)) threads.push_back(to_process(entry.second));
  return threads;
}

Process Ledger::process(std::uint64_t account) const { return to_process(accounts_.at(account)); }

}  // namespace zctrace
