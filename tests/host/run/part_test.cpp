// Properties, over random networks with branches, joins and several outputs:
//   - parts of every plan, chained by the names of their tensors, give the bits of the whole network, whatever crosses
//   - the texts of parts are read as they are written, other texts are refused
//   - a changed weight, scale or shape changes the network's id; a changed name does not
//   - a shared session gives the bits of the whole network with any number of machines and frames in flight, reports a
//   failure of a machine, and never has more frames in flight than it may
#include "run/part.hpp"

#include <gtest/gtest.h>

#include <atomic>
#include <map>
#include <numeric>

#include "cpu/reference.hpp"
#include "esp_error.hpp"
#include "plan/placement/random_network.hpp"
#include "random.hpp"
#include "run/part_runners.hpp"
#include "run/shared_session.hpp"

namespace espalier::run {
namespace {

std::size_t at(int index) { return static_cast<std::size_t>(index); }

std::vector<Feature> random_inputs(test::Random& random, const model::Network& network) {
  std::vector<Feature> inputs;
  for (const int input : network.inputs) {
    Feature& feature = inputs.emplace_back(network.features[at(input)].elements());
    for (std::int8_t& value : feature) value = static_cast<std::int8_t>(random.between(-128, 127));
  }
  return inputs;
}

Ports ports_of(const model::Network& network) {
  Ports ports;
  for (const int input : network.inputs) {
    const model::Feature& f = network.features[at(input)];
    ports.inputs.push_back({f.name, model::ElementType::Int8, {1, f.channels, f.height, f.width}, 1, f.zero});
  }
  for (const int output : network.outputs) {
    const model::Feature& f = network.features[at(output)];
    ports.outputs.push_back({f.name, model::ElementType::Float, {1, f.channels, f.height, f.width}, 1, f.zero, {}});
  }
  return ports;
}

std::vector<int> range(int first, int last) {
  std::vector<int> layers(at(last - first + 1));
  std::iota(layers.begin(), layers.end(), first);
  return layers;
}

/// Parts of one to four layers on random machines.
std::vector<PlacedPart> random_parts(test::Random& random, const model::Network& network, int machines) {
  std::vector<PlacedPart> parts;
  const int count = static_cast<int>(network.layers.size());
  for (int first = 0; first < count;) {
    const int last = std::min(count - 1, first + random.between(0, 3));
    parts.push_back({at(random.between(0, machines - 1)), range(first, last)});
    first = last + 1;
  }
  return parts;
}

std::vector<Feature> whole_outputs(const model::Network& network, const std::vector<Feature>& inputs) {
  const std::vector<cpu::Tensor> features = cpu::run(network, inputs);
  std::vector<Feature> outputs;
  for (const int output : network.outputs) outputs.push_back(features[at(output)]);
  return outputs;
}

TEST(Part, ChainedByNamesGivesTheWholeNetwork) {
  test::Random random;
  for (int trial = 0; trial < 60; ++trial) {
    const model::Network network = test::RandomNetwork(random).build(random.between(2, 12));
    const Ports ports = ports_of(network);
    const std::vector<Feature> inputs = random_inputs(random, network);
    const PartEdge edge = random.chance(0.5) ? PartEdge::Ports : PartEdge::Features;
    std::map<std::string, Feature> tensors;
    for (std::size_t i = 0; i < inputs.size(); ++i) {
      tensors[edge == PartEdge::Ports ? ports.inputs[i].name : crossing_name(network, ports, network.inputs[i], edge)] =
          inputs[i];
    }
    for (const PlacedPart& placed : random_parts(random, network, 1)) {
      const Part part = make_part(network, ports, placed.layers, edge);
      model::validate(part.network);
      std::vector<Feature> taken;
      for (const compress::Input& port : part.ports.inputs) taken.push_back(tensors.at(port.name));
      const std::vector<Feature> made = cpu::run(part.network, taken);
      for (std::size_t i = 0; i < part.outputs.size(); ++i)
        tensors[part.ports.outputs[i].name] = made[at(part.network.outputs[i])];
    }
    const std::vector<Feature> expected = whole_outputs(network, inputs);
    for (std::size_t i = 0; i < expected.size(); ++i) {
      const std::string name =
          edge == PartEdge::Ports ? ports.outputs[i].name : crossing_name(network, ports, network.outputs[i], edge);
      EXPECT_EQ(tensors.at(name), expected[i]) << name;
    }
  }
}

TEST(Part, TextsAreReadAsTheyAreWritten) {
  for (const std::vector<int>& layers : {std::vector<int>{0}, {0, 1, 2}, {3, 5, 6, 7, 9}, {1, 3}})
    EXPECT_EQ(parse_part(part_text(layers), 10), layers);
  EXPECT_EQ(part_text({0, 1, 2, 4}), "0-2,4");
  for (const char* text : {"", "-", "1-", "2-1", "1,1", "3,1", "10", "1-10", "1;2", " 1", "1,", "99999999999999999999"})
    EXPECT_THROW(parse_part(text, 10), Error) << text;
}

TEST(Part, TheIdOfANetworkIsThatOfItsBits) {
  test::Random random;
  const model::Network network = test::RandomNetwork(random).build(6);
  model::Network other = network;
  other.name = other.features[0].name = other.layers[0].name = "other";
  EXPECT_EQ(network_id(other), network_id(network));
  other.features.back().zero ^= 1;
  EXPECT_NE(network_id(other), network_id(network));
  other = network;
  other.layers.back().low += 1;
  EXPECT_NE(network_id(other), network_id(network));
}

/// Counts what it has begun and not ended.
class CountingRunner final : public PartRunner {
 public:
  explicit CountingRunner(std::size_t most) : most_(most) {}
  std::string name() const override { return "counting"; }
  std::size_t most() const override { return most_; }
  void prepare(const WantedPart& part) override { inner_.prepare(part); }
  void start(const WantedPart& part, std::vector<Feature> inputs, std::function<void(PartResult)> done) override {
    const int now = ++under_way_;
    most_seen_ = std::max(most_seen_.load(), now);
    inner_.start(part, std::move(inputs), [this, done = std::move(done)](PartResult result) mutable {
      --under_way_;
      if (++ended_ == fails_at) result.failure = std::make_exception_ptr(Error(ErrorCode::Device, "broken", "test"));
      done(std::move(result));
    });
  }
  int most_seen() const { return most_seen_; }
  int fails_at = 0;

