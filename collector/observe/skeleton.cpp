// SPDX-License-Identifier: MIT
// Opens, configures, loads and attaches the BPF object.
#include "collector/observe/skeleton.h"

#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <fcntl.h>
#include <linux/membarrier.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <optional>
#include <string_view>
#include <utility>

#include "collector/observe/compat_table.h"
#include "collector/observe/duty/slice_programs.h"
#include "collector/observe/machine/bpf_loading.h"
#include "collector/observe/machine/early_maps.h"
#include "collector/observe/machine/kernel_types.h"
#include "collector/observe/machine/needed_types.h"
#include "collector/observe/machine/parallel_loading.h"
#include "collector/observe/machine/run_times.h"
#include "collector/observe/map_sizes.h"
#include "collector/os/error.h"
#include "zctrace.skel.h"

namespace zctrace {
namespace {

// How many arguments the tracepoint of a program has; 0: this kernel does not have it.
unsigned arguments_of(const bpf_program* program, const KernelTypes& kernel) {
  const std::optional<std::string_view> tracepoint = tracepoint_of(program);
  return tracepoint ? kernel.tracepoint_arguments(*tracepoint) : 0;
}

#if defined(__x86_64__)
constexpr std::uint32_t kCompatStatus = 0x2;  // TS_COMPAT
constexpr std::uint32_t kCompatFlags = 0;
#else
constexpr std::uint32_t kCompatStatus = 0;
constexpr std::uint32_t kCompatFlags = 1U << 22;  // TIF_32BIT of arm64
#endif

void configure_new_tasks(zctrace_bpf& bpf, zc_config& config, const NewTasks& wanted) {
  if (wanted.cgroups.size() > ZC_MAX_CGROUPS)
    throw Error("cannot observe so many cgroups: at most " + std::to_string(ZC_MAX_CGROUPS) +
                    "; give a cgroup that contains them",
                kExitUsage);
  if (wanted.names.size() > ZC_MAX_NAMES)
    throw Error("-n: too many names: at most " + std::to_string(ZC_MAX_NAMES) + "; use a glob",
                kExitUsage);
  config.want_all = wanted.all;
  config.one_user = wanted.user.has_value();
  config.user = wanted.user.value_or(0);
  config.own_helpers = wanted.own_helpers;
  config.own_pid = static_cast<std::uint32_t>(::getpid());
  config.wanted_cgroups = static_cast<std::uint32_t>(wanted.cgroups.size());
  config.wanted_names = static_cast<std::uint32_t>(wanted.names.size());
  std::copy(wanted.cgroups.begin(), wanted.cgroups.end(), bpf.bss->cgroup_targets);
  for (std::size_t i = 0; i < wanted.names.size(); i++) {
    const std::string& name = wanted.names[i];
    if (name.empty() || name.size() >= ZC_PATTERN_BYTES)
      throw Error("-n '" + name + "': must have 1 to " + std::to_string(ZC_PATTERN_BYTES - 1) +
                      " characters",
                  kExitUsage);
    // The kernel side matches new tasks, and has only these two.
    if (name.find_first_of("[\\") != std::string::npos)
      throw Error("-n '" + name + "': a glob has only * and ?, not [ or \\", kExitUsage);
    name.copy(config.name_targets[i].pattern, ZC_PATTERN_BYTES - 1);
  }
}

// What tests may limit besides maps, see ProbeOptions::room.
void configure_limits(zc_config& config, const std::map<std::string, std::uint32_t>& room) {
  if (room.contains("claims")) config.message_lengths = 0;
  if (const auto found = room.find("tasks"); found != room.end()) config.task_limit = found->second;
}

// How much of each map the processes of one user in one service or container may take: three
// quarters, so that something is left for the others.
std::uint32_t share_of(const bpf_map* map) {
  const std::uint32_t entries = bpf_map__max_entries(map);
  return entries - entries / 4;
}

// More kinds of calls, and of errors, than any known program makes.
constexpr std::uint32_t kRowsOfAccount = 256;
constexpr std::uint32_t kTalliesOfAccount = 256;

// Call it before the programs are loaded, because the settings are read-only afterwards.
void configure(zctrace_bpf& bpf, const ProbeOptions& options, const SyscallTable& table,
               const KernelTypes& kernel) {
  zc_config config = {};
  config.latency = options.latency;
  config.adaptive = options.latency && options.adaptive;
  config.wide_tasks = table.wide();
  config.by_thread = options.by_thread;
  config.follow_children = options.follow_children;
  config.windowed = options.windowed || options.sliced;
  config.sliced = options.sliced;
  config.verify = options.verify;
  config.channels = options.channels;
  config.relays = options.relays;
  bpf.rodata->stacks_every = options.stack_bytes;
  bpf.rodata->estimates_checked = config.adaptive && options.check_estimates;
  // Since 6.12.
  config.mapped = options.mapped && arguments_of(bpf.progs.zc_map_around, kernel) == 3 &&
                  arguments_of(bpf.progs.zc_map_one, kernel) == 2;
  // Since 6.10, on x86-64 and arm64.
  config.fast_cpu_maps = kernel.has_function("percpu_array_map_gen_lookup");
  // Since 6.3.
  config.message_lengths = arguments_of(bpf.progs.zc_sent, kernel) == 3 &&
                           arguments_of(bpf.progs.zc_received, kernel) == 3;
  config.rdonly_cast = kernel.has_function("bpf_rdonly_cast");
  config.types = {.task = kernel.structure_id("task_struct"),
                  .file = kernel.structure_id("file"),
                  .socket = kernel.structure_id("socket"),
                  .tcp = kernel.structure_id("inet_connection_sock"),
                  .pointer = kernel.structure_id("list_head")};
  config.direct_seen = arguments_of(bpf.progs.zc_direct_begins, kernel) > 0;
  config.direct_flag = O_DIRECT;
  config.pid_namespace_inum = own_pid_namespace();
  config.compat_status_mask = kCompatStatus;
  config.compat_flags_mask = kCompatFlags;
  config.sigreturn_call = SYS_rt_sigreturn;
  const CompatTable compat = compat_table();
  config.socketcall = compat.socketcall;
  std::copy(compat.calls.begin(), compat.calls.end(), config.compat_calls);
  std::copy(compat.socketcalls.begin(), compat.socketcalls.end(), config.socketcalls);
  config.ficlone_row = table.ficlone_row();
  config.ficlonerange_row = table.ficlonerange_row();
  config.aio_read_row = table.aio_read_row();
  config.aio_write_row = table.aio_write_row();
  std::copy(table.calls().begin(), table.calls().end(), config.calls);
  std::copy(table.uring_ops().begin(), table.uring_ops().end(), config.uring_ops);
  if (options.sliced) exclude_from_slices(config);
  configure_new_tasks(bpf, config, options.new_tasks);
  configure_limits(config, options.room);
  config.rows_of_account = kRowsOfAccount;
  config.tallies_of_account = kTalliesOfAccount;
  config.most = {.accounts = share_of(bpf.maps.accounts),
                 .rows = share_of(bpf.maps.rows),
                 .tallies = share_of(bpf.maps.tallies),
                 .pipes = share_of(bpf.maps.pipes),
                 .multishots = share_of(bpf.maps.multishots),
                 .aio_contexts = share_of(bpf.maps.aio_contexts),
                 .runs = share_of(bpf.maps.runs_even),
                 .buffers = share_of(bpf.maps.buffers),
                 .relays = share_of(bpf.maps.relays),
                 .mapped = share_of(bpf.maps.mapped)};
  bpf.rodata->config = config;
  if (!config.mapped) bpf_map__set_autocreate(bpf.maps.mapped, false);
}

// Loads no program that the options or the kernel exclude.
void choose_programs(zctrace_bpf& bpf, const ProbeOptions& options, const KernelTypes& kernel) {
  for (bpf_program* program :
       {bpf.progs.zc_skb_copied, bpf.progs.zc_tcp_sends, bpf.progs.zc_direct_begins,
        bpf.progs.zc_uring_submit, bpf.progs.zc_uring_sqe, bpf.progs.zc_uring_overflow})
    bpf_program__set_autoload(program, arguments_of(program, kernel) > 0);
  for (bpf_program* program : {bpf.progs.zc_map_around, bpf.progs.zc_map_one})
    bpf_program__set_autoload(program, bpf.rodata->config.mapped != 0);
  bpf_program__set_autoload(bpf.progs.zc_retransmit,
                            options.channels && arguments_of(bpf.progs.zc_retransmit, kernel) > 0);
  bpf_program__set_autoload(bpf.progs.zc_sys_enter, options.latency);
  bpf_program__set_autoload(bpf.progs.zc_unacc_begins, options.verify);
  bpf_program__set_autoload(bpf.progs.zc_unacc_ends, options.verify);
  bpf_program__set_autoload(bpf.progs.zc_cgroup_move, !options.new_tasks.cgroups.empty());
  for (bpf_program* program : {bpf.progs.zc_sent, bpf.progs.zc_received})
    bpf_program__set_autoload(program, bpf.rodata->config.message_lengths != 0);
  if (!options.latency) bpf_program__set_autoload(bpf.progs.zc_direct_begins, false);
  // Since 6.15 it has one struct io_uring_cqe instead of the arguments before.
  const unsigned arguments = arguments_of(bpf.progs.zc_uring_done, kernel);
  bpf_program__set_autoload(bpf.progs.zc_uring_done, arguments == 3);
  bpf_program__set_autoload(bpf.progs.zc_uring_cqe, arguments >= 5);
  if (bpf_program__autoload(bpf.progs.zc_uring_submit))
    bpf_program__set_autoload(bpf.progs.zc_uring_sqe, false);
  bpf_program__set_autoload(bpf.progs.zc_sample, options.profile_hz != 0);
  for (bpf_program* program : {bpf.progs.zc_stack_skb, bpf.progs.zc_stack_tcp,
                               bpf.progs.zc_stack_cached, bpf.progs.zc_stack_dirty})
    bpf_program__set_autoload(program,
                              options.stack_bytes != 0 && arguments_of(program, kernel) > 0);
}

// `types`: where libbpf finds the types of the kernel; nullptr: it looks itself. Throws Error.
zctrace_bpf* open_object(const char* types) {
  bpf_object_open_opts how = {};
  how.sz = sizeof(how);
  how.btf_custom_path = types;
  zctrace_bpf* const bpf = zctrace_bpf__open_opts(&how);
  if (bpf == nullptr) throw bpf_load_error("cannot open the BPF object", errno);
  return bpf;
}

// libbpf looks in the modules for a type that the kernel itself lacks, such as struct vsock_sock.
// It needs CAP_SYS_ADMIN to list them, and without it refuses to load anything, although the
// programs can do without. It lists them once for an object, whether that works or not: a name that
// no kernel has makes it do so now, with no other effect.
void look_into_modules_if_allowed(const zctrace_bpf& bpf) {
  (void)bpf_program__set_attach_target(bpf.progs.zc_newtask, 0, "zctrace_no_such_name");
}

// Returns after every program that runs on another CPU now has ended. If the kernel lacks this
// call (CONFIG_MEMBARRIER, nohz_full), the read that follows takes longer than any program.
void wait_for_programs() { ::syscall(SYS_membarrier, MEMBARRIER_CMD_GLOBAL, 0, 0); }

static_assert(sizeof(zctrace_bpf::progs) / sizeof(bpf_program*) <= kMostPrograms);

}  // namespace

void Skeleton::Destroy::operator()(zctrace_bpf* bpf) const { zctrace_bpf__destroy(bpf); }

Skeleton::Skeleton(const ProbeOptions& options, const SyscallTable& table) {
  keep_bpf_warnings();
  if (options.run_times) measuring_ = measure_run_times();
  allow_parallel_loading();
  const NeededTypes types;
  const auto open = [&](const char* path) {
    bpf_.reset(open_object(path));
    size_maps(*bpf_, options);
  };
  open(types.path());
  std::optional<EarlyMaps> maps(bpf_->obj);
  const KernelTypes kernel;
  // Only names of channels need types that may be in modules, those of vsock.
  if (!types.write(bpf_object__btf(bpf_->obj), kernel, options.channels)) {
    maps.reset();
    open(nullptr);
    look_into_modules_if_allowed(*bpf_);
  }
  configure(*bpf_, options, table, kernel);
  choose_programs(*bpf_, options, kernel);
  if (maps) maps->hand_over();
  disk_accounting_ = options.latency && kernel.has_member("task_io_accounting", "read_bytes");
  io_accounting_ = kernel.has_member("task_io_accounting", "rchar");
  const auto load = [this] { return zctrace_bpf__load(bpf_.get()); };
  if (const int error = load_in_parallel(load, bpf_->maps.rodata, kernel); error != 0)
    throw bpf_load_error("cannot load the BPF programs", -error);
  // The programs that begin to observe new tasks come last, because every call and the end of a
  // task that they observe must be seen.
  const std::pair<bpf_program*, bpf_link**> beginners[] = {
      {bpf_->progs.zc_newtask, &bpf_->links.zc_newtask},
      {bpf_->progs.zc_exec, &bpf_->links.zc_exec},
      {bpf_->progs.zc_cgroup_move, &bpf_->links.zc_cgroup_move},
  };
  for (const auto& [program, link] : beginners) bpf_program__set_autoattach(program, false);
  if (options.sliced) leave_to_slices(*bpf_);
  int error = zctrace_bpf__attach(bpf_.get());
  for (const auto& [program, link] : beginners) {
    if (error != 0 || !bpf_program__autoload(program)) continue;
    *link = bpf_program__attach(program);
    if (*link == nullptr) error = -errno;
  }
  if (error != 0)
    throw bpf_load_error("cannot attach the BPF programs to their tracepoints", -error);
}

Skeleton::~Skeleton() = default;

int Skeleton::rows_map() const { return bpf_map__fd(bpf_->maps.rows); }
int Skeleton::tallies_map() const { return bpf_map__fd(bpf_->maps.tallies); }
int Skeleton::folded_map() const { return bpf_map__fd(bpf_->maps.folded); }
int Skeleton::accounts_map() const { return bpf_map__fd(bpf_->maps.accounts); }
int Skeleton::commands_map() const { return bpf_map__fd(bpf_->maps.commands); }
int Skeleton::kernel_counts_map() const { return bpf_map__fd(bpf_->maps.kernel_counts); }
int Skeleton::pipes_map() const { return bpf_map__fd(bpf_->maps.pipes); }
std::uint32_t Skeleton::pipes_capacity() const { return bpf_map__max_entries(bpf_->maps.pipes); }
int Skeleton::wanted_pids_map() const { return bpf_map__fd(bpf_->maps.wanted_pids); }

int Skeleton::runs_map() const {
  return bpf_map__fd(bpf_->bss->runs_active != 0 ? bpf_->maps.runs_odd : bpf_->maps.runs_even);
}
std::uint32_t Skeleton::runs_used() const { return bpf_->bss->runs_used; }
std::uint32_t Skeleton::runs_capacity() const { return bpf_->rodata->config.most.runs; }

int Skeleton::exchange_runs() {
  const int before = runs_map();
  __atomic_fetch_xor(&bpf_->bss->runs_active, 1U, __ATOMIC_SEQ_CST);
  __atomic_store_n(&bpf_->bss->runs_used, 0U, __ATOMIC_RELAXED);
  // Returns after every program that runs on another CPU now has ended.
  return ::syscall(SYS_membarrier, MEMBARRIER_CMD_GLOBAL, 0, 0) == 0 ? before : -1;
}

int Skeleton::named_map() const { return bpf_map__fd(bpf_->maps.named); }
int Skeleton::retransmits_map() const { return bpf_map__fd(bpf_->maps.retransmits); }
bool Skeleton::has_retransmits() const { return bpf_program__autoload(bpf_->progs.zc_retransmit); }
bool Skeleton::has_mapped() const { return bpf_->rodata->config.mapped != 0; }
int Skeleton::mapped_map() const { return bpf_map__fd(bpf_->maps.mapped); }
std::uint32_t Skeleton::mapped_capacity() const { return bpf_->rodata->config.most.mapped; }
int Skeleton::names_map() const { return bpf_map__fd(bpf_->maps.names); }
std::uint64_t Skeleton::names_lost() const { return bpf_->bss->names_lost; }
int Skeleton::relays_map() const { return bpf_map__fd(bpf_->maps.relays); }
int Skeleton::buffers_map() const { return bpf_map__fd(bpf_->maps.buffers); }
int Skeleton::sample_program() const { return bpf_program__fd(bpf_->progs.zc_sample); }
int Skeleton::samples_map() const { return bpf_map__fd(bpf_->maps.samples); }
std::uint64_t Skeleton::samples_lost() const { return bpf_->bss->samples_lost; }
int Skeleton::stacks_map() const { return bpf_map__fd(bpf_->maps.stacks); }
std::uint64_t Skeleton::stacks_lost() const { return bpf_->bss->stacks_lost; }

int Skeleton::aio_contexts_map() const { return bpf_map__fd(bpf_->maps.aio_contexts); }
int Skeleton::aio_requests_map() const { return bpf_map__fd(bpf_->maps.aio_requests); }
bool Skeleton::aio_used() const { return bpf_->bss->aio_used != 0; }

std::vector<char> Skeleton::walk(std::uint32_t walk, std::uint32_t pid) {
  bpf_->bss->walk = walk;
  bpf_->bss->armed_pid = pid;
  const Descriptor iterator(bpf_iter_create(bpf_link__fd(bpf_->links.zc_walk)));
  if (!iterator) throw system_error("cannot start the task walk", errno);
  std::vector<char> written;
  std::size_t used = 0;
  for (;;) {
    if (written.size() - used < 65536) written.resize(written.size() + (1 << 18));
    const ssize_t n = ::read(iterator.get(), written.data() + used, written.size() - used);
    if (n < 0 && (errno == EINTR || errno == EAGAIN)) continue;
    if (n < 0) throw system_error("cannot read the task walk", errno);
    if (n == 0) break;
    used += static_cast<std::size_t>(n);
  }
  written.resize(used);
  return written;
}

void Skeleton::replace_cgroup(std::size_t index, std::uint64_t id) {
  __atomic_store_n(&bpf_->bss->cgroup_targets[index], id, __ATOMIC_RELAXED);
}

std::uint64_t Skeleton::walk_observed() const { return bpf_->bss->walk_observed; }

std::uint64_t Skeleton::walk_found() const { return bpf_->bss->walk_found; }

std::uint64_t Skeleton::walk_failed() const { return bpf_->bss->walk_failed; }

std::uint64_t Skeleton::walk_no_account() const { return bpf_->bss->walk_no_account; }

bool Skeleton::take_walk_wanted() {
  return __atomic_exchange_n(&bpf_->bss->walk_wanted, 0U, __ATOMIC_RELAXED) != 0;
}

void Skeleton::give_back(std::uint32_t share, __u32 zc_share::*entries) {
  if (share >= ZC_SHARES) return;
  __atomic_fetch_sub(&(bpf_->bss->shares[share].*entries), 1U, __ATOMIC_RELAXED);
}

std::uint64_t Skeleton::folded_rows() const { return bpf_->bss->rows_folded; }

void Skeleton::count_loss(std::uint32_t reason, std::uint64_t count) {
  __atomic_fetch_add(&bpf_->bss->losses[reason], count, __ATOMIC_RELAXED);
}

void Skeleton::stop_counting() {
  // Detaches from exits first, or a call whose entry was not seen would look like one that seccomp
  // denied.
  for (bpf_link** link :
       {&bpf_->links.zc_sys_exit, &bpf_->links.zc_sys_enter, &bpf_->links.zc_uring_cqe,
        &bpf_->links.zc_uring_done, &bpf_->links.zc_uring_overflow, &bpf_->links.zc_sent,
        &bpf_->links.zc_received}) {
    bpf_link__destroy(*link);
    *link = nullptr;
  }
  wait_for_programs();
}

std::chrono::steady_clock::time_point Skeleton::open_slice() {
  attach_for_slice(*bpf_);
  *window() = 1;
  return std::chrono::steady_clock::now();
}

std::chrono::steady_clock::time_point Skeleton::close_slice() {
  const auto end = std::chrono::steady_clock::now();
  *window() = 0;
  detach_after_slice(*bpf_);
  wait_for_programs();
  return end;
}

bool Skeleton::has_message_lengths() const { return bpf_->rodata->config.message_lengths != 0; }

std::uint64_t Skeleton::untimed_ns() const { return bpf_->bss->untimed_ns; }

std::uint64_t Skeleton::in_flight_at_start() const { return bpf_->bss->in_flight_at_start; }

volatile std::uint32_t* Skeleton::window() { return &bpf_->bss->window_open; }

std::uint64_t Skeleton::loss(std::uint32_t reason) const { return bpf_->bss->losses[reason]; }

std::uint64_t Skeleton::missed_runs() const { return zctrace::missed_runs(bpf_->obj); }

std::vector<BpfRunTime> Skeleton::bpf_run_times() const {
  return zctrace::bpf_run_times(bpf_->obj);
}

}  // namespace zctrace
