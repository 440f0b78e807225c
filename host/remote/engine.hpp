// The serving of models without a protocol: versions, a bounded queue, workers with a device each. Threads and time are
// here; what is decided, plan/policy decides.
//
//   Engine engine(std::move(buses), {.clock_mhz = 300});
//   engine.load("digits", executable);                       // version 1; a later load is version 2, in service at
//   once auto ticket = engine.submit({engine.find("digits", ""), values, {}, [](Result result) { ... }});
//   engine.cancel(ticket);                                   // between two commands of the device
//   VersionPtr back = engine.part(engine.find("digits", ""), "4-9");   // some layers of it, served as the whole is
#pragma once

#include <atomic>
#include <chrono>
#include <condition_variable>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <span>
#include <string>
#include <thread>
#include <variant>
#include <vector>

#include "plan/policy/admission.hpp"
#include "plan/policy/model_choice.hpp"
#include "plan/policy/result_cache.hpp"
#include "run/session.hpp"

namespace espalier::remote {

using plan::Nanoseconds;

/// A version of a model, the same for all workers.
struct Version {
  std::string model;
  std::string version;  // "1", "2", ...
  std::string plan_id;  // of the compiled program, 16 hexadecimal digits: equal programs have equal ids
  run::Executable executable;
  std::uint64_t cycles = 0;              // predicted
  Nanoseconds bound = 0;                 // of one execution on the device
  std::string network_id;                // of the layers, see run/part.hpp; empty: the file has none
  std::string part;                      // of a part: its layers, see run/part.hpp
  std::shared_ptr<const Version> whole;  // of a part
};
using VersionPtr = std::shared_ptr<const Version>;

/// A part of a model, made when it is first asked for.
struct MadePart {
  run::Executable executable;
  std::optional<Nanoseconds> bound;  // of the machine that is modelled; none: its cycles divided by the clock
};

/// How the parts of a model are made; a compiled file has none.
struct Divisible {
  std::string network_id;
  /// Throws Error (Input, Unsupported) for a text that names no layers, or layers that are refused.
  std::function<MadePart(const std::string& part)> make;
};

enum class Failure { NotFound, Invalid, Full, Draining, Late, Cancelled, Device };
/// The name in metrics.
const char* to_string(Failure failure);

struct Answer {
  VersionPtr version;
  run::RunReport report;
  Nanoseconds waited = 0;    // in the queue
  Nanoseconds executed = 0;  // on the device
  bool cached = false;       // given before, to a similar request; nothing ran
};
struct Refusal {
  Failure failure = Failure::Device;
  std::string text;
};
using Result = std::variant<Answer, Refusal>;

struct Call {
  VersionPtr version;
  std::vector<std::vector<float>> inputs;
  std::optional<Nanoseconds> budget;  // from now to the deadline
  std::function<void(Result)> done;   // called exactly once, from any thread, without a lock; a refusal inside submit()
};

struct EngineSettings {
  std::string device = "functional";
  compile::MemoryParameters memory;
  driver::Limits limits;
  std::size_t capacity = 64;
  std::size_t most_parts = 16;  // of a version; the one that was not asked for longest goes
  double clock_mhz = 300;
  double dilation = 1;               // of modelled times, in bounds
  bool paced = false;                // an answer comes no sooner than its bound, as from a device of that speed
  std::function<Nanoseconds()> now;  // none: the steady clock
  std::size_t cache_bytes = 0;       // of answers that are kept for similar requests; 0: none
  plan::KeySettings cache_key;
};

/// A model among several for one name, with its accuracy on data.
struct Choice {
  std::string model;
  plan::BasisPoints accuracy = 0;
};

/// What is counted, for metrics.
struct ModelCounts {
  std::map<std::string, std::uint64_t> outcomes;  // "ok" or the name of a failure
  Nanoseconds executed = 0;
  Nanoseconds waited = 0;
  std::uint64_t executions = 0;
  std::uint64_t cached = 0;
  std::string version;  // in service
  Nanoseconds bound = 0;
};
struct Counts {
  std::map<std::string, ModelCounts> models;  // requests for unknown models under ""
  std::size_t queued = 0, running = 0, capacity = 0;
  bool draining = false;
};

class Engine {
 public:
  /// One worker per bus. Throws Error (Device).
  Engine(std::vector<std::unique_ptr<driver::Bus>> buses, EngineSettings settings);
  /// Stops at once: what waits or runs is answered with Draining.
  ~Engine();
  Engine(const Engine&) = delete;
  Engine& operator=(const Engine&) = delete;

