// SPDX-License-Identifier: GPL-2.0
/* Counts the requests of native AIO when they complete, see aio.bpf.h. */
#include "aio.bpf.h"
#include "bpf/pipes.bpf.h"
#include "bpf/rows.bpf.h"

#define AIO_RING_MAGIC 0xa10a10a1
/* The most events that are looked at, and requests noted, at once. */
#define ZC_AIO_MOST 65536
#define EEXIST 17

/* linux/aio_abi.h */
#define IOCB_CMD_PREAD 0
#define IOCB_CMD_PWRITE 1
#define IOCB_CMD_PREADV 7
#define IOCB_CMD_PWRITEV 8

__u32 aio_used = 0;

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

/*
 * Parts of struct io_event and struct iocb. The stack that nested functions share is
 * small, so only what is needed is read.
 */
struct zc_aio_event {
	__u64 request;	/* the address of its struct iocb */
	__s64 result;
};

#define ZC_AIO_EVENT_BYTES 32
#define ZC_AIO_EVENT_PART 8

struct zc_iocb {
	__u16 opcode;
	__u16 priority;
	__u32 fd;
};

#define ZC_IOCB_PART 16

static const struct zc_aio_note counted = {};

struct zc_aio_look {
	struct zc_task *task;
	struct zc_aio_request request;
	__u64 events;
	__u32 capacity;
	__u32 first;
};

struct zc_aio_submission {
	struct zc_aio_request request;
	__u64 requests;
	__u32 compat;
};

/* PIDs are reused, and many processes have a context at the same address. */
static __always_inline __u64 zc_process(void)
{
	return bpf_get_current_task_btf()->group_leader->start_boottime;
}

/* Reads the request itself; false if it moves no bytes. */
static __always_inline bool zc_aio_read(__u64 address, struct zc_aio_note *note)
{
	struct zc_iocb iocb = {};

	if (bpf_probe_read_user(&iocb, sizeof(iocb), (void *)(address + ZC_IOCB_PART)))
		return false;
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
		return false;
	}
	note->end = zc_current_fd_end(iocb.fd);
	return true;
}

/*
 * What is known of a completed request; false if it moves no bytes. If its io_submit()
 * has not returned yet, nothing is noted; a note without a row then
 * tells zc_aio_submit_one() that it is counted.
 */
static __always_inline bool zc_aio_take(const struct zc_aio_request *request,
					struct zc_aio_note *note)
{
	struct zc_aio_note *noted = bpf_map_lookup_elem(&aio_requests, request);

	if (noted && noted->row) {
		*note = *noted;
		bpf_map_delete_elem(&aio_requests, request);
		return true;
	}
	if (!zc_aio_read(request->address, note))
		return false;
	/* If its io_submit() noted it at this very moment, the note is used up. */
	if (!noted && bpf_map_update_elem(&aio_requests, request, &counted, BPF_NOEXIST) == -EEXIST)
		bpf_map_delete_elem(&aio_requests, request);
	return true;
}

static long zc_aio_count_one(__u32 index, struct zc_aio_look *look)
{
	__u32 place = (look->first + index) % look->capacity;
	struct zc_aio_event event = {};
	struct zc_aio_note note = {};
	__u64 from = ZC_USER, to = ZC_USER;
	struct zc_row *row;
	struct zc_key key;

	if (bpf_probe_read_user(&event, sizeof(event),
				(void *)(look->events + place * ZC_AIO_EVENT_BYTES))) {
		zc_lose(ZC_LOST_AIO_RESULTS, 1);
		return 0;
	}
	look->request.address = event.request;
	if (!zc_aio_take(&look->request, &note))
		return 0;
	if (note.row == config.aio_read_row)
		from = note.end;
	else
		to = note.end;
	key = zc_key_of(note.row, from, to);
	row = zc_task_row(look->task, zc_row_slot(look->task, key));
	if (!row)
		return 1;
	row->calls++;
	if (event.result < 0) {
		row->errors++;
		zc_tally(look->task->head.account, key.word, -event.result, 1);
	}
	if (event.result <= 0)
		return 0;
	row->bytes += event.result;
	if (ZC_END_PIPE(note.end))
		zc_pipes_add(look->task, zc_pipes_use(look->task, from, to, ZC_RESULT_BYTES),
			     event.result);
	return 0;
}

static __always_inline bool zc_aio_ring(__u64 address, struct zc_aio_ring *ring)
{
	return !bpf_probe_read_user(ring, sizeof(*ring), (void *)address) &&
	       ring->magic == AIO_RING_MAGIC && ring->capacity;
}

static __always_inline void zc_aio_look_once(struct zc_aio_look *look, struct zc_aio_seen *seen,
					     struct zc_aio_ring *ring)
{
	__u32 gained;

