/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Which calls are timed. A clock read costs more than everything else that an entry does, so with
 * config.adaptive a row that had many calls has only some of them timed, chosen at random: a fixed
 * distance would always meet the same calls of a program that repeats itself. User space estimates
 * the time of the others, see collector/model/timing/estimate.h.
 */
#ifndef ZC_SAMPLING_H
#define ZC_SAMPLING_H

#include "bpf/tasks.bpf.h"

/*
 * For tests: every call is timed, but what is not chosen is added up here only, so that the estimate
 * can be compared with the truth. In entered_ns, a bit then says whether the call was chosen.
 */
extern const volatile __u8 estimates_checked;
extern __u64 untimed_ns;

/* Of head.pass: the call after these is timed. Otherwise there is another draw after them. */
#define ZC_PASS_THEN_TIME 0x80
#define ZC_PASS_COUNT 0x7f

/* A new value for head.pass: each call that it decides about is timed with the same probability. */
__u32 zc_draw_pass(void);

/* Each call is chosen with a probability of 1 / ZC_TIMED_ONE_IN, independent of all others. */
static __always_inline bool zc_chosen(struct zc_task *state)
{
	__u32 pass = state->head.pass;

	if (!(pass & ZC_PASS_COUNT)) {
		if (!pass)
			pass = zc_draw_pass();
		if (pass == ZC_PASS_THEN_TIME) {
			state->head.pass = 0;
			return true;
		}
	}
	state->head.pass = pass - 1;
	return false;
}

/* Whether the task is often switched out in calls of this row: beside that, a clock costs nothing. */
static __always_inline bool zc_often_waits(const struct zc_row *row)
{
	return (row->voluntary + row->involuntary) * 8 > row->calls;
}

static __always_inline bool zc_is_timed(struct zc_task *state)
{
	struct zc_row *row;

	if (!config.adaptive)
		return true;
	row = zc_task_row(state, state->head.slot);
	if (!row || row->calls < ZC_TIMED_AT_FIRST || zc_often_waits(row))
		return true;
	if (!zc_chosen(state))
		return false;
	state->head.flags |= ZC_TASK_SAMPLED;
	return true;
}

/* At the entry of a call, whose row is noted: for head.entered_ns. */
static __always_inline __u64 zc_entry_time(struct zc_task *state)
{
	bool timed = zc_is_timed(state);

	if (estimates_checked)
		return (bpf_ktime_get_ns() & ~1ULL) | !timed;
	return timed ? bpf_ktime_get_ns() : ZC_UNTIMED;
}

/* At its exit. */
static __always_inline bool zc_is_untimed(const struct zc_task *state)
{
	if (!config.adaptive)
		return false;
	return estimates_checked ? state->head.entered_ns & 1 : state->head.entered_ns == ZC_UNTIMED;
}

/* The time that a call was off the CPU is known even if the call was not timed. */
static __always_inline void zc_untimed_call(struct zc_task *state, struct zc_row *row)
{
	__u64 off_cpu_ns = state->head.call_off_cpu_ns;

	row->untimed++;
	if (estimates_checked)
		__sync_fetch_and_add(&untimed_ns, bpf_ktime_get_ns() -
						  (state->head.entered_ns & ~1ULL) - off_cpu_ns);
	if (!off_cpu_ns)
		return;
	row->wall_ns += off_cpu_ns;
	row->off_cpu_ns += off_cpu_ns;
	/* The call took at least as long. */
	if (off_cpu_ns > row->max_ns)
		row->max_ns = off_cpu_ns;
}

/* In units of (2^5 ns)^2, so that a sum has space for 19,000 calls of a second. */
static __always_inline __u64 zc_square(__u64 ns)
{
	if (ns >> 32)
		return (ns >> 5) * (ns >> 5);
	return (ns * ns + (1 << ZC_SQUARE_SHIFT) - 1) >> ZC_SQUARE_SHIFT;
}

/* A chosen call returns. */
static __always_inline void zc_sample_call(struct zc_row *row, __u64 on_cpu_ns)
{
	row->sampled++;
	row->sampled_ns += on_cpu_ns;
	row->sampled_squares += zc_square(on_cpu_ns);
}

#endif
