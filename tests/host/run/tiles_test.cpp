// Properties:
//   - tiles of networks with residual blocks, strides, pooling and uneven padding give the reference's bits, on 1 to 8
//     workers and in any grid
//   - a worker that dies, gives results of a wrong size or is the last to finish changes nothing in the answer; without
//     workers the caller computes it
//   - the hand-out ends with every tile taken once, whatever workers do
#include "run/tiles.hpp"

#include <gtest/gtest.h>

#include <atomic>
#include <memory>
#include <optional>
#include <random>

#include "cpu/reference.hpp"
#include "esp_error.hpp"
#include "plan/policy/tile_hand_out.hpp"
#include "zoo/builder.hpp"

namespace espalier::run {
namespace {

model::Network residual_network() {
  static const zoo::Options options;
  zoo::Builder builder("tiles", options);
  const int image = builder.input(3, 37, 29);
  const int stem = builder.convolution("stem", image, 6, {5, 5, 2, 2, false}, zoo::Activation::Relu);
  const int pool = builder.max_pool("pool", stem, {3, 3, 2, 1, false});
  const int first = builder.convolution("first", pool, 6, {3, 3, 1, 1, false}, zoo::Activation::Relu);
  const int second = builder.convolution("second", first, 6, {3, 3, 1, 1, false}, zoo::Activation::None);
  const int sum = builder.add("sum", second, pool, zoo::Activation::Relu);
  const int down = builder.convolution("down", sum, 8, {3, 3, 2, 0, true}, zoo::Activation::Relu);
  const int skip = builder.convolution("skip", sum, 8, {1, 1, 2, 0, false}, zoo::Activation::None);
  return builder.finish(builder.add("out", down, skip, zoo::Activation::None));
}

std::vector<TileValues> random_inputs(const model::Network& network) {
  std::mt19937 engine(11);
  std::vector<TileValues> inputs;
  for (const int input : network.inputs) {
    TileValues values(network.features[static_cast<std::size_t>(input)].elements());
    for (std::int8_t& value : values) value = static_cast<std::int8_t>(static_cast<int>(engine() % 256) - 128);
    inputs.push_back(std::move(values));
  }
  return inputs;
}

std::vector<plan::Region> grid(const model::Feature& feature, int rows, int columns) {
  std::vector<plan::Region> tiles;
  for (int row = 0; row < rows; ++row)
    for (int column = 0; column < columns; ++column) {
      const plan::Region tile{feature.height * row / rows, feature.height * (row + 1) / rows - 1,
                              feature.width * column / columns, feature.width * (column + 1) / columns - 1};
      if (!tile.empty()) tiles.push_back(tile);
    }
  return tiles;
}

struct Case {
  model::Network network = residual_network();
  std::vector<TileValues> inputs = random_inputs(network);
  std::vector<TileValues> features = cpu::run(network, inputs);

  TileWorker worker(int feature) const {
    return [this, feature](const plan::Region& tile) { return run_tile(network, feature, tile, inputs); };
  }
};

TEST(Tiles, EveryFeatureInEveryGridHasTheReferencesBits) {
  const Case test;
  for (const model::Layer& layer : test.network.layers) {
    const model::Feature& feature = test.network.features[static_cast<std::size_t>(layer.output)];
    for (const int side : {1, 2, 3, 5})
      EXPECT_EQ(
          run_tiled(test.network, layer.output, grid(feature, side, side), test.inputs, {test.worker(layer.output)}),
          test.features[static_cast<std::size_t>(layer.output)])
          << layer.name << " in " << side << "x" << side;
  }
}

TEST(Tiles, OneToEightWorkersGiveOneAnswer) {
  const Case test;
  const int output = test.network.outputs[0];
  const model::Feature& feature = test.network.features[static_cast<std::size_t>(output)];
  for (std::size_t workers = 0; workers <= 8; ++workers)
    EXPECT_EQ(run_tiled(test.network, output, grid(feature, 4, 2), test.inputs,
                        std::vector<TileWorker>(workers, test.worker(output))),
              test.features[static_cast<std::size_t>(output)])
        << workers;
}

TEST(Tiles, WorkersThatDieOrErrChangeNothing) {
  const Case test;
  const int output = test.network.outputs[0];
  const std::vector<plan::Region> tiles = grid(test.network.features[static_cast<std::size_t>(output)], 4, 4);
  for (int dead = 1; dead <= 3; ++dead) {
    std::vector<TileWorker> workers;
    for (int i = 0; i < 3; ++i) {
      auto left = std::make_shared<std::atomic<int>>(i);
      workers.push_back(i >= dead ? test.worker(output) : [=, &test](const plan::Region& tile) -> TileValues {
        if ((*left)-- > 0) return run_tile(test.network, output, tile, test.inputs);
        if (i == 1) return TileValues(3);
        throw Error(ErrorCode::Device, "gone", "worker");
      });
    }
    EXPECT_EQ(run_tiled(test.network, output, tiles, test.inputs, workers),
              test.features[static_cast<std::size_t>(output)]);
  }
}

TEST(Tiles, WholeMapsAreReadWhole) {
  static const zoo::Options options;
  zoo::Builder builder("whole", options);
  const int image = builder.input(2, 9, 9);
  const int map = builder.convolution("map", image, 4, {3, 3, 1, 1, false}, zoo::Activation::Relu);
  const model::Network network = builder.finish(builder.classifier(map, 5));
  const std::vector<TileValues> inputs = random_inputs(network);
  const int output = network.outputs[0];
  EXPECT_EQ(run_tile(network, output, {0, 0, 0, 0}, inputs),
            cpu::run(network, inputs)[static_cast<std::size_t>(output)]);
}

TEST(TileHandOut, TakesEveryTileOnceWhateverWorkersDo) {
  for (unsigned seed = 1; seed <= 500; ++seed) {
    std::mt19937 engine(seed);
    const std::size_t tiles = 1 + engine() % 12, workers = 1 + engine() % 8;
    plan::HandOutState state = plan::begin(tiles, workers);
    std::vector<int> taken(tiles, 0);
    std::vector<std::optional<std::size_t>> busy(workers);
    plan::HandOut next;
    do {
      const std::size_t worker = engine() % workers;
      plan::TileEvent event{plan::TileEvent::Kind::Idle, worker, 0};
      if (engine() % 10 == 0) {
        event.kind = plan::TileEvent::Kind::Lost;
        busy[worker].reset();
      } else if (busy[worker]) {
        event.kind = plan::TileEvent::Kind::Done;
        event.tile = *busy[worker];
      }
      next = plan::hand_out(std::move(state), event);
      state = std::move(next.state);
      if (next.take) ++taken[event.tile];
      if (event.kind != plan::TileEvent::Kind::Lost) busy[worker] = next.give;
    } while (!next.finished && !next.stranded);
    for (std::size_t tile = 0; tile < tiles; ++tile) {
      EXPECT_LE(taken[tile], 1) << "seed " << seed;
      if (next.finished) {
        EXPECT_EQ(taken[tile], 1) << "seed " << seed;
      }
    }
  }
}

}  // namespace
}  // namespace espalier::run
