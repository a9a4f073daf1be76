// SPDX-License-Identifier: GPL-2.0
/*
 * A sample of what a CPU does for an observed task, at each tick of a clock. User space
 * opens the clocks, and finds out what the addresses mean. Without --profile neither the
 * program nor the map exists.
 */
#include "identity/pids.bpf.h"
#include "tasks.bpf.h"

struct bpf_perf_event_data;

/* Samples that user space has not read yet; it sets the size by the rate. */
struct {
	__uint(type, BPF_MAP_TYPE_RINGBUF);
	__uint(max_entries, 1 << 18);
} samples SEC(".maps");

/* Samples of observed tasks without space in `samples`. */
__u64 samples_lost = 0;

/*
 * Interrupts an observed task, and perhaps another program that is about to change the
 * task's state. It reads each of the fields once, and changes none.
 */
static __always_inline void zc_sample_call(struct zc_task *state, struct zc_sample *sample)
{
	struct zc_key *key = zc_task_key(state, state->head.slot);

	sample->account = state->head.account;
	sample->in_call = state->head.call >= 0 && key;
	sample->key.word = sample->in_call ? key->word : 0;
}

/*
 * Before 6.2 a look-up fails if it interrupts another one on this CPU, which is then one of
 * these programs. User space knows the account by the process.
 */
static __always_inline void zc_sample_process(const struct task_struct *task,
					      struct zc_sample *sample)
{
	sample->account = 0;
	sample->pid = zc_namespace_pid(zc_leader_of(task));
	sample->tid = zc_namespace_pid(task);
	sample->in_call = 0;
	sample->key.word = 0;
}

SEC("?perf_event")
int zc_sample(struct bpf_perf_event_data *ctx)
{
	struct task_struct *task = bpf_get_current_task_btf();
	long ip = PT_REGS_IP((struct pt_regs *)ctx);
	struct zc_sample *sample;
	struct zc_task *state;
	long bytes;

	if (!zc_observed(task) || !zc_counting())
		return 0;
	sample = bpf_ringbuf_reserve(&samples, sizeof(*sample), 0);
	if (!sample) {
		__sync_fetch_and_add(&samples_lost, 1);
		return 0;
	}
	state = zc_task_state(task, 0);
	if (state)
		zc_sample_call(state, sample);
	else
		zc_sample_process(task, sample);
	/* The kernel is in the upper half of the addresses. */
	if (ip >= 0) {
		sample->frames = 0;
	} else {
		bytes = bpf_get_stack(ctx, sample->ip, sizeof(sample->ip), 0);
		if (bytes < 8) {
			sample->ip[0] = ip;
			bytes = 8;
		}
		sample->frames = bytes / 8;
	}
	bpf_ringbuf_submit(sample, BPF_RB_NO_WAKEUP);
	return 0;
}
