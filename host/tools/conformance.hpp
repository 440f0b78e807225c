// Operator tests in the format of ONNX: a folder with model.onnx and test_data_set_0, 1, ... of input_N.pb and
// output_N.pb.
//
//   tools::Conformance result = tools::run_conformance("/usr/share/libonnx-testdata/data/node");
#pragma once

#include <filesystem>
#include <string>
#include <vector>

namespace espalier::tools {

/// Why a test was refused or failed.
struct TestReason {
  std::string test;  // its folder, from the folder that was named
  std::string reason;
};

struct Conformance {
  int passed = 0;
  std::vector<TestReason> refusals;  // decided by the operator table, before anything runs
  std::vector<TestReason> failures;
};

/// Runs every test in `folder`, at most three levels deep, in the order of their names. All inputs are bound as
/// constants. Real outputs may differ by 1e-7 + 1e-3 |expected|, others not at all. Throws Error(Input) if there is no
/// test.
Conformance run_conformance(const std::filesystem::path& folder);

}  // namespace espalier::tools
