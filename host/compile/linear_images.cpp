#include "compile/linear_images.hpp"

namespace espalier::compile {

void find_linear(const StepFacts& facts, Placement& placement) {
  std::vector<int> writers(facts.images().size(), 0);
  std::vector<bool> possible(facts.images().size(), true);
  for (std::size_t i = 0; i < placement.steps.size(); ++i) {
    const Step& step = facts.steps()[i];
    const auto output = static_cast<std::size_t>(step.output);
    possible[output] = possible[output] && placement.steps[i].output.whole && ++writers[output] == 1;
    for (std::size_t k = 0; k < step.inputs.size(); ++k) {
      if (!placement.steps[i].inputs[k].whole) possible[static_cast<std::size_t>(step.inputs[k].image)] = false;
    }
  }
  for (std::size_t i = 0; i < possible.size(); ++i) {
    const Image& image = facts.images()[i];
    ImagePlace& place = placement.images[i];
    place.linear_beats = divide_up(facts.image_words(image), facts.words_per_beat());
    const bool shorter = place.linear_beats < place.plane_beats * image.planes;
    const bool window = image.input || image.output;
    place.linear = image.vector || (possible[i] && (image.by_rows || (window && facts.small(image) && shorter)));
  }
}

bool held_whole(const Lowered& lowered, const Placement& placement) {
  for (std::size_t i = 0; i < lowered.steps.size(); ++i) {
    for (std::size_t k = 0; k < lowered.steps[i].inputs.size(); ++k) {
      const auto image = static_cast<std::size_t>(lowered.steps[i].inputs[k].image);
      if (lowered.images[image].by_rows && !placement.steps[i].inputs[k].whole) return false;
    }
  }
  return true;
}

}  // namespace espalier::compile
