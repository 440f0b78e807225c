// When to change from one plan to another: only where the gain pays for the change.
#pragma once

#include "plan/cost/units.hpp"

namespace espalier::plan {

/// What a change of plan costs, and how long the state that favours it is expected to hold.
struct Switch {
  std::int64_t present = 0;        // value of the running plan per frame now
  std::int64_t candidate = 0;      // value of the other plan per frame, same units
  std::int64_t cost = 0;           // of loading weights or images, same units, once
  Nanoseconds holding = 0;         // expected time until the link changes again
  Nanoseconds frame_interval = 1;  // at least 1
};

/// The gain over the holding time exceeds the cost. A running plan that is not possible any more is always left.
inline bool should_switch(const Switch& change) {
  if (change.candidate >= Impossible || change.candidate >= change.present) return false;
  if (change.present >= Impossible) return true;
  return times(change.present - change.candidate, change.holding / change.frame_interval) > change.cost;
}

/// The expected time until the next change when `changes` were seen in `observed` nanoseconds: the mean holding time
/// with one change more, so that a short calm does not promise a long one.
inline Nanoseconds expected_holding(Nanoseconds observed, std::int64_t changes) { return observed / (changes + 1); }

}  // namespace espalier::plan
