// The threads of gRPC that answer callbacks.
#pragma once

namespace espalier::remote {

/// Keeps the threads that all clients and servers of the process share until it ends. gRPC 1.51 ends them with the last
/// client or server and aborts if one of them is still at work, as after a handshake that failed.
void keep_callback_threads();

}  // namespace espalier::remote
