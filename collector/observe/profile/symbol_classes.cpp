// SPDX-License-Identifier: MIT
// The table of functions. It is the one place that depends on the names inside a kernel, and a test
// looks each of them up in the running kernel.
//
// A sample belongs to the innermost function that the table names: a helper that it does not name
// works for its caller. So most entries name a subsystem by its prefix, and single functions only
// where their own work matters: what copies, clears, locks. Two kinds of names are left out on
// purpose: functions that only enable interrupts again (_raw_spin_unlock_irqrestore), because a
// clock that ticked while interrupts were disabled is seen there; and small accesses to user memory
// (get_user), which copy no payload.
#include "collector/observe/profile/symbol_classes.h"

#include <algorithm>

namespace zctrace {
namespace {

struct SymbolGroup {
  CpuClass cpu_class;
  std::string_view only;
  std::string_view patterns;  // separated by spaces
};

// clang-format off
constexpr SymbolGroup kGroups[] = {
    {CpuClass::copy, "",
     "_copy_to_iter _copy_from_iter _copy_from_iter_nocache _copy_from_iter_flushcache "
     "copy_folio_from_iter_atomic copy_page_to_iter copy_page_from_iter "
     "csum_partial_copy_generic csum_and_copy_to_iter csum_and_copy_from_iter_full "
     "_copy_to_user _copy_from_user rep_movs_alternative memcpy __memcpy memcpy_orig "
     "memmove __memmove __memcpy_flushcache copy_page copy_page_regs "
     "copy_mc_enhanced_fast_string copy_mc_to_kernel copy_mc_to_user "
     "copy_user_large_folio"},
    {CpuClass::copy, "6.12",
     "copy_page_from_iter_atomic"},
    {CpuClass::copy, "6.1",
     "memcpy_erms copy_user_enhanced_fast_string copy_user_generic_unrolled "
     "copy_user_generic_string"},
    {CpuClass::copy, "arm64",
     "__arch_copy_to_user __arch_copy_from_user copy_highpage"},
    {CpuClass::zero, "",
     "clear_page_erms clear_page_rep clear_page_orig memset __memset memset_orig "
     "rep_stos_alternative iov_iter_zero folio_zero_user read_iter_zero read_zero"},
    {CpuClass::zero, "6.1",
     "memset_erms clear_user_erms clear_huge_page"},
    {CpuClass::zero, "arm64",
     "clear_page __arch_clear_user"},
    {CpuClass::crypto, "",
     "aes_* crypto_* chacha_* sha1_* sha256_* sha512_* blake2s_* skcipher_* aead_*"},
    {CpuClass::checksum, "",
     "csum_partial csum_ipv6_magic crc32* skb_checksum* __skb_checksum* xxh64*"},
    {CpuClass::checksum, "6.12",
     "crc_t10dif*"},
    {CpuClass::checksum, "arm64",
     "do_csum"},
    {CpuClass::allocate, "",
     "kmem_cache_* __kmem_cache_* kmalloc_* __kmalloc* kfree kvfree* __slab_* "
     "___slab_alloc slab_* get_page_from_freelist __alloc_pages* "
     "__alloc_frozen_pages_noprof alloc_pages* free_pages* free_unref_* "
     "free_frozen_page* __rmqueue* folio_alloc* __folio_alloc* vma_* mas_* mt_* mtree_* "
     "do_mmap mmap_region __mmap_region unmap_* zap_* handle_mm_fault __handle_mm_fault "
     "do_anonymous_page do_fault* do_wp_page flush_tlb_* tlb_* mem_cgroup_* "
     "__mem_cgroup_* charge_memcg try_charge_memcg obj_cgroup_* mod_lruvec_* "
     "__mod_lruvec_* mod_node_page_state lru_* folio_add_lru* folios_put_refs "
     "folio_batch_* release_pages do_vmi_* do_munmap do_brk_flags exit_mmap dup_mm* "
     "copy_page_range free_pgtables anon_vma_* unlink_anon_vmas refill_obj_stock "
     "get_mem_cgroup_from_mm do_madvise mprotect_fixup do_mprotect_pkey"},
    {CpuClass::allocate, "6.12",
     "do_user_addr_fault"},
    {CpuClass::allocate, "6.1",
     "rmqueue* wp_page_copy"},
    {CpuClass::allocate, "arm64",
     "do_page_fault do_mem_abort"},
    {CpuClass::page_cache, "",
     "filemap_* __filemap_* page_cache_* pagecache_get_page find_get_* find_lock_* xas_* "
     "xa_* folio_mark_* __folio_mark_dirty folio_wait_* folio_unlock folio_end_* "
     "balance_dirty_pages* truncate_* invalidate_* next_uptodate_folio read_pages "
     "do_writepages"},
    {CpuClass::page_cache, "6.12",
     "write_cache_pages"},
    {CpuClass::filesystem, "",
     "ext4_* __ext4_* jbd2_* xfs_* btrfs_* shmem_* iomap_* fuse_* ovl_* vfs_* do_splice* "
     "splice_* __splice_* do_sendfile iter_file_splice_write generic_file_* "
     "generic_perform_write pipe_* ksys_* rw_verify_area fsnotify* __fsnotify* "
     "do_sys_open* path_* link_path_walk do_filp_open d_* __d_* dput mntput* inode_* "
     "touch_atime file_update_time* block_* __block_* mark_buffer_dirty submit_bio* "
     "bio_* blk_* __fput fput fdget* fget* do_iter_* copy_splice_read "
     "direct_splice_actor write_null pipe_to_null security_file_* simple_* dquot_* "
     "__dquot_* aio_* io_read io_write __io_read do_readv do_writev do_preadv"},
    {CpuClass::filesystem, "6.12",
     "nfs_*"},
    {CpuClass::filesystem, "6.1",
     "generic_splice_sendpage"},
    {CpuClass::network, "",
     "tcp_* __tcp_* udp_* __udp_* ip_* __ip_* ip6_* ipv6_* inet_* __inet_* inet6_* "
     "sock_* __sock_* sk_* __sk_* skb_* __skb_* kfree_skb* consume_skb __alloc_skb "
     "alloc_skb* __napi_* napi_* net_* dev_* __dev_* netif_* __netif_* unix_* loopback_* "
     "eth_* nf_* nft_* qdisc_* sch_direct_xmit veth_* virtnet_* process_backlog "
     "release_sock __release_sock lock_sock_nested tls_* neigh_* dst_* fib_* "
     "__sys_sendto __sys_recvfrom ____sys_sendmsg ____sys_recvmsg __sys_sendmsg "
     "__sys_recvmsg packet_* vsock_* netlink_* io_send io_recv"},
    {CpuClass::network, "6.1",
     "kernel_sendpage inet_sendpage"},
    {CpuClass::lock, "",
     "_raw_spin_lock* _raw_spin_trylock* _raw_spin_unlock _raw_read_lock* "
     "_raw_read_unlock _raw_write_lock* _raw_write_unlock "
     "native_queued_spin_lock_slowpath queued_read_lock_slowpath "
     "queued_write_lock_slowpath mutex_* __mutex_* down_read* down_write* up_read "
     "up_write rwsem_* osq_lock futex_* __futex_* do_futex"},
    {CpuClass::schedule, "",
     "schedule __schedule schedule_* finish_task_switch try_to_wake_up wake_up_* "
     "__wake_up* ttwu_* pick_next_* pick_task_* enqueue_* dequeue_* update_curr* "
     "update_load_avg switch_mm* __switch_to* select_task_rq* sched_* prepare_to_wait* "
     "finish_wait autoremove_wake_function ep_* do_epoll_* do_sys_poll do_select "
     "core_sys_select do_nanosleep do_wait __pollwait"},
    {CpuClass::entry, "",
     "do_syscall_64 entry_SYSCALL_64* x64_sys_call syscall_* exit_to_user_mode* "
     "irqentry_* exc_* asm_exc_* error_entry __seccomp_filter do_fast_syscall_32 "
     "do_int80_emulation"},
    {CpuClass::entry, "arm64",
     "el0_svc* el0t_64_sync* invoke_syscall do_el0_svc el0_da"},
    {CpuClass::other, "",
     "__x64_sys_* __ia32_sys_* __do_sys_* sysvec_* asm_sysvec_* common_interrupt "
     "asm_common_interrupt irq_exit_rcu bpf_* __bpf_* perf_*"},
    {CpuClass::other, "arm64",
     "__arm64_sys_* el1h_64_irq*"},
};
// clang-format on

std::vector<SymbolClass> table_of_groups() {
  std::vector<SymbolClass> table;
  for (const SymbolGroup& group : kGroups) {
    for (std::string_view rest = group.patterns; !rest.empty();) {
      const std::size_t end = std::min(rest.find(' '), rest.size());
      table.push_back({rest.substr(0, end), group.cpu_class, group.only});
      rest.remove_prefix(std::min(end + 1, rest.size()));
    }
  }
  return table;
}

}  // namespace

const std::vector<SymbolClass>& symbol_table() {
  static const std::vector<SymbolClass> table = table_of_groups();
  return table;
}

SymbolClasses::SymbolClasses() {
  for (const SymbolClass& entry : symbol_table()) {
    std::string_view name = entry.pattern;
    if (!name.ends_with('*')) {
      functions_.emplace(name, entry.cpu_class);
      continue;
    }
    name.remove_suffix(1);
    beginnings_.emplace(name, entry.cpu_class);
    longest_beginning_ = std::max(longest_beginning_, name.size());
  }
}

std::optional<CpuClass> SymbolClasses::find(std::string_view symbol) const {
  if (const auto found = functions_.find(symbol); found != functions_.end()) return found->second;
  for (std::size_t length = std::min(symbol.size(), longest_beginning_); length > 0; length--)
    if (const auto found = beginnings_.find(symbol.substr(0, length)); found != beginnings_.end())
      return found->second;
  return std::nullopt;
}

}  // namespace zctrace
