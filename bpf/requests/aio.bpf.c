// SPDX-License-Identifier: GPL-2.0
/* Counts the requests of native AIO when they complete, see aio.bpf.h. */
#include "aio_notes.bpf.h"
#include "bpf/channels/channels.bpf.h"
#include "bpf/identity/pids.bpf.h"
#include "bpf/pipes.bpf.h"
#include "bpf/rows.bpf.h"

#define AIO_RING_MAGIC 0xa10a10a1

__u32 aio_used = 0;
/* The number of the latest context. */
__u64 aio_numbers = 0;

static const struct zc_aio_process no_contexts = {};

/* The head of what the process maps; its address is the context's id. */
struct zc_aio_ring {
	__u32 id;
	__u32 capacity;
	__u32 head;
	__u32 tail;
	__u32 magic;
	__u32 features[2];
	__u32 header_bytes;
};

/* A part of struct io_event: the stack that nested functions share is small. */
struct zc_aio_event {
	__u64 request;	/* the address of its struct iocb */
	__s64 result;
};

#define ZC_AIO_EVENT_BYTES 32
#define ZC_AIO_EVENT_PART 8

static const struct zc_aio_note counted = {};

/* The smallest page: if one event cannot be read, nor can the others in it. */
#define ZC_PAGE_BYTES 4096

struct zc_aio_look {
	struct zc_task *task;
	struct zc_aio_seen *seen;
	struct zc_aio_request request;
	__u64 events;
	__u32 capacity;
	__u32 first;
	__u32 left;	/* how many events it may still look at */
	__u32 missing_page;	/* of events; its number plus 1 */
};

/* Replaces an address in the contexts of a process. */
struct zc_aio_exchange {
	struct zc_aio_process *process;
	__u64 before;
	__u64 after;
	__u32 done;
};

int zc_aio_read(__u64 address, struct zc_aio_note *note)
{
	__u32 *faults = zc_aio_faults();
	struct zc_iocb iocb = {};

	if (!note || !faults)
		return 0;
	if (bpf_probe_read_user(&iocb, sizeof(iocb), (void *)(address + ZC_IOCB_PART))) {
		++*faults;
		return 0;
	}
	switch (iocb.opcode) {
	case IOCB_CMD_PREAD:
	case IOCB_CMD_PREADV:
		note->row = config.aio_read_row;
		break;
	case IOCB_CMD_PWRITE:
	case IOCB_CMD_PWRITEV:
		note->row = config.aio_write_row;
		break;
	default:
		return 0;
	}
	note->end = zc_current_fd_end(iocb.fd);
	if (config.channels)
		zc_file_channel(zc_current_file(iocb.fd), &note->channel);
	return 1;
}

/*
 * What is known of a completed request; false if it moves no bytes. If its io_submit()
 * has not returned yet, nothing is noted; a note without a row then
 * tells zc_aio_submit_one() that it is counted.
 */
static __always_inline bool zc_aio_take(struct zc_aio_look *look, struct zc_aio_note *note)
{
	const struct zc_aio_request *request = &look->request;
	struct zc_aio_seen *seen = look->seen;
	struct zc_aio_note *noted = bpf_map_lookup_elem(&aio_requests, request);

	if (noted && noted->row) {
		*note = *noted;
		bpf_map_delete_elem(&aio_requests, request);
		return true;
	}
	if (!noted && seen->unnoted) {
		__sync_fetch_and_sub(&seen->unnoted, 1);
		return zc_aio_read(request->address, note);
	}
	if (!zc_aio_read(request->address, note))
		return false;
	__sync_fetch_and_add(&seen->early, 1);
	/* If its io_submit() noted it at this very moment, the note is used up. */
	if (!noted && !zc_aio_add_note(request, &counted))
		bpf_map_delete_elem(&aio_requests, request);
	return true;
}

/* An event that is not read: its request is lost now, and not once more with its context. */
static __always_inline long zc_aio_miss(struct zc_aio_seen *seen)
{
	if (seen->unnoted)
		__sync_fetch_and_sub(&seen->unnoted, 1);
	zc_lose(ZC_LOST_AIO_RESULTS, 1);
	return 0;
}

