#include "cpu/operators/registry.hpp"

#include <unordered_map>

namespace espalier::cpu::operators {

const Kernel* find_kernel(const std::string& op) {
  static const std::unordered_map<std::string, Kernel> kernels = [] {
    std::unordered_map<std::string, Kernel> all;
    for (const auto& family :
         {activation_kernels, arithmetic_kernels, convolution_kernels, index_kernels, joining_kernels, matrix_kernels,
          normalisation_kernels, pooling_kernels, quantised_kernels, reduction_kernels, region_kernels,
          resampling_kernels, scatter_kernels, shape_kernels, sorting_kernels})
      for (auto& [name, kernel] : family()) all.emplace(std::move(name), std::move(kernel));
    return all;
  }();
  const auto found = kernels.find(op);
  return found == kernels.end() ? nullptr : &found->second;
}

}  // namespace espalier::cpu::operators
