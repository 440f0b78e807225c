// esp_read_dma
//   - the staged beats are the planes' runs, in order, whatever the memory and the consumer do
//   - AXI: addresses stay until accepted, bursts stay within 1 KiB, never more beats under way than staging has
//     room for
//   - a burst outside its window is not requested: the error names its offset
//   - a read response with an error is passed on in its cycle; every beat comes with the position of its command
//   - halted, no burst is requested; between runs staged and outstanding beats are dropped and quiet_o tells the end
#include <deque>

#include "Vesp_read_dma_d128.h"
#include "Vesp_read_dma_d16.h"
#include "Vesp_read_dma_d32.h"
#include "axi_checker.hpp"
#include "hw/bench.hpp"

namespace espalier::test {
namespace {

struct Request {
  std::uint64_t base;
  std::uint32_t limit, offset, run, pitch;
  std::uint16_t planes;
};

std::uint64_t content(std::uint64_t address) { return address * 0x9e3779b97f4a7c15ULL; }

template <typename Top>
class DmaBench {
 public:
  DmaBench(unsigned depth, Random& random, double idle, double refuse)
      : depth_(depth), random_(random), idle_(idle), refuse_(refuse), bench(random) {
    bench->rst_ni = bench->run_ni = 0;
    bench->halt_i = bench->request_i = bench->beat_pop_i = bench->ar_ready_i = bench->r_valid_i = 0;
    bench->r_resp_i = 0;
    bench.clock();
    bench->rst_ni = 1;
    bench->run_ni = 1;
  }

  /// One cycle; accepts `request` if it is there. True if it was taken.
  bool cycle(const Request* request, bool consume = true) {
    bench->request_i = request != nullptr;
    if (request != nullptr) {
      put(bench->base_i, request->base);
      put(bench->limit_i, request->limit);
      put(bench->offset_i, request->offset);
      put(bench->run_i, request->run);
      put(bench->pitch_i, request->pitch);
      put(bench->planes_i, request->planes);
    }
    put(bench->position_i, position_);
    const bool accept = !random_.chance(idle_);
    const bool deliver = !bursts_.empty() && !random_.chance(idle_);
    bench->ar_ready_i = accept;
    bench->r_valid_i = deliver;
    put(bench->r_resp_i, deliver && fail_next ? 2U : static_cast<unsigned>(random_.between(0, 1)));
    if (deliver) set(bench->r_data_i, 0, 64, content(bursts_.front().address));
    bench.settle();
    EXPECT_EQ(bench->response_error_o, deliver && fail_next);
    if (deliver) {
      EXPECT_EQ(bench->response_position_o, bursts_.front().position);
    }
    if (deliver && fail_next) {
      EXPECT_EQ(bench->response_o, 2);
    }
    const bool pop = consume && bench->beat_valid_o && !random_.chance(refuse_);
    bench->beat_pop_i = pop;
    if (pop) received.push_back(get(bench->beat_o, 0, 64));
    const AxiAddress pins{bench->ar_valid_o != 0, accept, bench->ar_addr_o, bench->ar_len_o};
    checker.cycle(pins);
    const bool taken = request != nullptr && bench->ready_o;
    if (deliver) {
      bursts_.front().address += 64;
      if (--bursts_.front().beats == 0) bursts_.pop_front();
      --outstanding_;
    }
    if (pins.valid && accept) {
      bursts_.push_back({pins.address, pins.length + 1, taken_.empty() ? 0 : taken_.front().position});
      outstanding_ += pins.length + 1;
      EXPECT_LE(outstanding_, depth_);
      if (!taken_.empty() && (taken_.front().beats -= pins.length + 1) == 0) taken_.pop_front();
    }
    if (!bench->run_ni) taken_.clear();
    if (taken) taken_.push_back({position_++, std::uint64_t{request->run} * request->planes});
    bench.clock();
    bench->request_i = 0;
    return taken;
  }

  unsigned depth_;
  Random& random_;
  double idle_, refuse_;
  Bench<Top> bench;
  AxiAddressChecker checker{"read"};
  std::vector<std::uint64_t> received;
  bool fail_next = false;

 private:
  struct Burst {
    std::uint64_t address;
    unsigned beats;
    std::uint32_t position;
  };
  struct Taken {
    std::uint32_t position = 0;
    std::uint64_t beats = 0;  // not yet requested
  };

