// Properties: additions, joins, pools, ReLUs, resizing and gates connect channels, convolutions separate them; inputs,
// outputs, other clamps, operators that are not linear and shared weights fix them.
#include "compress/channel_groups.hpp"

#include <gtest/gtest.h>

#include "model/onnx_import.hpp"
#include "model/rewrites.hpp"
#include "networks.hpp"

namespace espalier::compress {
namespace {

using test::OnnxBuilder;
using test::Random;

/// A canonical graph, and its values by name.
struct Network {
  explicit Network(const OnnxBuilder& b)
      : graph(model::canonicalise(model::import_onnx_bytes(b.bytes()))), groups(graph) {}

  int value(const std::string& name) const {
    for (std::size_t i = 0; i < graph.values.size(); ++i)
      if (graph.values[i].name == name) return static_cast<int>(i);
    throw std::out_of_range(name);
  }
  bool fixed(const std::string& name) const { return groups.fixed(value(name), 0); }
  bool joined(const std::string& a, std::size_t channel, const std::string& b, std::size_t other) const {
    return groups.of(value(a), channel) == groups.of(value(b), other);
  }

  model::Graph graph;
  ChannelGroups groups;
};

OnnxBuilder begin(Random& random) {
  OnnxBuilder b;
  b.input("x", {1, 4, 8, 8});
  test::add_conv(b, "x", "stem", 4, 4, 3, 1, 1, random);
  return b;
}

Network end(OnnxBuilder& b, const std::string& last, std::int64_t channels, Random& random) {
  test::add_conv(b, last, "y", channels, 2, 1, 1, 1, random);
  b.output("y");
  return Network(b);
}

TEST(ChannelGroups, ConvolutionsSeparateAndPortsAreFixed) {
  Random random(1);
  OnnxBuilder b = begin(random);
  test::add_conv(b, "stem", "next", 4, 4, 3, 1, 4, random);
  const Network n = end(b, "next", 4, random);
  EXPECT_TRUE(n.fixed("x"));
  EXPECT_TRUE(n.fixed("y"));
  EXPECT_FALSE(n.fixed("stem"));
  EXPECT_FALSE(n.fixed("next"));
  EXPECT_FALSE(n.joined("stem", 0, "next", 0));
  EXPECT_NE(n.groups.set_of(n.value("stem")), n.groups.set_of(n.value("next")));
}

TEST(ChannelGroups, AdditionsJoinsAndPoolsConnect) {
  Random random(2);
  OnnxBuilder b = begin(random);
  test::add_conv(b, "stem", "side", 4, 4, 3, 1, 4, random);
  b.node("Add", {"stem", "side"}, "sum");
  b.node("Relu", {"sum"}, "block");
  OnnxBuilder::set(b.node("MaxPool", {"block"}, "pooled"), "kernel_shape", {2, 2});
  test::add_conv(b, "block", "other", 4, 3, 2, 1, 1, random);
  OnnxBuilder::set(b.node("MaxPool", {"other"}, "narrow"), "kernel_shape", {3, 3});
  OnnxBuilder::set(b.node("Concat", {"narrow", "pooled"}, "both"), "axis", 1);
  const Network n = end(b, "both", 7, random);
  EXPECT_FALSE(n.fixed("stem"));
  EXPECT_TRUE(n.joined("stem", 1, "side", 1));
  EXPECT_FALSE(n.joined("stem", 1, "side", 2));
  EXPECT_TRUE(n.joined("stem", 1, "pooled", 1));
  EXPECT_TRUE(n.joined("both", 2, "other", 2));
  EXPECT_TRUE(n.joined("both", 4, "stem", 1));
  EXPECT_EQ(n.groups.set_of(n.value("other")), n.groups.set_of(n.value("stem")));
}

TEST(ChannelGroups, OtherClampsFix) {
  Random random(3);
  OnnxBuilder b = begin(random);
  b.floats("low", {}, {0});
  b.floats("high", {}, {6});
  b.node("Clip", {"stem", "low", "high"}, "clipped");
  const Network n = end(b, "clipped", 4, random);
  EXPECT_TRUE(n.fixed("clipped"));
}

TEST(ChannelGroups, SharedWeightsFixWhatTheyReadAndWrite) {
  Random random(4);
  OnnxBuilder b = begin(random);
  b.weights("w", {4, 4, 1, 1}, random);
  b.node("Conv", {"stem", "w"}, "once");
  b.node("Conv", {"once", "w"}, "twice");
  const Network n = end(b, "twice", 4, random);
  EXPECT_TRUE(n.fixed("stem"));
  EXPECT_TRUE(n.fixed("once"));
  EXPECT_TRUE(n.fixed("twice"));
}

TEST(ChannelGroups, AGateIsFixedAndWhatItOpensIsConnected) {
  Random random(5);
  OnnxBuilder b = begin(random);
  b.node("GlobalAveragePool", {"stem"}, "mean");
  test::add_conv(b, "mean", "gate", 4, 4, 1, 1, 1, random);
  b.node("Sigmoid", {"gate"}, "open");
  b.node("Mul", {"stem", "open"}, "gated");
  const Network n = end(b, "gated", 4, random);
  EXPECT_TRUE(n.fixed("gate"));
  EXPECT_TRUE(n.fixed("open"));
  EXPECT_FALSE(n.fixed("stem"));
  EXPECT_TRUE(n.joined("stem", 3, "gated", 3));
}

}  // namespace
}  // namespace espalier::compress