 private:
  std::size_t most_;
  std::atomic<int> under_way_{0}, most_seen_{0};
  int ended_ = 0;
  HostRunner inner_;
};

TEST(SharedSession, GivesTheBitsOfTheWholeNetwork) {
  test::Random random;
  for (int trial = 0; trial < 30; ++trial) {
    const model::Network network = test::RandomNetwork(random).build(random.between(2, 12));
    CountingRunner one(1), two(2);
    HostRunner three;
    const std::size_t in_flight = at(random.between(1, 4));
    SharedSession session(network, ports_of(network), random_parts(random, network, 3), {&one, &two, &three},
                          in_flight);
    std::vector<std::vector<Feature>> frames;
    for (int i = 0; i < 5; ++i) frames.push_back(random_inputs(random, network));
    const std::vector<SharedFrame> answers = session.run(frames);
    ASSERT_EQ(answers.size(), frames.size());
    for (std::size_t i = 0; i < frames.size(); ++i)
      EXPECT_EQ(answers[i].outputs, whole_outputs(network, frames[i])) << i;
    EXPECT_LE(one.most_seen(), 1);
    EXPECT_LE(two.most_seen(), static_cast<int>(std::min<std::size_t>(2, in_flight)));
    EXPECT_EQ(session.timeline().size(), frames.size() * session.parts().size());
  }
}

TEST(SharedSession, ReportsTheFailureOfAMachine) {
  test::Random random;
  const model::Network network = test::RandomNetwork(random).build(6);
  CountingRunner runner(2);
  SharedSession session(network, ports_of(network), random_parts(random, network, 1), {&runner}, 3);
  runner.fails_at = 4;
  const std::vector<std::vector<Feature>> frames(6, random_inputs(random, network));
  EXPECT_THROW(session.run(frames), Error);
}

TEST(SharedSession, RefusesPartsInTheWrongOrder) {
  test::Random random;
  const model::Network network = test::RandomNetwork(random).build(6);
  HostRunner runner;
  EXPECT_THROW(SharedSession(network, ports_of(network), {}, {&runner}, 1), Error);
  EXPECT_THROW(SharedSession(network, ports_of(network), {{0, range(3, 5)}}, {&runner}, 1), Error);
}

}  // namespace
}  // namespace espalier::run
