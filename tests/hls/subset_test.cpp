// What a vendor's compiler cannot synthesise, or would synthesise otherwise than meant, is not in the kernels:
//   - no allocation, exception, virtual function, container, floating point, global object; only known headers
//   - no recursion
//   - a pragma of a loop stands first in its body; every innermost loop is a pipeline with II = 1 or unrolled
//   - everything inside a pipeline is unrolled
//   - DATAFLOW stands in one function, whose statements are streams and processes
// and that the checks themselves find what they look for.
#include <gtest/gtest.h>

#include <fstream>
#include <sstream>

#include "kernel_source.hpp"

namespace espalier::test {
namespace {

std::string read_text(const std::filesystem::path& path) {
  std::ifstream file(path);
  std::ostringstream text;
  text << file.rdbuf();
  return text.str();
}

std::vector<std::string> forbidden(const std::vector<std::string>& words) {
  static const std::set<std::string> Forbidden{
      "new",    "delete",  "malloc",       "calloc", "realloc",  "free",       "alloca",     "throw",  "try",
      "catch",  "virtual", "dynamic_cast", "typeid", "goto",     "asm",        "vector",     "string", "map",
      "deque",  "list",    "function",     "array",  "optional", "unique_ptr", "shared_ptr", "float",  "double",
      "thread", "mutex",   "printf",       "cout",   "abort",    "exit",       "union",      "mutable"};
  std::vector<std::string> found;
  for (std::size_t i = 0; i < words.size(); ++i) {
    // Names behind a dot are members: core.array.
    const bool member = i > 0 && (words[i - 1] == "." || words[i - 1] == "&" || words[i - 1] == "*");
    const bool qualified = i > 1 && words[i - 1] == ":" && words[i - 2] == ":";
    const bool standard = words[i] == "array" || words[i] == "list" || words[i] == "map" || words[i] == "function" ||
                          words[i] == "vector";
    if (Forbidden.count(words[i]) != 0 && !member && (!standard || qualified)) found.push_back(words[i]);
  }
  return found;
}

std::vector<std::string> strange_includes(const std::vector<std::string>& words) {
  std::vector<std::string> found;
  for (const std::string& word : words) {
    if (word.rfind("#include", 0) != 0) continue;
    const bool known = word == "#include <cstdint>" || word == "#include <ap_int.h>" ||
                       word == "#include <hls_stream.h>" || word.rfind("#include \"esp_", 0) == 0;
    if (!known) found.push_back(word);
  }
  return found;
}

KernelFunctions all_kernels() {
  KernelFunctions functions;
  for (const auto& path : kernel_sources(ESPALIER_HLS)) functions.add(source_words(read_text(path)));
  return functions;
}

std::vector<std::string> recursive(const KernelFunctions& functions) {
  std::vector<std::string> found;
  for (const auto& [name, calls] : functions.calls) {
    if (functions.reached(name).count(name) != 0) found.push_back(name);
  }
  return found;
}

/// Functions with a loop that is not unrolled and that run in a pipeline.
std::vector<std::string> loops_in_pipelines(const KernelFunctions& functions) {
  std::set<std::string> pipelined;
  for (const Loop& loop : functions.loops) {
    if (!loop.begins_with("PIPELINE")) continue;
    for (const std::string& called : loop.calls) {
      pipelined.insert(called);
      pipelined.merge(functions.reached(called));
    }
  }
  std::vector<std::string> found;
  for (const Loop& loop : functions.loops) {
    const bool inside = loop.in_pipeline || pipelined.count(loop.function) != 0;
    if (inside && !loop.begins_with("UNROLL")) found.push_back(loop.function);
  }
  return found;
}

/// Functions with a loop that has no pragma of its own, or an innermost one without pipeline.
std::vector<std::string> loops_without_pragma(const KernelFunctions& functions) {
  std::set<std::string> with_loops;
  for (const Loop& loop : functions.loops) with_loops.insert(loop.function);
  std::vector<std::string> found;
  for (const Loop& loop : functions.loops) {
    if (loop.begins_with("UNROLL") || loop.pragmas == std::vector<std::string>{"PIPELINE II = 1"}) continue;
    if (loop.begins_with("PIPELINE II = 1") && loop.pragmas.size() > 1) continue;
    bool outer = loop.inner > 0;
    for (const std::string& called : loop.calls) {
      for (const std::string& reached : functions.reached(called)) outer = outer || with_loops.count(reached) != 0;
      outer = outer || with_loops.count(called) != 0;
    }
    if (!outer || !loop.begins_with("LOOP_TRIPCOUNT")) found.push_back(loop.function);
  }
  return found;
}

TEST(Kernels, UseTheSynthesisableSubset) {
  const auto sources = kernel_sources(ESPALIER_HLS);
  EXPECT_GT(sources.size(), 10U);
  for (const auto& path : sources) {
    const std::vector<std::string> words = source_words(read_text(path));
    EXPECT_EQ(forbidden(words), std::vector<std::string>{}) << path.filename();
    EXPECT_EQ(strange_includes(words), std::vector<std::string>{}) << path.filename();
  }
  EXPECT_EQ(recursive(all_kernels()), std::vector<std::string>{});
}

TEST(Kernels, PragmasStandWhereTheyCount) {
  const KernelFunctions functions = all_kernels();
  EXPECT_GT(functions.loops.size(), 40U);
  EXPECT_EQ(functions.misplaced, std::vector<std::string>{});
  EXPECT_EQ(loops_without_pragma(functions), std::vector<std::string>{});
  EXPECT_EQ(loops_in_pipelines(functions), std::vector<std::string>{});
}

TEST(Kernels, DataflowStandsInTheTopOnly) {
  const KernelFunctions functions = all_kernels();
  ASSERT_EQ(functions.dataflow, std::vector<std::string>{"run_step"});
  const std::set<std::string> processes{"run_weight_unit", "read_planes", "run_array", "write_planes"};
  std::set<std::string> called = functions.calls.at("run_step");
  for (const char* stream : {"items", "loaded", "stored"}) called.erase(stream);  // their definitions
  EXPECT_EQ(called, processes);
  for (const Loop& loop : functions.loops) EXPECT_NE(loop.function, "run_step");
}

TEST(KernelChecks, FindWhatTheyLookFor) {
  EXPECT_EQ(forbidden(source_words("std::vector<int> a; // new\n auto b = new int; core.array.x = 1; throw 1;")),
            (std::vector<std::string>{"vector", "new", "throw"}));
  EXPECT_EQ(forbidden(source_words("std::array<int, 3> a; double b; \"virtual\"; /* try */ virtual void f();")),
            (std::vector<std::string>{"array", "double", "virtual"}));
  EXPECT_EQ(strange_includes(source_words("#include <vector>\n#include <cstdint>\n")),
            std::vector<std::string>{"#include <vector>"});

  KernelFunctions circle;
  circle.add(source_words("int f(int a) { return g<3>(a); }\nint g(int a) { if (a) { return f(a); } return h(); }"));
  EXPECT_EQ(recursive(circle), (std::vector<std::string>{"f", "g"}));
  EXPECT_EQ(recursive(KernelFunctions{}), std::vector<std::string>{});

  KernelFunctions loops;
  loops.add(
      source_words("void inner() { for (;;) {\n#pragma HLS PIPELINE II = 2\n a(); } }\n"
                   "void bare() { while (a) { ++b; } }\n"
                   "void late() { for (;;) { ++b;\n#pragma HLS UNROLL\n } }\n"
                   "void nobraces() { for (;;) ++b; }\n"
                   "void pipeline() { while (a) {\n#pragma HLS PIPELINE II = 1\n bare(); } }\n"));
  EXPECT_EQ(loops_without_pragma(loops), (std::vector<std::string>{"inner", "bare", "late"}));
  EXPECT_EQ(loops.misplaced, (std::vector<std::string>{"late: #pragma HLS UNROLL", "nobraces: a loop without braces"}));
  EXPECT_EQ(loops_in_pipelines(loops), std::vector<std::string>{"bare"});
}

}  // namespace
}  // namespace espalier::test
