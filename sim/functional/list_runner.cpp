#include "functional/list_runner.hpp"

namespace espalier::functional {

void ListRunner::start(const Arguments& arguments) {
  timeout_ = arguments.timeout;
  core_->start(arguments, memory_);
  status_ = Status::Running;
  if (core_->result().fault.code != abi::ErrorNone) end();
}

ListRunner::Status ListRunner::step() {
  if (status_ == Status::Running && !core_->step()) end();
  return status_;
}

/// The kernels end a run that makes no progress; the machine does so once its time-out has passed.
void ListRunner::end() {
  const bool stuck = core_->result().fault.code == abi::ErrorTimeout && timeout_ == 0;
  status_ = stuck ? Status::Stuck : Status::Done;
}

void ListRunner::reset() {
  core_->clear();
  status_ = Status::Idle;
}

}  // namespace espalier::functional
