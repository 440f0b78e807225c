// Runs through XRT's native API:
//   - several in flight, waited for in any order; arguments by index and name, restarts, callbacks; many threads
//   - a wait that times out and one after it that completes; a running run cannot be started
//   - a queued run is aborted without touching the others; an aborted running one frees the machine
//   - an error of the machine is in its registers, and the next run works
#include <atomic>
#include <chrono>
#include <thread>

#include "run_fixture.hpp"

namespace espalier::test {
namespace {

using namespace std::chrono_literals;

class Runs : public OnCard {
 protected:
  xrt::kernel kernel_{device_, uuid_, "espalier"};
};

TEST_F(Runs, TwoInFlightWaitedForInReverse) {
  Job never(device_, kernel_, 0, Length::Never), first(device_, kernel_, 1, Length::Long), second(device_, kernel_, 2);
  auto blocking = never.start(kernel_);  // keeps the machine, so that the next runs cannot end early
  auto a = first.start(kernel_);
  auto b = second.start(kernel_);
  EXPECT_LT(a.state(), ERT_CMD_STATE_COMPLETED);
  EXPECT_LT(b.state(), ERT_CMD_STATE_COMPLETED);
  EXPECT_EQ(blocking.abort(), ERT_CMD_STATE_ABORT);
  EXPECT_EQ(b.wait(), ERT_CMD_STATE_COMPLETED);
  EXPECT_EQ(a.wait(), ERT_CMD_STATE_COMPLETED);
  EXPECT_TRUE(first.good());
  EXPECT_TRUE(second.good());
}

TEST_F(Runs, TenQueued) {
  std::vector<std::unique_ptr<Job>> jobs;
  std::vector<xrt::run> runs;
  for (unsigned i = 0; i < 10; ++i) jobs.push_back(std::make_unique<Job>(device_, kernel_, i));
  for (auto& job : jobs) runs.push_back(job->start(kernel_));
  for (std::size_t i = 0; i < jobs.size(); ++i) {
    EXPECT_EQ(runs[i].wait(), ERT_CMD_STATE_COMPLETED);
    EXPECT_TRUE(jobs[i]->good()) << i;
  }
}

TEST_F(Runs, ArgumentsByIndexAndNameRestartAndCallbacks) {
  Job job(device_, kernel_, 3);
  xrt::run run(kernel_);
  job.set_arguments(run);
  std::atomic<int> calls{0};
  run.add_callback(
      ERT_CMD_STATE_COMPLETED,
      [](const void*, ert_cmd_state, void* count) { ++*static_cast<std::atomic<int>*>(count); }, &calls);
  for (unsigned i = 0; i < 3; ++i) {
    job.fill(i + 20);
    run.start();
    EXPECT_EQ(run.wait(), ERT_CMD_STATE_COMPLETED);
    EXPECT_TRUE(job.good());
  }
  while (calls < 3) std::this_thread::yield();
  EXPECT_EQ(calls, 3);
}

TEST_F(Runs, FourThreads) {
  std::atomic<int> bad{0};
  std::vector<std::thread> threads;
  for (unsigned t = 0; t < 4; ++t) {
    threads.emplace_back([&, t] {
      for (unsigned i = 0; i < 25; ++i) {
        Job job(device_, kernel_, 100 * t + i);
        auto run = job.start(kernel_);
        if (run.wait() != ERT_CMD_STATE_COMPLETED || !job.good()) ++bad;
      }
    });
  }
  for (auto& thread : threads) thread.join();
  EXPECT_EQ(bad, 0);
}

TEST_F(Runs, TimeoutThenCompletion) {
  Job never(device_, kernel_, 4, Length::Never), job(device_, kernel_, 5);
  auto blocking = never.start(kernel_);
  auto run = job.start(kernel_);
  EXPECT_EQ(run.wait(5ms), ERT_CMD_STATE_TIMEOUT);
  EXPECT_NE(error_of([&] { run.start(); }), "");
  EXPECT_EQ(blocking.abort(), ERT_CMD_STATE_ABORT);
  EXPECT_EQ(run.wait(), ERT_CMD_STATE_COMPLETED);
  EXPECT_TRUE(job.good());
}

TEST_F(Runs, AbortOfAQueuedRunLeavesTheOthers) {
  Job first(device_, kernel_, 6, Length::Never), second(device_, kernel_, 7), third(device_, kernel_, 8);
  auto a = first.start(kernel_);
  auto b = second.start(kernel_);
  auto c = third.start(kernel_);
  EXPECT_EQ(b.abort(), ERT_CMD_STATE_ABORT);
  EXPECT_LT(a.state(), ERT_CMD_STATE_COMPLETED);
  EXPECT_EQ(a.abort(), ERT_CMD_STATE_ABORT);
  EXPECT_EQ(c.wait(), ERT_CMD_STATE_COMPLETED);
  EXPECT_TRUE(third.good());
  EXPECT_FALSE(second.good());
}

TEST_F(Runs, AbortOfARunningRunFreesTheMachine) {
  for (unsigned i = 0; i < 3; ++i) {
    Job never(device_, kernel_, i, Length::Never), job(device_, kernel_, i + 1);
    auto run = never.start(kernel_);
    EXPECT_EQ(run.wait(1ms), ERT_CMD_STATE_TIMEOUT);
    EXPECT_EQ(run.abort(), ERT_CMD_STATE_ABORT);
    EXPECT_EQ(job.start(kernel_).wait(), ERT_CMD_STATE_COMPLETED);
    EXPECT_TRUE(job.good());
  }
}

TEST_F(Runs, MachineErrorsAreInTheRegisters) {
  kernel_ = {};
  xrt::kernel kernel(device_, uuid_, "espalier:{espalier_1}", xrt::kernel::cu_access_mode::exclusive);
  Job job(device_, kernel, 9);
  auto bad = kernel(job.program, job.program.size(), job.input, std::uint64_t{64}, job.output, job.output.size(),
                    job.arena, job.arena.size(), job.what().command_offset, job.what().command_count, job.timeout);
  EXPECT_EQ(bad.wait(), ERT_CMD_STATE_COMPLETED);
  EXPECT_EQ(kernel.read_register(abi::RegError), abi::ErrorWindow);
  EXPECT_EQ(kernel.read_register(abi::RegErrorPosition), 0U);
  auto good = job.start(kernel);
  EXPECT_EQ(good.wait(), ERT_CMD_STATE_COMPLETED);
  EXPECT_EQ(kernel.read_register(abi::RegError), abi::ErrorNone);
  EXPECT_TRUE(job.good());
}

}  // namespace
}  // namespace espalier::test
