// SPDX-License-Identifier: GPL-2.0
/* Notes the requests that io_submit() has accepted, see aio.bpf.h. */
#include "aio_notes.bpf.h"
#include "bpf/channels/channels.bpf.h"

struct zc_aio_submission {
	struct zc_aio_seen *seen;
	struct zc_aio_request request;
	__u64 requests;
	__u32 compat;
	__u32 read;	/* requests that were read, or tried to */
};

/*
 * Only of requests that are noted here: where completed ones are counted, no space is left on
 * the stack.
 */
static __always_inline void zc_aio_name(__u64 address, const struct zc_aio_note *note)
{
	struct zc_iocb iocb = {};

	if (!bpf_probe_read_user(&iocb, sizeof(iocb), (void *)(address + ZC_IOCB_PART)))
		zc_name(zc_current_file(iocb.fd), &note->channel,
			ZC_END_KIND(note->end));
}

static long zc_aio_submit_one(__u32 index, struct zc_aio_submission *submission)
{
	__u64 pointer_bytes = submission->compat ? 4 : 8;
	struct zc_aio_note note = {};
	__u32 *faults = zc_aio_faults();
	struct zc_aio_note *noted;
	__u64 address = 0;

	if (!faults || *faults >= ZC_AIO_FAULTS)
		return 1;
	submission->read = index + 1;
	if (bpf_probe_read_user(&address, pointer_bytes,
				(void *)(submission->requests + index * pointer_bytes))) {
		++*faults;
		return 0;
	}
	if (!zc_aio_read(address, &note))
		return 0;
	if (config.channels)
		zc_aio_name(address, &note);
	submission->request.address = address;
	/* If there is no space, the request is read when it completes. */
	if (zc_aio_add_note(&submission->request, &note))
		return 0;
	noted = bpf_map_lookup_elem(&aio_requests, &submission->request);
	if (noted && noted->row) {
		*noted = note;
		return 0;
	}
	bpf_map_delete_elem(&aio_requests, &submission->request);
	if (submission->seen->early)
		__sync_fetch_and_sub(&submission->seen->early, 1);
	return 0;
}

int zc_aio_submitted(__u64 address, __u64 requests, __u32 count, __u32 compat)
{
	struct zc_aio_context context = { .process = zc_process(), .address = address };
	struct zc_aio_submission submission = { .requests = requests, .compat = compat };
	struct zc_aio_seen *seen = bpf_map_lookup_elem(&aio_contexts, &context);
	__u32 early;

	if (!seen)
		return 0;
	zc_aio_begin_reads();
	submission.seen = seen;
	submission.request.context = seen->number;
	bpf_loop(count < ZC_AIO_MOST ? count : ZC_AIO_MOST, zc_aio_submit_one, &submission, 0);
	count -= submission.read;
	early = __sync_lock_test_and_set(&seen->early, 0);
	if (count > early)
		__sync_fetch_and_add(&seen->unnoted, count - early);
	return 0;
}
