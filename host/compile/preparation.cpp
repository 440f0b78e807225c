#include "compile/preparation.hpp"

#include <algorithm>
#include <system_error>
#include <utility>

namespace espalier::compile {
namespace {

/// Steps that may be prepared before they are taken: their streams are held twice, here and in the program.
constexpr std::size_t Ahead = 8;

unsigned thread_count(const Options& options, std::size_t steps) {
  const unsigned wanted = options.threads != 0 ? options.threads : std::max(1U, std::thread::hardware_concurrency());
  return static_cast<unsigned>(std::min<std::size_t>(wanted, steps));
}

}  // namespace

PreparedStep::PreparedStep(const model::Network& network, const Lowered& lowered, const Placement& placement,
                           std::size_t step, const abi::Configuration& configuration, const Options& options)
    : rows(network, lowered, lowered.steps[step]),
      generator(rows, lowered, placement, placement.steps[step], configuration, options) {
  generator.prepare();
}

Preparation::Preparation(const model::Network& network, const Lowered& lowered, const Placement& placement,
                         const abi::Configuration& configuration, const Options& options)
    : network_(network), lowered_(lowered), placement_(placement), configuration_(configuration), options_(options) {
  const unsigned threads = thread_count(options, lowered.steps.size());
  for (unsigned i = 0; i < threads; ++i) {
    try {
      threads_.emplace_back([this] { work(); });
    } catch (const std::system_error&) {
      if (threads_.empty()) throw;
      break;  // fewer threads make the same program
    }
  }
}

Preparation::~Preparation() {
  {
    const std::lock_guard lock(mutex_);
    stop_ = true;
  }
  changed_.notify_all();
}

Preparation::Result Preparation::prepare(std::size_t index) const {
  try {
    return {std::make_unique<PreparedStep>(network_, lowered_, placement_, index, configuration_, options_), nullptr};
  } catch (...) {
    return {nullptr, std::current_exception()};
  }
}

void Preparation::work() {
  for (;;) {
    std::size_t index = 0;
    {
      std::unique_lock lock(mutex_);
      changed_.wait(lock, [&] { return stop_ || next_ >= lowered_.steps.size() || next_ < taken_ + Ahead; });
      if (stop_ || next_ >= lowered_.steps.size()) return;
      index = next_++;
    }
    Result result = prepare(index);
    {
      const std::lock_guard lock(mutex_);
      ready_.emplace(index, std::move(result));
    }
    changed_.notify_all();
  }
}

std::unique_ptr<PreparedStep> Preparation::take(std::size_t index) {
  Result result;
  {
    std::unique_lock lock(mutex_);
    changed_.wait(lock, [&] { return ready_.contains(index); });
    result = std::move(ready_.extract(index).mapped());
    taken_ = index + 1;
  }
  changed_.notify_all();
  if (result.failure) std::rethrow_exception(result.failure);
  return std::move(result.step);
}

}  // namespace espalier::compile
