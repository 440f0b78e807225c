// The deadline contract over a plan of parts: how the next part is run so that an answer of the device here always
// fits.
//
//   NextPart next = next_part({.as_planned = 4'000'000, .rest = 9'000'000}, deadline - now);
#pragma once

#include "plan/cost/units.hpp"

namespace espalier::plan {

/// Bounds from here on, on the device alone.
struct Reserve {
  Nanoseconds as_planned = 0;  // the next part as its own program, then all that follows as one
  Nanoseconds rest = 0;        // all that is left as one program
};

enum class NextPart {
  AsPlanned,  // the plan's part; behind it the rest still fits
  Rest,       // the device alone, from here to the answer
  Refuse,     // nothing fits
};

/// `left` is the time to the deadline, less the reaction to this decision.
NextPart next_part(const Reserve& reserve, Nanoseconds left);

}  // namespace espalier::plan
