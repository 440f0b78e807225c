// esp_lane
//   - a row's accumulators are the wrapping sum of word * weight, or from -128 the maximum of word
//   - with s segments pixel p is multiplied by weight p div (P / s); with broadcast it is that of the entry's segment
//   - rows without a valid entry give 0 (maximum: -128)
//   - rows leave in order, with the tag of their announcement and their number within the position
//   - the accumulators of the row popped last are shown until the next is popped
//   - ready_o is low exactly while ResultDepth rows are announced and not popped; entries go on meanwhile
#include <bit>
#include <deque>

#include "Vesp_lane_p16_w4.h"
#include "Vesp_lane_p16_w4_dsp.h"
#include "Vesp_lane_p1_w8.h"
#include "Vesp_lane_p32_w2.h"
#include "Vesp_lane_p4_w8.h"
#include "Vesp_lane_p4_w8_dsp.h"
#include "Vesp_lane_p8_w8.h"
#include "esp_abi.hpp"
#include "esp_arithmetic.hpp"
#include "hw/bench.hpp"

namespace espalier::test {
namespace {

struct Entry {
  bool valid = false;
  bool last = false;
  bool maximum = false;
  unsigned split = 0;  // log2 of s
  bool broadcast = false;
  unsigned segment = 0;
  std::vector<std::uint8_t> weights, word;
};

struct Row {
  std::uint64_t tag = 0;
  std::vector<std::int32_t> values;
};

class Reference {
 public:
  Reference(unsigned pixels, unsigned row_bits) : pixels_(pixels), row_mask_((1U << row_bits) - 1) {}

  void issue(const Entry& entry, std::uint64_t tag, unsigned tag_bits, bool restart) {
    if (values_.empty()) values_.assign(pixels_, entry.maximum ? -128 : 0);
    for (unsigned p = 0; entry.valid && p < pixels_; ++p) {
      const unsigned segment_pixels = pixels_ >> entry.split;
      const unsigned source = entry.broadcast ? entry.segment * segment_pixels + p % segment_pixels : p;
      const std::int32_t product =
          static_cast<std::int8_t>(entry.word[source]) * static_cast<std::int8_t>(entry.weights[p / segment_pixels]);
      const std::int32_t pixel = static_cast<std::int8_t>(entry.word[source]);
      values_[p] = entry.maximum ? std::max(values_[p], pixel) : abi::accumulate(values_[p], product);
    }
    if (entry.last) {
      rows.push_back({tag | std::uint64_t{row_} << tag_bits, values_});
      values_.clear();
      row_ = (row_ + 1) & row_mask_;
    }
    if (restart) row_ = 0;
  }

  bool in_row() const { return !values_.empty(); }
  std::deque<Row> rows;

 private:
  unsigned pixels_, row_mask_;
  unsigned row_ = 0;
  std::vector<std::int32_t> values_;
};

template <typename Top>
void run(unsigned pixels, unsigned line_weights, unsigned tag_bits, unsigned row_bits) {
  const int max_split = std::countr_zero(std::min(pixels, line_weights));
  for_each_pressure([&](double idle, double refuse) {
    Random random(pixels);
    Bench<Top> bench(random);
    Reference reference(pixels, row_bits);
    std::deque<Entry> pipe(3);  // of the router
    Row shown;
    bench->announce_i = bench->restart_i = bench->pop_i = bench->valid_i = bench->last_i = 0;
    bench->rst_ni = 0;
    bench.clock();
    bench->rst_ni = 1;
    bool maximum = false;
    int seen = 0;
    for (int i = 0; i < 1500; ++i) {
      bench.settle();
      EXPECT_EQ(bench->ready_o, reference.rows.size() < abi::ResultDepth);
      const bool pop = bench->result_valid_o && !random.chance(refuse);
      for (unsigned p = 0; p < shown.values.size(); ++p) {
        EXPECT_EQ(static_cast<std::int32_t>(get(bench->result_o, 32 * p, 32)), shown.values[p]);
      }
      if (pop) {
        shown = reference.rows.front();
        reference.rows.pop_front();
        EXPECT_EQ(get(bench->result_tag_o, 0, tag_bits + row_bits), shown.tag);
        ++seen;
      }
      Entry entry;
      if (!random.chance(idle)) {
        entry.valid = random.chance(0.8);
        entry.last = random.chance(0.3) && bench->ready_o;
        entry.split = static_cast<unsigned>(random.between(0, max_split));
        entry.broadcast = random.chance(0.5);
        entry.segment = static_cast<unsigned>(random.between(0, (1 << entry.split) - 1));
        entry.weights = random_bytes(random, line_weights);
        if (random.chance(0.2)) entry.weights.assign(line_weights, 0x80);
        entry.word = random_bytes(random, pixels);
        if (random.chance(0.2)) entry.word.assign(pixels, 0x80);
        if (!reference.in_row()) maximum = random.chance(0.3);
        entry.maximum = maximum;
      }
      const bool issued = entry.valid || entry.last;
      const bool restart = entry.last && random.chance(0.2);
      const auto tag = static_cast<std::uint64_t>(random.between(0, (1 << tag_bits) - 1));
      if (issued) reference.issue(entry, tag, tag_bits, restart);
      bench->announce_i = entry.last;
      bench->restart_i = restart;
      put(bench->tag_i, tag);
      bench->pop_i = pop;
      pipe.push_back(entry);
      const Entry& arriving = pipe.front();
      bench->valid_i = arriving.valid;
      bench->last_i = arriving.last;
      bench->maximum_i = arriving.maximum;
      put(bench->split_i, arriving.split);
      bench->broadcast_i = arriving.broadcast;
      put(bench->segment_i, arriving.segment);
      if (arriving.valid) {
        set_bytes(bench->weight_i, arriving.weights);
        set_bytes(bench->word_i, arriving.word);
      }
      pipe.pop_front();
      bench.clock();
      if (::testing::Test::HasFailure()) return;
    }
    EXPECT_GT(seen, 20);
  });
}

TEST(Lane, AccumulatesRowsAndKeepsTheirOrder) {
  run<Vesp_lane_p1_w8>(1, 8, 3, 2);
  run<Vesp_lane_p4_w8>(4, 8, 17, 11);
  run<Vesp_lane_p8_w8>(8, 8, 17, 11);
  run<Vesp_lane_p16_w4>(16, 4, 17, 11);
  run<Vesp_lane_p32_w2>(32, 2, 17, 11);
}

TEST(Lane, WithPrimitivesGivesTheSameRows) {
  run<Vesp_lane_p4_w8_dsp>(4, 8, 17, 11);
  run<Vesp_lane_p16_w4_dsp>(16, 4, 17, 11);
}

}  // namespace
}  // namespace espalier::test