static long zc_aio_count_one(__u32 index, struct zc_aio_look *look)
{
	__u32 place = (look->first + index) % look->capacity;
	struct zc_aio_event event = {};
	struct zc_aio_note note = {};
	__u64 address = look->events + place * ZC_AIO_EVENT_BYTES;
	__u32 page = address / ZC_PAGE_BYTES + 1;
	__u64 from = ZC_USER, to = ZC_USER;
	__u32 *faults = zc_aio_faults();
	__u32 before;
	struct zc_row *row;
	struct zc_key key;
	__u32 slot;

	if (!faults)
		return 1;
	before = *faults;
	if (page == look->missing_page || before >= ZC_AIO_FAULTS)
		return zc_aio_miss(look->seen);
	if (bpf_probe_read_user(&event, sizeof(event), (void *)address)) {
		look->missing_page = page;
		return zc_aio_miss(look->seen);
	}
	look->request.address = event.request;
	if (!zc_aio_take(look, &note)) {
		if (*faults != before)
			zc_lose(ZC_LOST_AIO_RESULTS, 1);
		return 0;
	}
	if (note.row == config.aio_read_row)
		from = note.end;
	else
		to = note.end;
	key = zc_key_of(note.row, from, to);
	slot = zc_row_slot(look->task, key);
	row = zc_task_row(look->task, slot);
	if (!row)
		return 1;
	if (config.channels && note.row == config.aio_read_row)
		zc_run_use(look->task, slot, key, &note.channel, 0);
	else if (config.channels)
		zc_run_use(look->task, slot, key, 0, &note.channel);
	row->calls++;
	if (event.result < 0) {
		row->errors++;
		zc_tally_error(look->task->head.account, key, -event.result);
	}
	if (event.result <= 0)
		return 0;
	row->bytes += event.result;
	if (ZC_END_PIPE(note.end))
		zc_pipe_request(&look->task->head, from, to, ZC_RESULT_BYTES, event.result);
	return 0;
}

/* NULL: there is none. It is valid until the next read: the stack has no space for it. */
static __always_inline struct zc_aio_ring *zc_aio_ring(__u64 address)
{
	__u32 only = 0;
	struct zc_aio_ring *ring = bpf_map_lookup_elem(&chunks, &only);

	if (ring && !bpf_probe_read_user(ring, sizeof(*ring), (void *)address) &&
	    ring->magic == AIO_RING_MAGIC && ring->capacity)
		return ring;
	return 0;
}

static __always_inline void zc_aio_look_once(struct zc_aio_look *look, struct zc_aio_seen *seen,
					     __u64 address)
{
	struct zc_aio_ring *ring = zc_aio_ring(address);
	__u32 gained;

	if (!ring || ring->tail == seen->tail)
		return;
	look->events = address + ring->header_bytes + ZC_AIO_EVENT_PART;
	look->capacity = ring->capacity;
	look->first = seen->tail;
	gained = (ring->tail + ring->capacity - seen->tail) % ring->capacity;
	if (gained > look->left)
		gained = look->left;
	look->left -= gained;
	seen->tail = (seen->tail + gained) % ring->capacity;
	bpf_loop(gained < ZC_AIO_MOST ? gained : ZC_AIO_MOST, zc_aio_count_one, look, 0);
}

static long zc_aio_exchange_one(__u32 index, struct zc_aio_exchange *exchange)
{
	__u64 *place = &exchange->process->contexts[index % ZC_AIO_CONTEXTS];

	if (*place != exchange->before ||
	    __sync_val_compare_and_swap(place, exchange->before, exchange->after) !=
		    exchange->before)
		return 0;
	exchange->done = 1;
	return 1;
}

/* Adds a context to those of its process, or removes it; false if there is no space. */
static __noinline bool zc_aio_list(__u64 process, __u64 before, __u64 after)
{
	struct zc_aio_exchange exchange = { .before = before, .after = after };

	exchange.process = bpf_map_lookup_elem(&aio_processes, &process);
	if (!exchange.process && after) {
		bpf_map_update_elem(&aio_processes, &process, &no_contexts, BPF_NOEXIST);
		exchange.process = bpf_map_lookup_elem(&aio_processes, &process);
	}
	if (!exchange.process)
		return false;
	bpf_loop(ZC_AIO_CONTEXTS, zc_aio_exchange_one, &exchange, 0);
	return exchange.done;
}

