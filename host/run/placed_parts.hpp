// From a plan of several machines to the parts that they run.
#pragma once

#include <vector>

#include "model/network.hpp"
#include "plan/cost/plan_data.hpp"
#include "run/shared_session.hpp"

namespace espalier::run {

/// The parts of a plan in order, with the problem's devices as runners; steps on one device that follow each other are
/// one part. Layers that the plan's policy does not need are in none. Throws Error (Input) if the problem is not of
/// this network, Error (Unsupported) for a plan that evaluate() refuses, that has tiles, or whose policy leaves early
/// by the answer.
std::vector<PlacedPart> placed_parts(const model::Network& network, const plan::Problem& problem,
                                     const plan::SharedPlan& plan);

/// The mean time that the problem says for a part on a device: of the plan's steps that the part is made of, as
/// evaluate() counts them. Throws Error (Input) if the part is not made of whole steps on the device.
plan::Nanoseconds part_time(const plan::Problem& problem, const plan::SharedPlan& plan, int device,
                            const std::vector<int>& layers);

}  // namespace espalier::run
