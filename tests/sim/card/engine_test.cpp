// The thread that owns a card's machine:
//   - jobs run in order and end once each, whatever threads submit them; accesses are served while they run
//   - a queued job is taken out, a running one is ended by a reset; both end as Aborted, others as Completed
//   - tasks without a machine, exceptions of tasks and of starts reach their callers
#include <gtest/gtest.h>

#include <atomic>
#include <future>
#include <thread>

#include "card/engine.hpp"
#include "esp_error.hpp"

namespace espalier::card {
namespace {

/// A machine with one register: a run lasts as many batches as it says; 0 is for ever.
class CountingMachine : public Machine, private driver::Bus {
 public:
  driver::Bus& bus() override { return *this; }
  bool busy() override { return busy_; }
  bool advance() override {
    if (left_ > 0 && --left_ == 0) busy_ = false;
    return busy_ && left_ > 0;
  }

  std::vector<std::uint32_t> starts;

 private:
  std::string name() const override { return "counting"; }
  std::uint32_t read_register(std::uint32_t) override { return left_; }
  void write_register(std::uint32_t offset, std::uint32_t value) override {
    if (offset > 4096) throw Error(ErrorCode::Device, "no such register", "counting");
    if (offset != abi::RegControl) {
      next_ = value;
      return;
    }
    starts.push_back(next_);
    left_ = next_;
    busy_ = true;
  }
  std::uint64_t allocate(std::size_t) override { return 0; }
  void release(std::uint64_t) override {}
  void write_memory(std::uint64_t, std::span<const std::uint8_t>) override {}
  void read_memory(std::uint64_t, std::span<std::uint8_t>) override {}
  bool wait_done(std::chrono::milliseconds) override { return !busy_; }
  void reset() override { busy_ = false; }

  std::uint32_t next_ = 0, left_ = 0;
  bool busy_ = false;
};

class Engines : public ::testing::Test {
 protected:
  Engines() {
    auto machine = std::make_unique<CountingMachine>();
    machine_ = machine.get();
    engine_.install(std::move(machine));
  }

  Job job(std::uint64_t id, std::uint32_t batches, std::promise<JobEnd>& end) {
    Job job;
    job.id = id;
    job.registers = {{16, batches}};
    job.ended = [&end](JobEnd how) { end.set_value(how); };
    return job;
  }

  CountingMachine* machine_;
  Engine engine_;
};

TEST_F(Engines, JobsRunInOrder) {
  std::vector<std::promise<JobEnd>> ends(20);
  for (std::uint32_t i = 0; i < ends.size(); ++i) engine_.submit(job(i + 1, i + 1, ends[i]));
  for (auto& end : ends) EXPECT_EQ(end.get_future().get(), JobEnd::Completed);
  EXPECT_TRUE(engine_.idle());
  engine_.call([&](Machine&) {
    ASSERT_EQ(machine_->starts.size(), ends.size());
    for (std::uint32_t i = 0; i < ends.size(); ++i) EXPECT_EQ(machine_->starts[i], i + 1);
  });
}

TEST_F(Engines, AccessesAreServedWhileARunLastsForEver) {
  std::promise<JobEnd> end;
  engine_.submit(job(1, 0, end));
  for (int i = 0; i < 100; ++i) engine_.call([](Machine& machine) { machine.bus().read_register(16); });
  EXPECT_FALSE(engine_.idle());
  EXPECT_TRUE(engine_.abort(1));
  EXPECT_EQ(end.get_future().get(), JobEnd::Aborted);
  EXPECT_FALSE(engine_.abort(1));
}

TEST_F(Engines, AbortTakesOutTheJobAskedFor) {
  std::vector<std::promise<JobEnd>> ends(4);
  engine_.submit(job(1, 0, ends[0]));
  for (std::uint32_t i = 1; i < 4; ++i) engine_.submit(job(i + 1, 3, ends[i]));
  EXPECT_TRUE(engine_.abort(3));
  EXPECT_EQ(ends[2].get_future().get(), JobEnd::Aborted);
  EXPECT_TRUE(engine_.abort(1));
  EXPECT_EQ(ends[0].get_future().get(), JobEnd::Aborted);
  EXPECT_EQ(ends[1].get_future().get(), JobEnd::Completed);
  EXPECT_EQ(ends[3].get_future().get(), JobEnd::Completed);
}

TEST_F(Engines, ManyThreadsSubmitAbortAndAccess) {
  std::atomic<unsigned> ended{0};
  std::atomic<std::uint64_t> next{1};
  std::vector<std::thread> threads;
  for (unsigned t = 0; t < 4; ++t) {
    threads.emplace_back([&, t] {
      for (unsigned i = 0; i < 50; ++i) {
        Job job;
        job.id = next++;
        job.registers = {{16, t == 0 ? 0 : i % 5 + 1}};
        job.ended = [&ended](JobEnd) { ++ended; };
        const std::uint64_t id = job.id;
        engine_.submit(std::move(job));
        engine_.call([](Machine& machine) { machine.bus().read_register(16); });
        if (t == 0) {
          EXPECT_TRUE(engine_.abort(id));
        }
      }
    });
  }
  for (auto& thread : threads) thread.join();
  while (!engine_.idle()) std::this_thread::yield();
  while (ended < 200) std::this_thread::yield();
  EXPECT_EQ(ended, 200U);
}

TEST_F(Engines, AStartThatFailsEndsItsJobOnly) {
  std::promise<JobEnd> bad, good;
  Job broken = job(1, 1, bad);
  broken.registers = {{8192, 0}};
  engine_.submit(std::move(broken));
  engine_.submit(job(2, 2, good));
  EXPECT_EQ(bad.get_future().get(), JobEnd::Failed);
  EXPECT_EQ(good.get_future().get(), JobEnd::Completed);
}

TEST(Engine, CallsReportTheirExceptions) {
  Engine engine;
  EXPECT_THROW(engine.call([](Machine&) {}), Error);
  engine.install(std::make_unique<CountingMachine>());
  EXPECT_NO_THROW(engine.call([](Machine&) {}));
  EXPECT_THROW(engine.call([](Machine&) { throw std::runtime_error("task"); }), std::runtime_error);
}

}  // namespace
}  // namespace espalier::card