  std::deque<Burst> bursts_;
  std::deque<Taken> taken_;
  std::uint32_t position_ = 1;  // of the next request
  unsigned outstanding_ = 0;
};

Request random_request(Random& random) {
  Request r;
  r.base = static_cast<std::uint64_t>(random.between(1, 1 << 30)) * 4096;
  r.offset = static_cast<std::uint32_t>(random.between(0, 100));
  r.run = static_cast<std::uint32_t>(random.chance(0.3) ? 1 : random.between(1, 50));
  r.pitch = static_cast<std::uint32_t>(random.between(0, 100));
  r.planes = static_cast<std::uint16_t>(random.between(1, 4));
  r.limit = r.offset + r.pitch * (r.planes - 1U) + r.run;  // fits exactly
  return r;
}

void append(std::vector<std::uint64_t>& expected, const Request& r) {
  for (unsigned plane = 0; plane < r.planes; ++plane) {
    for (unsigned i = 0; i < r.run; ++i) expected.push_back(content(r.base + (r.offset + plane * r.pitch + i) * 64ULL));
  }
}

template <typename Top>
void run_requests(unsigned depth) {
  for_each_pressure([&](double idle, double refuse) {
    Random random(depth);
    DmaBench<Top> dma(depth, random, idle, refuse);
    std::vector<std::uint64_t> expected;
    for (int n = 0; n < 6; ++n) {
      const Request request = random_request(random);
      append(expected, request);
      int waited = 0;
      while (!dma.cycle(&request) && ++waited < 20000) {
      }
    }
    for (int i = 0; i < 20000 && dma.received.size() < expected.size(); ++i) dma.cycle(nullptr);
    EXPECT_EQ(dma.received, expected);
    for (int i = 0; i < 3; ++i) dma.cycle(nullptr);
    EXPECT_EQ(dma.bench->quiet_o, 1);
    EXPECT_EQ(dma.bench->window_error_o, 0);
  });
}

TEST(ReadDma, StagesEveryBeatInOrder) {
  run_requests<Vesp_read_dma_d16>(16);
  run_requests<Vesp_read_dma_d32>(32);
  run_requests<Vesp_read_dma_d128>(128);
}

TEST(ReadDma, DoesNotRequestWhatLiesOutsideTheWindow) {
  for (unsigned i = 0; i < 20; ++i) {
    Random random(i);
    DmaBench<Vesp_read_dma_d32> dma(32, random, 0.2, 0.2);
    Request request = random_request(random);
    // The last plane ends one beat late; offsets do not wrap at 2^32 either.
    if (random.chance(0.5)) {
      --request.limit;
    } else {
      request.offset = 0xffffffffU - static_cast<std::uint32_t>(random.between(0, 15));
      request.limit = 1000;
    }
    while (!dma.cycle(&request)) {
    }
    for (int n = 0; n < 2000; ++n) dma.cycle(nullptr);
    EXPECT_EQ(dma.bench->window_error_o, 1);
    const std::uint64_t offset = dma.bench->window_offset_o;
    EXPECT_GT(offset + 16, request.limit);
    EXPECT_EQ(dma.bench->quiet_o, 1);
    // Dropped by the end of the run, and ready again.
    dma.bench->run_ni = 0;
    dma.cycle(nullptr, false);
    dma.bench->run_ni = 1;
    EXPECT_EQ(dma.bench->window_error_o, 0);
    EXPECT_EQ(dma.bench->ready_o, 1);
  }
}

TEST(ReadDma, PassesReadErrorsOn) {
  Random random;
  DmaBench<Vesp_read_dma_d32> dma(32, random, 0.3, 0.3);
  dma.fail_next = true;
  const Request request = random_request(random);
  while (!dma.cycle(&request)) {
  }
  for (int i = 0; i < 300; ++i) dma.cycle(nullptr);
  EXPECT_FALSE(dma.received.empty());  // each was checked in its cycle
}

TEST(ReadDma, FallsQuietWhenHaltedAndForgetsTheRun) {
  for (unsigned i = 0; i < 20; ++i) {
    Random random(i);
    DmaBench<Vesp_read_dma_d32> dma(32, random, 0.5, 0.5);
    Request request = random_request(random);
    request.run = 200;
    request.planes = 1;
    request.limit = 10000;
    while (!dma.cycle(&request)) {
    }
    for (int n = random.between(0, 60); n > 0; --n) dma.cycle(nullptr);
    dma.bench->halt_i = 1;
    dma.cycle(nullptr);
    const bool waiting = dma.bench->ar_valid_o != 0;
    const std::uint64_t bursts = dma.checker.bursts();
    for (int n = 0; n < 400 && !dma.bench->quiet_o; ++n) dma.cycle(nullptr);
    EXPECT_EQ(dma.bench->quiet_o, 1);
    EXPECT_LE(dma.checker.bursts(), bursts + (waiting ? 1 : 0));
    dma.bench->run_ni = 0;
    dma.cycle(nullptr, false);
    dma.bench->run_ni = 1;
    dma.bench->halt_i = 0;
    EXPECT_EQ(dma.bench->beat_valid_o, 0);
    dma.received.clear();
    std::vector<std::uint64_t> expected;
    const Request next = random_request(random);
    append(expected, next);
    while (!dma.cycle(&next)) {
    }
    for (int n = 0; n < 20000 && dma.received.size() < expected.size(); ++n) dma.cycle(nullptr);
    EXPECT_EQ(dma.received, expected);
  }
}

}  // namespace
}  // namespace espalier::test
