// Sparse fully connected layers as the product of a matrix and a vector:
// - a stream multiplies every weight with the byte of its column and ends every row once, on every array;
// - rows are dealt to lanes within the limit of a lane, empty lanes end without a row;
// - layers and chains of them give the bytes of the reference, whatever lies around them;
// - what is told of formats and modes is obeyed.
#include "compile/vector_stream.hpp"

#include <gtest/gtest.h>

#include "compile/vector_layers.hpp"
#include "esp_vector.hpp"
#include "execution.hpp"
#include "model/layer_text.hpp"

namespace espalier::test {
namespace {

using compile::VectorCode;
using compile::VectorRow;
using compile::VectorStream;

std::vector<VectorRow> random_rows(Random& random, int count, std::uint32_t columns, double density, int values) {
  std::vector<VectorRow> rows(static_cast<std::size_t>(count));
  for (VectorRow& row : rows) {
    for (std::uint32_t column = 0; column < columns; ++column) {
      if (!random.chance(density)) continue;
      row.columns.push_back(column);
      row.weights.push_back(static_cast<std::int8_t>(random.between(1, values)));
    }
  }
  return rows;
}

/// The sums of the rows, as the lanes give them.
std::vector<std::int64_t> multiply(const VectorStream& stream, const VectorCode& code, std::uint32_t columns,
                                   const std::vector<std::int8_t>& vector, const abi::Configuration& array,
                                   std::size_t rows) {
  abi::Command command;
  command.gap_bits = static_cast<std::uint8_t>(code.gap_bits);
  command.value_bits = static_cast<std::uint8_t>(code.value_bits);
  command.columns = columns;
  command.items = stream.slots;
  abi::CodeTable table;
  for (std::size_t i = 0; i < code.weights.size(); ++i) {
    table.write(static_cast<std::uint32_t>(i), abi::encode(abi::Symbol{code.weights[i], 0, false, false, 0}));
  }
  std::vector<std::uint8_t> bytes = stream.bytes;
  bytes.resize((bytes.size() + abi::BeatBytes - 1) / abi::BeatBytes * abi::BeatBytes);
  abi::VectorReader reader(command, bytes, table, array);
  std::vector<abi::VectorEntry> slot(array.lanes);
  std::vector<std::int64_t> sums(rows, -1), acc(array.lanes, 0);
  std::vector<std::size_t> ended(array.lanes, 0);
  while (!reader.ended()) {
    if (!reader.round(slot).slot) continue;
    for (unsigned k = 0; k < array.lanes; ++k) {
      for (const abi::VectorProduct& product : slot[k].products) {
        if (product.weight == 0) continue;
        acc[k] += product.weight * vector[slot[k].words[product.word] * array.pixels + product.byte];
      }
      if (!slot[k].last) continue;
      sums.at(static_cast<std::size_t>(stream.rows.at(ended[k]++ * array.lanes + k))) = acc[k];
      acc[k] = 0;
    }
  }
  return sums;
}

TEST(VectorStream, MultipliesEveryWeightWithItsColumn) {
  Random random(1);
  for (const auto& array : {abi::Array8x8, abi::Array16x16, abi::Array32x32}) {
    for (int i = 0; i < 40; ++i) {
      const auto columns = static_cast<std::uint32_t>(random.between(1, i % 4 == 0 ? 5000 : 300));
      const int count = random.between(1, 80);
      const int values = random.chance(0.5) ? random.between(1, 16) : 127;
      const auto rows = random_rows(random, count, columns, random.unit() * random.unit(), values);
      std::vector<std::int8_t> vector(columns);
      for (auto& byte : vector) byte = random.byte();
      const VectorCode code = compile::vector_code(rows, columns, array, {});
      const std::size_t most = static_cast<std::size_t>(count) / array.lanes + 1;
      const VectorStream stream = compile::vector_stream(rows, columns, code, most, array);
      EXPECT_LE(stream.rows.size(), most * array.lanes);
      const auto sums = multiply(stream, code, columns, vector, array, rows.size());
      for (std::size_t r = 0; r < rows.size(); ++r) {
        std::int64_t sum = 0;
        for (std::size_t n = 0; n < rows[r].columns.size(); ++n) sum += rows[r].weights[n] * vector[rows[r].columns[n]];
        ASSERT_EQ(sums[r], sum) << "row " << r;
      }
    }
  }
}

TEST(VectorStream, WidthsFollowWeightsAndGaps) {
  Random random(1);
  EXPECT_EQ(compile::vector_code(random_rows(random, 64, 2000, 0.1, 16), 2000, abi::Array16x16, {}).value_bits, 4U);
  EXPECT_EQ(compile::vector_code(random_rows(random, 64, 2000, 0.1, 17), 2000, abi::Array16x16, {}).value_bits, 8U);
  EXPECT_LT(compile::vector_code(random_rows(random, 64, 2000, 0.5, 99), 2000, abi::Array16x16, {}).gap_bits,
            compile::vector_code(random_rows(random, 64, 2000, 0.02, 99), 2000, abi::Array16x16, {}).gap_bits);
}

/// One after the other; shapes must agree.
model::Network chain(const std::vector<std::string>& layers) {
  model::Network network = model::parse_layer(layers.front(), 1);
  for (std::size_t i = 1; i < layers.size(); ++i) {
    const model::Network next = model::parse_layer(layers[i], i + 1);
    model::Layer layer = next.layers.front();
    layer.name += std::to_string(i);
    layer.inputs = {network.outputs.front()};
    layer.output = static_cast<int>(network.features.size());
    network.features.push_back(next.features[static_cast<std::size_t>(next.outputs.front())]);
    network.features.back().name += std::to_string(i);
    network.features[static_cast<std::size_t>(layer.inputs[0])].zero = next.features.front().zero;
    network.outputs = {layer.output};
    network.layers.push_back(layer);
  }
  return network;
}

void check(const model::Network& network, const abi::Configuration& array, const std::vector<std::string>& formats) {
  Random random(1);
  const compile::Compiled compiled = compile::compile(network, array);
  EXPECT_EQ(differences(network, compiled, random_inputs(network, random)), "");
  for (std::size_t i = 0; i < formats.size(); ++i) {
    if (!formats[i].empty()) {
      EXPECT_EQ(compiled.layers[i].weight_format, formats[i]) << "layer " << i;
    }
  }
}

TEST(VectorLayers, GiveTheBytesOfTheReference) {
  for (const auto& array : {abi::Array8x8, abi::Array16x16, abi::Array32x32}) {
    check(model::parse_layer("fc ic1000 oc300 density0.1", 1), array, {"vector"});
    check(model::parse_layer("fc ic700 oc33 density0.2 codebook4", 1), array, {});
    check(chain({"fc ic1000 oc500 density0.1", "fc ic500 oc400 density0.1 codebook3", "fc ic400 oc100 density0.2"}),
          array, {"vector", "vector", ""});
    check(chain({"conv ic8 ih6 iw6 oc20 kh3 kw3 ph1 pw1 density0.5", "conv ic20 ih6 iw6 oc500 kh6 kw6 density0.1"}),
          array, {"", "vector"});
  }
}

TEST(VectorLayers, AreWhatIsAllowed) {
  const model::Network network = model::parse_layer("fc ic1000 oc300 density0.1", 1);
  const auto chosen = [&](const compile::Options& options) -> bool {
    return compile::choose_vector_layers(network, abi::Array16x16, options).layers.front();
  };
  EXPECT_FALSE(compile::choose_vector_layers(network, abi::Array16x16Compact, {}).layers.front());
  const auto with_format = [](compile::WeightFormat format) {
    compile::Options options;
    options.weight_format = format;
    return options;
  };
  EXPECT_TRUE(chosen({}));
  EXPECT_TRUE(chosen(with_format(compile::WeightFormat::Fixed)));
  EXPECT_FALSE(chosen(with_format(compile::WeightFormat::Huffman)));
  compile::Options dense, without_vectors;
  dense.mode = compile::Mode::Dense;
  without_vectors.vectors = false;
  EXPECT_FALSE(chosen(dense));
  EXPECT_FALSE(chosen(without_vectors));
}

}  // namespace
}  // namespace espalier::test
