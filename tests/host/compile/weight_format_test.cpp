// The format of the weights of a layer:
// - all formats, told or chosen, give the bytes of the CPU reference, for every set of weight values and every array;
// - what is reported is what is read, and coded weights take at most a few percent more than their entropy, in layers
// of
//   every size, where most gaps occur once;
// - few values in dense weights are packed into as many bits as they need;
// - an array without coded weights has raw ones only, and other formats are refused for it.
#include "compile/weight_format.hpp"

#include <gtest/gtest.h>

#include <array>

#include "esp_error.hpp"
#include "execution.hpp"
#include "model/layer_text.hpp"

namespace espalier::test {
namespace {

using compile::WeightFormat;

compile::LayerReport compiled_layer(const std::string& text, WeightFormat format, compile::Mode mode,
                                    const abi::Configuration& configuration) {
  SCOPED_TRACE(text + " on " + std::to_string(configuration.lanes) + " lanes");
  const model::Network network = model::parse_layer(text);
  compile::Options options;
  options.weight_format = format;
  options.mode = mode;
  const compile::Compiled compiled = compile::compile(network, configuration, options);
  Random random(1);
  EXPECT_EQ(differences(network, compiled, random_inputs(network, random)), "");
  return compiled.layers.front();
}

constexpr std::array Types{"int8", "int4", "ternary", "binary", "codebook2", "codebook5", "codebook8"};

TEST(WeightFormats, GiveTheBytesOfTheReference) {
  for (const abi::Configuration& configuration : {abi::Array8x8, abi::Array16x16, abi::Array32x32}) {
    for (const char* type : Types) {
      for (const WeightFormat format :
           {WeightFormat::Auto, WeightFormat::Raw, WeightFormat::Fixed, WeightFormat::Huffman}) {
        for (const char* layer : {"conv ic20 ih9 oc24 kh3 ph1 density0.3 ", "conv ic12 ih7 oc20 density1 "}) {
          compiled_layer(std::string(layer) + type, format, compile::Mode::Auto, configuration);
          if (HasFailure()) return;
        }
      }
    }
  }
}

TEST(WeightFormats, HuffmanIsCloseToTheEntropy) {
  for (const char* type : {"int8", "codebook4", "ternary"}) {
    const auto layer = compiled_layer(std::string("conv ic256 ih14 oc128 kh3 ph1 density0.15 ") + type,
                                      WeightFormat::Huffman, compile::Mode::Sparse, abi::Array16x16);
    EXPECT_EQ(layer.weight_format, "huffman");
    EXPECT_GE(static_cast<double>(layer.weight_bytes), layer.weight_entropy_bytes);
    EXPECT_LE(static_cast<double>(layer.weight_bytes), 1.05 * layer.weight_entropy_bytes + 64) << type;
    EXPECT_LE(layer.code_table_bytes, 4 * abi::CodeDepth);
    EXPECT_GT(layer.natural_entropy_bytes, 0);
  }
}

/// Bytes of a layer's streams, without what is left empty, over the entropy of their symbols.
double over_entropy(const std::string& text, const abi::Configuration& configuration) {
  compile::Options options;
  options.weight_format = WeightFormat::Huffman;
  options.mode = compile::Mode::Sparse;
  options.timing = false;
  const compile::Compiled compiled = compile::compile(model::parse_layer(text), configuration, options);
  const compile::LayerReport& layer = compiled.layers.front();
  return (static_cast<double>(layer.weight_bytes) - layer.weight_alignment_bytes) / layer.weight_entropy_bytes;
}

TEST(WeightFormats, AreWithinFivePercentOfTheEntropyWhereGapsAreRare) {
  for (const char* layer : {"conv ic64 ih56 oc64", "conv ic64 ih56 oc64 kh3 ph1", "conv ic256 ih14 oc1024",
                            "conv ic512 ih28 oc128", "conv ic24 ih28 oc48 kh3 sh2 ph1", "conv ic3 ih32 oc16 kh3"}) {
    for (const char* density : {" density0.25", " density0.1", " density0.05"}) {
      for (const char* type : {" int8", " codebook2", " codebook4", " codebook6"}) {
        const std::string text = std::string(layer) + density + type;
        EXPECT_LE(over_entropy(text, abi::Array16x16), 1.05) << text;
      }
    }
  }
}

TEST(WeightFormats, FewDenseValuesArePacked) {
  const auto bytes = [](const char* type, WeightFormat format) {
    return compiled_layer(std::string("conv ic64 ih14 oc64 kh3 ph1 ") + type, format, compile::Mode::Dense,
                          abi::Array16x16)
        .weight_bytes;
  };
  const std::uint64_t raw = bytes("int8", WeightFormat::Raw);
  EXPECT_EQ(bytes("int8", WeightFormat::Fixed), raw);
  constexpr std::uint64_t Table = 192;
  EXPECT_LE(bytes("int4", WeightFormat::Fixed), raw / 2 + Table);
  EXPECT_LE(bytes("codebook2", WeightFormat::Fixed), raw / 4 + Table);
  EXPECT_LE(bytes("binary", WeightFormat::Huffman), raw / 8 + Table);
}

// A layer of every kind of weights: those that other arrays code, pack or multiply with a vector.
TEST(WeightFormats, AreRawOnAnArrayWithoutCodedWeights) {
  for (const char* type : Types) {
    for (const std::string layer :
         {"conv ic64 ih14 oc64 kh3 ph1 density0.1 ", "conv ic64 ih14 oc64 kh3 ph1 ", "fc ic1000 oc300 density0.1 "}) {
      for (const compile::Mode mode : {compile::Mode::Auto, compile::Mode::Sparse, compile::Mode::Dense}) {
        for (const WeightFormat format : {WeightFormat::Auto, WeightFormat::Raw}) {
          const auto report = compiled_layer(layer + type, format, mode, abi::Array16x16Compact);
          EXPECT_EQ(report.weight_format, "raw");
          EXPECT_EQ(report.code_table_bytes, 0U);
          EXPECT_GT(report.weight_entropy_bytes, 0);
          if (HasFailure()) return;
        }
      }
    }
  }
}

TEST(WeightFormats, ThatTheArrayHasNotAreRefused) {
  const model::Network network = model::parse_layer("conv ic20 ih9 oc24 kh3 ph1 density0.3");
  for (const auto& [format, name] :
       {std::pair(WeightFormat::Fixed, "fixed"), std::pair(WeightFormat::Huffman, "huffman")}) {
    compile::Options options;
    options.weight_format = format;
    try {
      compile::compile(network, abi::Array16x16Compact, options);
      ADD_FAILURE() << "compiled as " << name;
    } catch (const Error& error) {
      EXPECT_EQ(error.code(), ErrorCode::Usage);
      EXPECT_EQ(error.value(), std::string(name) + " for 16x16_compact");
      EXPECT_NE(error.action().find("raw"), std::string::npos);
    }
  }
}

TEST(WeightFormats, EntropyOfNaturalOrder) {
  EXPECT_EQ(compile::natural_entropy_bits({}), 0);
  EXPECT_EQ(compile::natural_entropy_bits({0, 0, 0}), 0);
  // Gaps 1, 1, 1, 1 and two values, each twice.
  EXPECT_DOUBLE_EQ(compile::natural_entropy_bits({0, 5, 5, -3, -3}), 4);
}

}  // namespace
}  // namespace espalier::test
