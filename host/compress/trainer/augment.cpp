#include "augment.hpp"

#include <numbers>

#include <torch/torch.h>

namespace espalier::trainer {

torch::Tensor augment(const torch::Tensor& images, const Augmentation& limits) {
  const std::int64_t count = images.size(0);
  const auto uniform = [count](double limit) { return (torch::rand({count}) * 2 - 1) * limit; };

  const torch::Tensor angle = uniform(limits.rotation_degrees * std::numbers::pi / 180.0);
  const torch::Tensor zoom = 1.0 + uniform(limits.scale);
  // affine_grid speaks in half image widths: a shift of one pixel is 2 / width.
  const torch::Tensor shift_x = uniform(2.0 * limits.shift_pixels / static_cast<double>(images.size(3)));
  const torch::Tensor shift_y = uniform(2.0 * limits.shift_pixels / static_cast<double>(images.size(2)));
  const torch::Tensor cosine = torch::cos(angle) * zoom;
  const torch::Tensor sine = torch::sin(angle) * zoom;

  const torch::Tensor transform =
      torch::stack({torch::stack({cosine, -sine, shift_x}, 1), torch::stack({sine, cosine, shift_y}, 1)}, 1);
  const torch::Tensor grid = torch::affine_grid_generator(transform, images.sizes(), /*align_corners=*/false);
  namespace functional = torch::nn::functional;
  return functional::grid_sample(
      images, grid,
      functional::GridSampleFuncOptions().mode(torch::kBilinear).padding_mode(torch::kZeros).align_corners(false));
}

}  // namespace espalier::trainer
