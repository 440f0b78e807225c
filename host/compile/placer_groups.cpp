// Steps that run together: by strips of rows, or by pieces of channels.
#include "compile/placer.hpp"

#include <algorithm>


namespace espalier::compile {

bool Placer::add_operand(Group& group, const Step& step, const Operand& operand) const {
  const Window& window = step.window;
  const int known = strip_index(group, operand.image);
  if (known >= 0) {
    const bool point = window.extent_y() == 1 && window.stride_y == 1 && window.pad_top == 0;
    return point && operand.plane == 0 && !group.strips[static_cast<std::size_t>(known)].load;
  }
  if (contains(group.outputs, operand.image)) return false;
  if (scratchpad_.holds(operand.image) || contains(group.loads, operand.image)) return true;
  const Layout& in = image(operand.image).layout;
  if (operand.plane == 0 && in.origin_y == window.pad_top && !image(operand.image).input) {
    group.strips.push_back({operand.image, step.planes(), window.stride_y, window.extent_y(), true, false, -1});
  } else {
    group.loads.push_back(operand.image);
  }
  return true;
}

std::optional<Group> Placer::group_of(int first, int count) const {
  Group group;
  group.first = first;
  group.count = count;
  if (first + count > static_cast<int>(facts_.steps().size()) || !in_one_stage(first, count)) return std::nullopt;
  for (int i = first; i < first + count; ++i) {
    const Step& step = this->step(i);
    const bool whole = step.output_channel == 0 && image(step.output).planes == facts_.piece_planes(step, step.rows());
    if (step.kind == StepKind::GlobalPool || step.vector || step.tiling.height != this->step(first).tiling.height ||
        !whole || started_[static_cast<std::size_t>(step.output)] || facts_.row_entries(i).empty()) {
      return std::nullopt;
    }
    for (const Operand& operand : step.inputs) {
      if (!add_operand(group, step, operand)) return std::nullopt;
    }
    if (step.inputs.size() == 2) {
      const int a = strip_index(group, step.inputs[0].image);
      const int b = strip_index(group, step.inputs[1].image);
      if ((a < 0) != (b < 0)) return std::nullopt;
      if (a >= 0 &&
          group.strips[static_cast<std::size_t>(a)].planes != group.strips[static_cast<std::size_t>(b)].planes) {
        return std::nullopt;
      }
    }
    if (!read_in(facts_, group, step.output)) {
      group.outputs.push_back(step.output);
    } else if (facts_.rows_match(step)) {
      const bool store = last_use_[static_cast<std::size_t>(step.output)] >= first + count || image(step.output).output;
      StripImage strip{step.output, image(step.output).planes, 1, 1, false, store, -1};
      if (const auto reused = reused_operand(i)) strip.shared = strip_index(group, *reused);
      group.strips.push_back(strip);
    } else {
      return std::nullopt;
    }
    group.compute += facts_.compute_cycles(step);
    group.stream += facts_.stream_cycles(step);
  }
  return group;
}

std::vector<int> Placer::victims(const Group& group) const {
  std::vector<int> result;
  for (const auto& [index, range] : scratchpad_.ranges()) {
    if (!read_in(facts_, group, index)) result.push_back(index);
  }
  std::stable_sort(result.begin(), result.end(),
                   [&](int a, int b) { return next_use(a, group.first) > next_use(b, group.first); });
  return result;
}

bool Placer::allocate_group(Scratchpad& scratchpad, const Group& group, int rows, int buffers) const {
  const auto take = [&](int index) {
    return scratchpad.allocate(index, facts_.image_size(index), side_[static_cast<std::size_t>(index)]).has_value();
  };
  if (!std::all_of(group.outputs.begin(), group.outputs.end(), take)) return false;
  if (!std::all_of(group.loads.begin(), group.loads.end(), take)) return false;
  for (std::size_t i = 0; i < group.strips.size(); ++i) {
    const StripImage& strip = group.strips[i];
    const int size = buffers * strip_size(facts_, strip, rows);
    if (strip.shared < 0 && !scratchpad.allocate(strip_key(i), size, Side::Low)) return false;
  }
  return true;
}

GroupPlan Placer::plan_group(const Group& group) const {
  GroupPlan best;
  Scratchpad scratchpad = scratchpad_;
  const std::vector<int> others = victims(group);
  double evictions = 0;
  for (int evicted = 0; evicted <= static_cast<int>(others.size()); ++evicted) {
    if (evicted > 0) {
      const int victim = others[static_cast<std::size_t>(evicted) - 1];
      scratchpad.release(victim);
      evictions += (1 + StoreShare) * facts_.image_cycles(victim);
    }
    for (const int buffers : {2, 1}) {
      for (int rows = step(group.first).tiling.height; rows > 0; --rows) {
        const double cost = evictions + group_cost(facts_, group, rows, buffers);
        if (cost >= best.cost || !strips_possible(facts_, group, rows)) continue;
        Scratchpad trial = scratchpad;
        if (allocate_group(trial, group, rows, buffers)) best = {rows, buffers, evicted, cost};
      }
    }
  }
  return best;
}

Residence Placer::strip_residence(const Group& group, int index, const GroupPlan& plan) const {
  const StripImage* strip = &group.strips[static_cast<std::size_t>(index)];
  Residence residence;
  residence.whole = false;
  residence.strip = true;
  residence.load = strip->load;
  residence.plane_pitch = strip_pitch(facts_, *strip, plan.rows);
  while (strip->shared >= 0) {
    index = strip->shared;
    strip = &group.strips[static_cast<std::size_t>(index)];
  }
  const int address = scratchpad_.address(strip_key(static_cast<std::size_t>(index)));
  for (int b = 0; b < plan.buffers; ++b)
    residence.address.push_back(address + b * strip_size(facts_, *strip, plan.rows));
  return residence;
}

bool Placer::place_group(int first, int count) {
  const std::optional<Group> group = group_of(first, count);
  if (!group) return false;
  const GroupPlan plan = plan_group(*group);
  if (plan.rows == 0) return false;
  const std::vector<int> others = victims(*group);
  for (int i = 0; i < plan.evicted; ++i) evict(others[static_cast<std::size_t>(i)]);
  allocate_group(scratchpad_, *group, plan.rows, plan.buffers);
  cost_ += group_cost(facts_, *group, plan.rows, plan.buffers);
  std::vector<int> loaded;
  const auto residence = [&](int index) {
    const int strip = strip_index(*group, index);
    return strip >= 0 ? strip_residence(*group, strip, plan) : whole(index);
  };
  for (int i = first; i < first + count; ++i) {
    const Step& step = this->step(i);
    StepPlace place;
    for (const Operand& operand : step.inputs) {
      place.inputs.push_back(residence(operand.image));
      if (contains(group->loads, operand.image) && !contains(loaded, operand.image)) {
        place.inputs.back().load = true;
        loaded.push_back(operand.image);
      }
    }
    place.output = residence(step.output);
    place.piece_rows = step.rows();
    place.strip_rows = plan.rows;
    place.grouping = Grouping::Strips;
    place.group = i == first ? count : 0;
    result_.steps.push_back(place);
  }
  for (std::size_t i = 0; i < group->strips.size(); ++i) {
    const StripImage& strip = group->strips[i];
    if (strip.load || strip.store) image_place(strip.image).in_memory = true;
    scratchpad_.release(strip_key(i));
  }
  for (int i = first; i < first + count; ++i) finish_step(i);
  return true;
}

bool Placer::feeds_channels(int first) const {
  if (first + 2 > static_cast<int>(facts_.steps().size()) || !in_one_stage(first, 2)) return false;
  const Step& maker = step(first);
  const Step& reader = step(first + 1);
  const auto fresh = [&](const Step& s) {
    return s.output_channel == 0 && image(s.output).planes == facts_.piece_planes(s, s.rows()) &&
           !started_[static_cast<std::size_t>(s.output)];
  };
  return !maker.vector && !reader.vector && reader.inputs.size() == 1 && reader.inputs[0].image == maker.output &&
         reader.inputs[0].plane == 0 && reader.channelwise() && facts_.by_piece(reader) &&
         reader.kind != StepKind::GlobalPool && maker.split() == reader.split() && maker.rows() == reader.rows() &&
         image(maker.output).layout.word == reader.tiling.word && fresh(maker) && fresh(reader) &&
         last_use_[static_cast<std::size_t>(maker.output)] == first + 1 && !image(maker.output).output;
}

bool Placer::place_pieces(int first) {
  if (!feeds_channels(first)) return false;
  const Step& maker = step(first);
  const Step& reader = step(first + 1);
  std::vector<int> images{reader.output};
  for (const Operand& operand : maker.inputs) {
    if (!contains(images, operand.image)) images.push_back(operand.image);
  }
  const Scratchpad before = scratchpad_;
  if (!make_resident(first, images)) {
    scratchpad_ = before;
    return false;
  }
  const std::vector<int> kept = kept_;
  const int pitch = facts_.pitch(image(maker.output));
  const int unit = std::lcm(facts_.row_unit(maker), facts_.row_unit(reader));
  std::optional<int> address;
  int piece = maker.rows();
  for (; piece >= std::min(facts_.lanes(), maker.rows()); piece = facts_.smaller_piece(maker, piece)) {
    address = piece % unit == 0
                  ? scratchpad_.allocate(strip_key(0),
                                         facts_.piece_planes(maker, piece) * pitch + facts_.words_per_beat(), Side::Low)
                  : std::nullopt;
    if (address || piece == facts_.smaller_piece(maker, piece)) break;
  }
  if (!address) {
    scratchpad_ = before;
    return false;
  }
  StepPlace make, read;
  for (const Operand& operand : maker.inputs) {
    make.inputs.push_back(whole(operand.image));
    make.inputs.back().load = !contains(kept, operand.image);
    if (make.inputs.back().load) cost_ += facts_.image_cycles(operand.image);
  }
  make.output.whole = false;
  make.output.address = {*address};
  make.output.plane_pitch = pitch;
  read.inputs = {make.output};
  read.inputs_by_piece = true;
  read.output = whole(reader.output);
  cost_ += 2 * TurnCycles * divide_up(maker.rows(), piece);
  for (StepPlace* place : {&make, &read}) {
    place->piece_rows = piece;
    place->strip_rows = (place == &make ? maker : reader).tiling.height;
    place->grouping = Grouping::Pieces;
    place->group = place == &make ? 2 : 0;
    result_.steps.push_back(*place);
  }
  scratchpad_.release(strip_key(0));
  finish_step(first);
  finish_step(first + 1);
  return true;
}

}  // namespace espalier::compile