/* Begins to count the events of a context from `tail` on; false if there is no space. */
static __noinline bool zc_aio_add(struct zc_aio_context *context, __u32 tail)
{
	struct zc_aio_seen seen = { .tail = tail };
	struct zc_share *share;

	aio_used = 1;
	seen.share = zc_share_of(zc_address(bpf_get_current_task_btf()));
	share = zc_share_at(seen.share);
	if (share->aio_contexts >= config.most.aio_contexts)
		return false;
	seen.number = __sync_fetch_and_add(&aio_numbers, 1) + 1;
	if (bpf_map_update_elem(&aio_contexts, context, &seen, BPF_NOEXIST))
		return false;
	if (zc_aio_list(context->process, 0, context->address)) {
		__sync_fetch_and_add(&share->aio_contexts, 1);
		return true;
	}
	bpf_map_delete_elem(&aio_contexts, context);
	return false;
}

__u32 zc_aio_look_at(__u64 address, __u32 most)
{
	struct zc_aio_context context = { .process = zc_process(), .address = address };
	struct zc_aio_look look = { .left = most };
	struct zc_aio_ring *ring;
	struct zc_aio_seen *seen;

	look.task = zc_task_find(bpf_get_current_task_btf());
	if (!look.task || !zc_counting())
		return 0;
	seen = bpf_map_lookup_elem(&aio_contexts, &context);
	if (!seen) {
		/* From before observation began; what has completed by now does not count. */
		ring = zc_aio_ring(address);
		return ring && zc_aio_add(&context, ring->tail);
	}
	zc_aio_begin_reads();
	look.seen = seen;
	look.request.context = seen->number;
	/*
	 * A thread that arrives while another one looks makes it look once more. What even that
	 * look misses stays in the ring until the next one: the kernel overwrites it only after
	 * many more requests. Each further try would be verified anew.
	 */
	if (__sync_fetch_and_add(&seen->lookers, 1))
		return 1;
	for (int tries = 0; tries < 2; tries++) {
		seen->lookers = 1;
		barrier();
		zc_aio_look_once(&look, seen, address);
		if (__sync_val_compare_and_swap(&seen->lookers, 1, 0) == 1)
			return most - look.left + 1;
	}
	__sync_lock_test_and_set(&seen->lookers, 0);
	return most - look.left + 1;
}

int zc_aio_set_up(__u64 address)
{
	struct zc_aio_context context = { .process = zc_process() };

	if (bpf_probe_read_user(&context.address, sizeof(context.address), (void *)address) ||
	    !context.address)
		return 0;
	/* An unseen request had the same address. */
	zc_aio_forget(context.address);
	zc_aio_add(&context, 0);
	return 0;
}

/* The collector counts the noted requests that were not seen to complete. */
static __always_inline bool zc_aio_remove(const struct zc_aio_context *context)
{
	struct zc_aio_seen *seen = bpf_map_lookup_elem(&aio_contexts, context);
	__u32 unnoted, share;

	if (!seen)
		return false;
	unnoted = seen->unnoted;
	share = seen->share;
	if (bpf_map_delete_elem(&aio_contexts, context))
		return false;
	__sync_fetch_and_sub(&zc_share_at(share)->aio_contexts, 1);
	zc_lose(ZC_LOST_AIO_RESULTS, unnoted);
	return true;
}

int zc_aio_forget(__u64 address)
{
	struct zc_aio_context context = { .process = zc_process(), .address = address };

	if (zc_aio_remove(&context))
		zc_aio_list(context.process, address, 0);
	return 0;
}

struct zc_aio_ending {
	struct zc_aio_process *process;
	__u64 start;	/* of the process */
	__u32 left;	/* events that may still be looked at */
};

static long zc_aio_end_one(__u32 index, struct zc_aio_ending *ending)
{
	struct zc_aio_context context = { .process = ending->start };
	__u32 looked = 0;

	context.address = ending->process->contexts[index % ZC_AIO_CONTEXTS];
	if (!context.address)
		return 0;
	if (ending->left)
		looked = zc_aio_look_at(context.address, ending->left);
	if (looked > 1)
		ending->left -= looked - 1;
	zc_aio_remove(&context);
	return 0;
}

static __always_inline int zc_aio_end(__u32 most)
{
	struct zc_aio_ending ending = { .start = zc_process(), .left = most };

	ending.process = bpf_map_lookup_elem(&aio_processes, &ending.start);
	if (!ending.process)
		return 0;
	bpf_loop(ZC_AIO_CONTEXTS, zc_aio_end_one, &ending, 0);
	bpf_map_delete_elem(&aio_processes, &ending.start);
	return 0;
}

int zc_aio_forget_all(void)
{
	return zc_aio_end(0);
}

int zc_aio_exit(void)
{
	return zc_aio_end(ZC_AIO_MOST);
}
