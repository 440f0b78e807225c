// esp_word_dealer
//   - lanes that want a word get the next ones of the run, in order of their number, none is lost or given twice
//   - up to 16 words a cycle, across the end of a beat as well
//   - without beats nobody is served; at the end of the run everybody is, and the dealer is dry
//   - a new stream starts with a new beat
#include <deque>

#include "Vesp_word_dealer_k16.h"
#include "Vesp_word_dealer_k16_spread.h"
#include "Vesp_word_dealer_k32.h"
#include "Vesp_word_dealer_k32_spread.h"
#include "Vesp_word_dealer_k8.h"
#include "Vesp_word_dealer_k8_spread.h"
#include "esp_abi.hpp"
#include "hw/bench.hpp"

namespace espalier::test {
namespace {

template <typename Top>
class DealerBench {
 public:
  DealerBench(unsigned lanes, Random& random) : lanes_(lanes), random_(random), bench_(random) {
    bench_->rst_ni = 0;
    bench_->start_i = bench_->run_i = bench_->more_i = bench_->beat_valid_i = 0;
    put(bench_->want_i, 0);
    bench_.clock();
    bench_->rst_ni = 1;
  }

  /// A stream of `beats`, lanes wanting words with probability `want`, beats late with probability `idle`.
  void stream(int beats, double want, double idle) {
    bench_->run_i = 0;
    bench_->start_i = 1;
    bench_.clock();
    bench_->start_i = 0;
    bench_->run_i = 1;
    words_.clear();
    next_ = 0;
    left_ = beats;
    beat_ = random_bytes(random_, abi::BeatBytes);
    for (int cycles = 0; cycles < 4000 && !(left_ == 0 && bench_->dry_o); ++cycles) {
      cycle(want, idle);
      if (::testing::Test::HasFatalFailure()) return;
    }
    EXPECT_TRUE(words_.empty());
    EXPECT_TRUE(bench_->dry_o);
    EXPECT_EQ(left_, 0);
    EXPECT_EQ(next_, static_cast<std::size_t>(beats) * abi::WordsPerBeat);
  }

 private:
  void cycle(double want, double idle) {
    std::uint64_t wants = 0;
    for (unsigned k = 0; k < lanes_; ++k) wants |= std::uint64_t{random_.chance(want)} << k;
    put(bench_->want_i, wants);
    bench_->more_i = left_ > 0;
    bench_->beat_valid_i = left_ > 0 && !random_.chance(idle);
    set_bytes(bench_->beat_i, beat_);
    bench_.settle();
    const std::size_t available = words_.size() + (held_words() && bench_->beat_valid_i ? abi::WordsPerBeat : 0U);
    const std::size_t wanted = static_cast<std::size_t>(__builtin_popcountll(wants));
    const std::size_t given = std::min({wanted, available, std::size_t{abi::WordsPerBeat}});
    EXPECT_EQ(bench_->served_o != 0, given == wanted || (left_ == 0 && given == available));
    if (bench_->beat_pop_o) {
      ASSERT_TRUE(bench_->beat_valid_i);
      for (unsigned i = 0; i < abi::WordsPerBeat; ++i) {
        words_.push_back(static_cast<std::uint32_t>(abi::get_bits(beat_, 32 * i, 32)));
      }
    }
    std::size_t dealt = 0;
    std::vector<std::uint32_t> taken;
    for (unsigned k = 0; k < lanes_; ++k) {
      const bool takes = get(bench_->take_o, k, 1) != 0;
      EXPECT_EQ(takes, (wants >> k & 1U) != 0 && dealt < given) << "lane " << k;
      if (!takes) continue;
      ++dealt;
      taken.push_back(static_cast<std::uint32_t>(get(bench_->word_o, 32 * k, 32)));
    }
    ASSERT_LE(taken.size(), words_.size());
    for (const std::uint32_t word : taken) {
      EXPECT_EQ(word, words_.front());
      words_.pop_front();
      ++next_;
    }
    const bool pop = bench_->beat_pop_o != 0;
    bench_.clock();
    if (!pop) return;
    --left_;
    beat_ = random_bytes(random_, abi::BeatBytes);
  }

  bool held_words() const { return !words_.empty(); }

  unsigned lanes_;
  Random& random_;
  Bench<Top> bench_;
  std::deque<std::uint32_t> words_;  // of beats that were popped
  std::vector<std::uint8_t> beat_;
  std::size_t next_ = 0;
  int left_ = 0;
};

template <typename Top>
void run(unsigned lanes) {
  Random random(lanes);
  DealerBench<Top> bench(lanes, random);
  for (const double want : {0.05, 0.4, 1.0}) {
    for (const double idle : {0.0, 0.3, 0.9}) {
      SCOPED_TRACE("want " + std::to_string(want) + ", idle " + std::to_string(idle));
      for (const int beats : {1, 2, 3, 20}) bench.stream(beats, want, idle);
    }
  }
}

TEST(WordDealer, DealsEveryWordOnceInOrder) {
  run<Vesp_word_dealer_k8>(8);
  run<Vesp_word_dealer_k16>(16);
  run<Vesp_word_dealer_k32>(32);
}

TEST(WordDealer, SpreadsWordsToTheirLanes) {
  run<Vesp_word_dealer_k8_spread>(8);
  run<Vesp_word_dealer_k16_spread>(16);
  run<Vesp_word_dealer_k32_spread>(32);
}

}  // namespace
}  // namespace espalier::test