	if (!zc_aio_ring(look->request.context.address, ring) || ring->tail == seen->tail)
		return;
	look->events = look->request.context.address + ring->header_bytes + ZC_AIO_EVENT_PART;
	look->capacity = ring->capacity;
	look->first = seen->tail;
	gained = (ring->tail + ring->capacity - seen->tail) % ring->capacity;
	seen->tail = ring->tail;
	if (gained > ZC_AIO_MOST)
		zc_lose(ZC_LOST_AIO_RESULTS, gained - ZC_AIO_MOST);
	bpf_loop(gained < ZC_AIO_MOST ? gained : ZC_AIO_MOST, zc_aio_count_one, look, 0);
}

__u32 zc_aio_look(__u64 address)
{
	struct zc_aio_look look = {
		.request.context = { .process = zc_process(), .address = address },
	};
	struct zc_aio_seen *seen, first = {};
	struct zc_aio_ring ring = {};

	look.task = zc_task_find(bpf_get_current_task_btf());
	if (!look.task || !zc_counting())
		return 0;
	seen = bpf_map_lookup_elem(&aio_contexts, &look.request.context);
	if (!seen) {
		/* From before observation began; what has completed by now does not count. */
		if (!zc_aio_ring(address, &ring))
			return 0;
		first.tail = ring.tail;
		aio_used = 1;
		return !bpf_map_update_elem(&aio_contexts, &look.request.context, &first,
					    BPF_NOEXIST);
	}
	/* A thread that arrives while another one looks makes it look once more. */
	if (__sync_fetch_and_add(&seen->lookers, 1))
		return 1;
	for (int tries = 0; tries < 4; tries++) {
		seen->lookers = 1;
		barrier();
		zc_aio_look_once(&look, seen, &ring);
		if (__sync_val_compare_and_swap(&seen->lookers, 1, 0) == 1)
			return 1;
	}
	__sync_lock_test_and_set(&seen->lookers, 0);
	return 1;
}

int zc_aio_set_up(__u64 address)
{
	struct zc_aio_context context = { .process = zc_process() };
	struct zc_aio_seen seen = {};

	if (bpf_probe_read_user(&context.address, sizeof(context.address), (void *)address))
		return 0;
	aio_used = 1;
	bpf_map_update_elem(&aio_contexts, &context, &seen, BPF_ANY);
	return 0;
}

static long zc_aio_submit_one(__u32 index, struct zc_aio_submission *submission)
{
	__u64 pointer_bytes = submission->compat ? 4 : 8;
	struct zc_aio_note note = {};
	struct zc_aio_note *noted;
	__u64 address = 0;

	if (bpf_probe_read_user(&address, pointer_bytes,
				(void *)(submission->requests + index * pointer_bytes)))
		return 0;
	if (!zc_aio_read(address, &note))
		return 0;
	submission->request.address = address;
	/* If there is no space, the request is read when it completes. */
	if (bpf_map_update_elem(&aio_requests, &submission->request, &note, BPF_NOEXIST) != -EEXIST)
		return 0;
	noted = bpf_map_lookup_elem(&aio_requests, &submission->request);
	if (noted && noted->row)
		*noted = note;
	else
		bpf_map_delete_elem(&aio_requests, &submission->request);
	return 0;
}

int zc_aio_submitted(__u64 context, __u64 requests, __u32 count, __u32 compat)
{
	struct zc_aio_submission submission = {
		.request.context = { .process = zc_process(), .address = context },
		.requests = requests,
		.compat = compat,
	};

	bpf_loop(count < ZC_AIO_MOST ? count : ZC_AIO_MOST, zc_aio_submit_one, &submission, 0);
	return 0;
}

static long zc_aio_forget_context(struct bpf_map *map, const struct zc_aio_context *context,
				  struct zc_aio_seen *seen, struct zc_aio_context *gone)
{
	if (context->process == gone->process &&
	    (!gone->address || context->address == gone->address))
		bpf_map_delete_elem(map, context);
	return 0;
}

static long zc_aio_forget_request(struct bpf_map *map, const struct zc_aio_request *request,
				  struct zc_aio_note *note, struct zc_aio_context *gone)
{
	if (request->context.process != gone->process ||
	    (gone->address && request->context.address != gone->address))
		return 0;
	/* It was not seen to complete. */
	if (note->row)
		zc_lose(ZC_LOST_AIO_RESULTS, 1);
	bpf_map_delete_elem(map, request);
	return 0;
}

int zc_aio_forget(__u64 context)
{
	struct zc_aio_context gone = { .process = zc_process(), .address = context };

	bpf_for_each_map_elem(&aio_contexts, zc_aio_forget_context, &gone, 0);
	bpf_for_each_map_elem(&aio_requests, zc_aio_forget_request, &gone, 0);
	return 0;
}

static long zc_aio_last_look(struct bpf_map *map, const struct zc_aio_context *context,
			     struct zc_aio_seen *seen, struct zc_aio_context *process)
{
	if (context->process == process->process) {
		zc_aio_look(context->address);
		process->address = context->address;
	}
	return 0;
}

int zc_aio_exit(void)
{
	struct zc_aio_context process = { .process = zc_process() };

	bpf_for_each_map_elem(&aio_contexts, zc_aio_last_look, &process, 0);
	/* Its address was set if the process has a context. */
	return process.address ? zc_aio_forget(0) : 0;
}
