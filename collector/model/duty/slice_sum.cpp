// SPDX-License-Identifier: MIT
#include "collector/model/duty/slice_sum.h"

namespace zctrace {

void SliceSum::add(const Slice& slice, double count, double unit) {
  const double rate = count / slice.ns;
  const bool first = slice.before_ns == 0;
  sum_ += count + (first ? rate : (rate_ + rate) / 2) * slice.gap_ns;
  if (first || rate != 0 || rate_ != 0) {
    // What stands between the middles of two slices.
    const double length = slice.gap_ns + (first ? slice.ns : (slice.ns + slice.before_ns) / 2);
    // Half the square of the difference of neighbours: not of that from the mean, so that a slow
    // change is not taken for variation. Only the gap is not known.
    const double change = first ? 0 : rate - rate_;
    variance_ += change * change * length * slice.gap_ns / 2;
    // Each end of a slice cuts a unit in two at random: a uniform variance of 1/12 at each.
    const double cut = count == 0 ? 0 : unit * length / slice.ns;
    variance_ += cut * cut / 6;
  }
  rate_ = rate;
}

}  // namespace zctrace