  /// Puts a version into service after every worker has executed it once on zeros; returns it. Requests under way keep
  /// theirs. Throws Error (Program, Device, Timeout): the version before stays in service.
  VersionPtr load(const std::string& model, run::Executable executable, Divisible divisible = {});
  /// Puts the version before back into service. Throws Error (Usage) if there is none.
  VersionPtr roll_back(const std::string& model);

  /// The version in service, or the named one if it is that or the one before; null if there is none.
  VersionPtr find(const std::string& model, const std::string& version) const;
  /// Makes `name` stand for the most accurate of loaded models with equal ports that meets a request's deadline. Throws
  /// Error (Usage) for a model that is not loaded, other ports, or a name that is taken.
  void offer(const std::string& name, std::vector<Choice> choices);
  /// find(), or for a name of offer() the model in service for a request with this budget; the fastest if none is fast
  /// enough.
  VersionPtr choose(const std::string& name, const std::string& version, std::optional<Nanoseconds> budget) const;

  /// A part of a version of find(), compiled now if it is not known. Throws Error (Usage) if the model has no parts,
  /// else as Divisible::make.
  VersionPtr part(const VersionPtr& whole, const std::string& text);
  /// The versions that find() knows, in service first.
  std::vector<VersionPtr> versions(const std::string& model) const;
  std::vector<std::string> models() const;

  /// Queues a call. The ticket is for cancel().
  std::uint64_t submit(Call call);
  /// Ends a call with Cancelled if it has not ended.
  void cancel(std::uint64_t ticket);
  /// Counts a request that never became a call.
  void count(const std::string& model, Failure failure);

  /// Accepts nothing more; waits until all is answered, at most `grace`, then ends the rest. True if nothing was ended.
  bool drain(std::chrono::milliseconds grace);
  bool draining() const;

  Counts counts() const;

 private:
  struct Pending {
    Call call;
    Nanoseconds arrival = 0;
    std::optional<Nanoseconds> deadline;
    std::optional<plan::SimilarityKey> key;  // of the cache
    std::shared_ptr<std::atomic<bool>> stop = std::make_shared<std::atomic<bool>>(false);
  };
  struct Worker;
  struct Serving {
    VersionPtr active, previous;
    std::uint64_t loads = 0;
  };
  struct Parts {
    Divisible divisible;
    std::vector<VersionPtr> known;  // asked for last at the end
  };
  struct Ended {
    std::function<void(Result)> done;
    Result result;
  };

  void work(Worker& worker);
  void execute(Worker& worker, std::uint64_t ticket, const Pending& pending, Nanoseconds start);
  Result run(Worker& worker, const Pending& pending, Nanoseconds start);
  void pace(const Pending& pending, Nanoseconds until);
  void prepare(const VersionPtr& version);
  std::shared_ptr<Version> make_version(const std::string& model, run::Executable executable,
                                        const std::optional<Nanoseconds>& bound) const;
  VersionPtr known_part(const VersionPtr& whole, const std::string& text);  // with the lock
  void forget_parts();                                                      // with the lock
  Ended end(std::uint64_t ticket, Result result);                           // with the lock
  bool in_service(const VersionPtr& version) const;
  std::optional<plan::SimilarityKey> key_of(const Call& call) const;
  std::optional<Answer> remembered(const Call& call, const plan::SimilarityKey& key);  // with the lock
  Nanoseconds now() const { return settings_.now(); }

  EngineSettings settings_;
  std::vector<std::unique_ptr<Worker>> workers_;
  mutable std::mutex mutex_;
  std::mutex loading_;  // one load at a time
  std::mutex making_;   // one part at a time
  std::condition_variable changed_;
  plan::AdmissionState admission_;
  std::map<std::uint64_t, Pending> pending_;
  std::map<std::string, Serving> serving_;
  std::map<VersionPtr, Parts> parts_;
  std::map<std::string, std::vector<Choice>> choices_;
  plan::ResultCache cache_;
  std::map<std::string, ModelCounts> counts_;
  std::uint64_t tickets_ = 0;
  bool stopping_ = false;
};

/// 16 hexadecimal digits of the compiled file's checksum.
std::string plan_id(const run::Executable& executable);

}  // namespace espalier::remote
