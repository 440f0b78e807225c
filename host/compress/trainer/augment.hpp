// Random shift, rotation and scale of training images; a new transform per image and epoch.
#pragma once

#include <torch/types.h>

namespace espalier::trainer {

struct Augmentation {
  double shift_pixels = 2.0;
  double rotation_degrees = 12.0;
  double scale = 0.12;
};

// Bilinear resampling of `images` (N x 1 x H x W) under one random affine transform per image, zero outside.
// Draws from torch's default generator.
torch::Tensor augment(const torch::Tensor& images, const Augmentation& limits);

}  // namespace espalier::trainer
