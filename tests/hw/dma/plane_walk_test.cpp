// esp_plane_walk
//   - beat i of run p stands at address + p * pitch + i * scale, modulo the address width, whatever the steps are
//   - gone_o is the complement of what is left of each run; last_o marks the step that ends the walk, and only that one
//   - nothing moves without a step; a reset ends a walk, and the next starts clean
#include "Vesp_plane_walk_a16_s4.h"
#include "Vesp_plane_walk_a32_s1.h"
#include "Vesp_plane_walk_a7_s16.h"
#include "hw/bench.hpp"

namespace espalier::test {
namespace {

struct Walk {
  std::uint32_t address, run, pitch;
  std::uint16_t planes;
};

Walk random_walk(Random& random) {
  return {static_cast<std::uint32_t>(random.between(0, 1 << 30)) * 5,
          static_cast<std::uint32_t>(random.chance(0.3) ? 1 : random.between(1, 60)),
          static_cast<std::uint32_t>(random.between(0, 100000)), static_cast<std::uint16_t>(random.between(1, 5))};
}

template <typename Top>
class WalkBench {
 public:
  WalkBench(unsigned bits, unsigned scale, Random& random, double idle, double refuse)
      : mask_(bits == 32 ? ~0U : (1U << bits) - 1),
        scale_(scale),
        random_(random),
        idle_(idle),
        refuse_(refuse),
        bench(random) {
    bench->rst_ni = bench->start_i = bench->step_i = 0;
    bench.clock();
    bench->rst_ni = 1;
  }

  void start(const Walk& walk) {
    while (random_.chance(idle_)) {
      bench.clock();
      EXPECT_EQ(bench->active_o, 0);
    }
    bench->start_i = 1;
    put(bench->address_i, walk.address & mask_);
    put(bench->pitch_i, walk.pitch & mask_);
    bench->run_i = walk.run;
    bench->planes_i = walk.planes;
    bench.clock();
    bench->start_i = 0;
  }

  /// Steps to the end, or `limit` beats far.
  void follow(const Walk& walk, std::uint32_t limit = ~0U) {
    std::uint32_t beats = 0;
    for (std::uint32_t plane = 0; plane < walk.planes; ++plane) {
      for (std::uint32_t i = 0; i < walk.run;) {
        if (beats >= limit) return;
        const auto step = static_cast<std::uint32_t>(random_.between(1, static_cast<int>(std::min(16U, walk.run - i))));
        while (random_.chance(refuse_)) {
          put(bench->beats_i, static_cast<std::uint64_t>(random_.between(0, 31)));
          expect_at(walk, plane, i);
          bench.clock();
        }
        bench->step_i = 1;
        put(bench->beats_i, step);
        bench.settle();
        expect_at(walk, plane, i);
        EXPECT_EQ(bench->last_o != 0, plane + 1U == walk.planes && i + step == walk.run);
        bench.clock();
        bench->step_i = 0;
        i += step;
        beats += step;
      }
    }
    EXPECT_EQ(bench->active_o, 0);
  }

 private:
  void expect_at(const Walk& walk, std::uint32_t plane, std::uint32_t i) {
    EXPECT_EQ(bench->active_o, 1);
    EXPECT_EQ(std::uint32_t{bench->address_o}, (walk.address + plane * walk.pitch + i * scale_) & mask_);
    EXPECT_EQ(~bench->gone_o, walk.run - i);
  }

  std::uint32_t mask_;
  unsigned scale_;
  Random& random_;
  double idle_, refuse_;

 public:
  Bench<Top> bench;
};

template <typename Top>
void run(unsigned bits, unsigned scale) {
  for_each_pressure([&](double idle, double refuse) {
    Random random(bits);
    WalkBench<Top> walker(bits, scale, random, idle, refuse);
    for (int n = 0; n < 12; ++n) {
      const Walk walk = random_walk(random);
      walker.start(walk);
      if (random.chance(0.2)) {
        walker.follow(walk, static_cast<std::uint32_t>(random.between(0, 20)));
        walker.bench->rst_ni = 0;
        walker.bench.clock();
        walker.bench->rst_ni = 1;
        EXPECT_EQ(walker.bench->active_o, 0);
      } else {
        walker.follow(walk);
      }
    }
  });
}

TEST(PlaneWalk, VisitsEveryBeat) {
  run<Vesp_plane_walk_a7_s16>(7, 16);
  run<Vesp_plane_walk_a16_s4>(16, 4);
  run<Vesp_plane_walk_a32_s1>(32, 1);
}

}  // namespace
}  // namespace espalier::test
