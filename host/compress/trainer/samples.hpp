// Images and their labels as tensors: images N x 1 x 28 x 28 float in [0, 1] (byte / 255), labels N int64.
#pragma once

#include <torch/types.h>

namespace espalier::trainer {

struct Samples {
  torch::Tensor images;
  torch::Tensor labels;

  std::int64_t count() const { return labels.size(0); }
  Samples slice(std::int64_t from, std::int64_t to) const {
    return {images.slice(0, from, to), labels.slice(0, from, to)};
  }
  Samples pick(const torch::Tensor& index) const {
    return {images.index_select(0, index), labels.index_select(0, index)};
  }
};

}  // namespace espalier::trainer
