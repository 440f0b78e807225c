// Built without oneDNN: there is no `bench cpu`.
#include "bench_cpu.hpp"

namespace espalier::tools {

void add_bench_cpu(CLI::App&, Console&) {}

}  // namespace espalier::tools
