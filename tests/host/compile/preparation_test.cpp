// Properties:
//   - the program is the same for every number of threads
//   - the causes of a layer's cycles sum to its predicted cycles
//   - what a thread throws reaches the caller
//   - progress tells every layer once, in order
#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "compile/compile.hpp"
#include "esp_error.hpp"
#include "model/layer_text.hpp"
#include "zoo/zoo.hpp"

namespace espalier::compile {
namespace {

model::Network pruned(const char* name) {
  zoo::Options options;
  options.density = 0.25;
  return zoo::build(name, options);
}

TEST(Preparation, ProgramDoesNotDependOnThreads) {
  for (const char* name : {"resnet8", "ds_cnn"}) {
    const model::Network network = pruned(name);
    Options options;
    options.threads = 1;
    const Compiled alone = compile(network, abi::Array16x16, options);
    for (const unsigned threads : {3U, 16U}) {
      options.threads = threads;
      const Compiled together = compile(network, abi::Array16x16, options);
      EXPECT_EQ(together.program.image, alone.program.image) << name << " with " << threads << " threads";
      EXPECT_EQ(together.total_cycles, alone.total_cycles);
    }
  }
}

TEST(Preparation, CausesSumToTheCyclesOfALayer) {
  const Compiled compiled = compile(pruned("resnet8"), abi::Array8x8);
  for (const LayerReport& layer : compiled.layers) {
    const Causes& causes = layer.causes;
    EXPECT_EQ(causes.computing + causes.weights + causes.output + causes.data + causes.writing + causes.control,
              layer.predicted_cycles)
        << layer.name;
    EXPECT_GT(layer.predicted_cycles, 0U) << layer.name;
  }
}

TEST(Preparation, TellsEveryLayerInOrder) {
  const model::Network network = pruned("ds_cnn");
  std::vector<std::string> names;
  Options options;
  options.threads = 2;
  options.progress = [&](std::size_t index, std::size_t count, const std::string& name) {
    EXPECT_EQ(index, names.size());
    EXPECT_EQ(count, network.layers.size());
    names.push_back(name);
  };
  compile(network, abi::Array16x16, options);
  ASSERT_EQ(names.size(), network.layers.size());
  for (std::size_t i = 0; i < names.size(); ++i) EXPECT_EQ(names[i], network.layers[i].name);
}

// A row of so many positions has no write program; that is found where the layer is prepared.
TEST(Preparation, RefusalsReachTheCaller) {
  const model::Network network = model::parse_layer("conv ic1 ih1 iw60000 oc1");
  try {
    compile(network, abi::Array8x8);
    FAIL() << "compiled";
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), ErrorCode::Unsupported);
    EXPECT_NE(error.summary().find("write program"), std::string::npos) << error.what();
  }
}

}  // namespace
}  // namespace espalier::compile
