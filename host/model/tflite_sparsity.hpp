// Sparse constants of TensorFlow Lite files. Includes generated code: for .cpp files of model only.
#pragma once

#include <string>

#include "model/array.hpp"
#include "tflite_file_generated.h"

namespace espalier::model {

/// The dense array of `stored.shape` whose stored values, in the order of the file, are stored.values; the others are
/// zero. The storage is that of Kjolstad et al., "The Tensor Algebra Compiler" (OOPSLA 2017), one level per axis, with
/// the axes of blocks behind the axes of the tensor. Throws Error(Model) naming `where` if the levels contradict
/// themselves, the shape or the number of values.
Array make_dense(const Array& stored, const tflite::SparsityParameters& sparsity, const std::string& where);

}  // namespace espalier::model
