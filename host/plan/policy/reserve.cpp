#include "plan/policy/reserve.hpp"

namespace espalier::plan {

NextPart next_part(const Reserve& reserve, Nanoseconds left) {
  if (reserve.as_planned <= left) return NextPart::AsPlanned;
  return reserve.rest <= left ? NextPart::Rest : NextPart::Refuse;
}

}  // namespace espalier::plan
