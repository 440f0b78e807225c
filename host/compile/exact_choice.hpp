// Small programs: the timing model compares whole programs where estimates cannot tell.
#pragma once

#include <functional>

#include "compile/compile.hpp"

namespace espalier::compile {

/// Compiles with `options`, by `compile_once`. A program of up to 300,000 cycles is then compiled in other ways as
/// well: with layouts chosen layer by layer, other formats of weights, and, if the lanes are idle for much of the time,
/// other tilings and strips of single layers. The fastest of them.
using CompileOnce = std::function<Compiled(const Options&)>;
Compiled fastest(const model::Network& network, const abi::Configuration& configuration, const Options& options,
                 const CompileOnce& compile_once);

}  // namespace espalier::compile
