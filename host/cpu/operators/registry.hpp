// The kernels by operator name. A family is a file with one function that returns its kernels; an operator is one entry
// there and one row in model/operator_rows.cpp.
#pragma once

#include <string>
#include <utility>
#include <vector>

#include "cpu/operators/call.hpp"

namespace espalier::cpu::operators {

using Kernels = std::vector<std::pair<std::string, Kernel>>;

Kernels activation_kernels();
Kernels arithmetic_kernels();
Kernels convolution_kernels();
Kernels index_kernels();
Kernels joining_kernels();
Kernels matrix_kernels();
Kernels normalisation_kernels();
Kernels pooling_kernels();
Kernels quantised_kernels();
Kernels reduction_kernels();
Kernels region_kernels();
Kernels resampling_kernels();
Kernels scatter_kernels();
Kernels shape_kernels();
Kernels sorting_kernels();

/// The kernel of an operator of ai.onnx, or nullptr. Every executed row of the operator table has one.
const Kernel* find_kernel(const std::string& op);

}  // namespace espalier::cpu::operators
