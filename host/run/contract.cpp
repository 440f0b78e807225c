#include "run/contract.hpp"

#include <utility>

namespace espalier::run {

void Contract::handle(const plan::Event& event) {
  plan::Decision decision = plan::decide(settings_, std::move(state_), event);
  state_ = std::move(decision.state);
  for (const plan::Action& action : decision.actions) {
    switch (action.kind) {
      case plan::ActionKind::SendRemote:
        actions_.send_remote(action);
        break;
      case plan::ActionKind::CancelRemote:
        actions_.cancel_remote(action);
        break;
      case plan::ActionKind::StartLocal:
        actions_.start_local(action);
        break;
      case plan::ActionKind::CancelLocal:
        actions_.cancel_local(action);
        break;
      case plan::ActionKind::Answer:
        actions_.answer(action);
        break;
      case plan::ActionKind::Refuse:
        actions_.refuse(action);
        break;
      case plan::ActionKind::SetTimer:
        actions_.set_timer(action);
        break;
    }
  }
}

}  // namespace espalier::run
