// Places the steps of a network one by one: what stays on chip, what is loaded and stored, which steps run together.
// The choices, which end of the scratchpad an image takes and which steps share a group, are given; placement.cpp
// searches them.
#pragma once

#include <algorithm>
#include <optional>
#include <vector>

#include "compile/group.hpp"
#include "compile/placement.hpp"
#include "compile/scratchpad.hpp"
#include "compile/step_facts.hpp"

namespace espalier::compile {

/// Instead of a number of steps that run together by strips: two steps do so by pieces.
inline constexpr int ByPieces = -1;

/// Cycles of a beat that is stored; most of them run beside the computation.
inline constexpr double StoreShare = 0.25;

class Placer {
 public:
  Placer(const StepFacts& facts, std::vector<int> stages);

  /// Places all steps.
  void run();

  double cost() const { return cost_; }
  Placement take() { return std::move(result_); }
  void take_choices(const Placer& other) {
    side_ = other.side_;
    together_ = other.together_;
  }
  void change_side(std::size_t index) { side_[index] = side_[index] == Side::Low ? Side::High : Side::Low; }
  /// `count` steps from `index` on run together; 0: they do not.
  void change_group(std::size_t index, int count) { together_[index] = count; }

 private:
  const Step& step(int index) const { return facts_.step(index); }
  static bool contains(const std::vector<int>& list, int value) {
    return std::find(list.begin(), list.end(), value) != list.end();
  }
  const Image& image(int index) const { return facts_.image(index); }
  ImagePlace& image_place(int index) { return result_.images[static_cast<std::size_t>(index)]; }
  void find_uses();
  int next_use(int index, int step) const;
  void evict(int index);
  void evict_all();
  /// Whether steps are started together.
  bool in_one_stage(int first, int count) const;
  void place_step(int index);
  /// The vector fills rows of all banks from address 0 on; the output lies behind it.
  void place_vector(int index);
  /// Releases the images that no later step uses.
  void finish_step(int index);
  /// Adds an operand to the images of a group; false if it cannot be read by strips.
  bool add_operand(Group& group, const Step& step, const Operand& operand) const;
  /// The images of steps that run together; none if they cannot.
  std::optional<Group> group_of(int first, int count) const;
  /// Key of a strip buffer among the ranges of the scratchpad, where images have theirs.
  static int strip_key(std::size_t strip) { return -1 - static_cast<int>(strip); }
  bool allocate_group(Scratchpad& scratchpad, const Group& group, int rows, int buffers) const;
  /// Residents that a group does not need, those used last first.
  std::vector<int> victims(const Group& group) const;
  GroupPlan plan_group(const Group& group) const;
  Residence strip_residence(const Group& group, int index, const GroupPlan& plan) const;
  /// Places steps that run together, strip by strip; false if they cannot.
  bool place_group(int first, int count);
  /// Whether the second step computes channel by channel what the first one makes for it alone.
  bool feeds_channels(int first) const;
  /// Places two steps that run together, piece by piece; false if they cannot.
  bool place_pieces(int first);
  std::vector<int> residents(const std::vector<int>& images) const;
  /// An operand of an addition that no later step reads: the result is written over it, word for word, each after the
  /// row that writes it has read it.
  std::optional<int> reused_operand(int index) const;
  Residence whole(int index);
  /// Brings all images of a step into the scratchpad, evicting those used last; false if there is no room. kept_ has
  /// those that were there before.
  bool make_resident(int step, const std::vector<int>& images);
  /// Streams a step through an otherwise empty scratchpad, the cheapest way that fits.
  void stream_step(const Step& step);
  void assign_memory();

  const StepFacts& facts_;
  const std::vector<int> stages_;  // first steps of the stages after the first
  Scratchpad scratchpad_;
  std::vector<std::vector<int>> uses_;  // steps per image
  std::vector<int> last_use_;
  std::vector<bool> started_;  // an earlier step wrote or loaded it
  std::vector<int> kept_;
  std::vector<Side> side_;     // per image
  std::vector<int> together_;  // per step: how many run together from it on; 0: it runs alone
  double cost_ = 0;            // estimated cycles of loads and stores
  Placement result_;
};

}  // namespace espalier::compile
