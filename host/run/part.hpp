// Some layers of a network as a network of its own, so that another machine can run them.
//
//   Part back = make_part(network, ports, parse_part("4-9", network.layers.size()), PartEdge::Features);
//   Executable program{network.name, compile::compile(back.network, array), back.ports};
//
// Tensors that cross to another part are int8 features and have one name wherever they appear: in files that of the
// feature, between machines that of its index, so that two machines with equal networks agree whatever names theirs
// have.
#pragma once

#include <cstddef>
#include <string>
#include <vector>

#include "model/network.hpp"
#include "run/session.hpp"

namespace espalier::run {

struct Part {
  std::vector<int> layers;  // of the whole network, ascending
  model::Network network;
  Ports ports;
  std::vector<int> inputs, outputs;  // features of the whole network, one per port
};

/// What the outer edge of the whole network is in a part.
enum class PartEdge {
  Features,  // int8, as all other tensors of the part
  Ports,     // as in the model file
};

/// `layers` ascend. Inputs are the features that the layers read from outside; outputs those that a layer outside reads
/// or the network gives out; both in the order of the network's features. With PartEdge::Ports a feature that is given
/// out and read outside is two outputs, and an input of the network that is given out belongs to the part with the
/// first layer. Throws Error (Input) for layers that the network does not have, or none.
Part make_part(const model::Network& network, const Ports& ports, const std::vector<int>& layers, PartEdge edge);

/// The name of a feature as a crossing tensor: with PartEdge::Ports its own, and its index where others share the name;
/// with PartEdge::Features "tensor" and its index.
std::string crossing_name(const model::Network& network, const Ports& ports, int feature, PartEdge edge);

/// "0-4,6": layers by index.
std::string part_text(const std::vector<int>& layers);
/// The layers of such a text, ascending. Throws Error (Input) for another text, or layers beyond `count`.
std::vector<int> parse_part(const std::string& text, std::size_t count);

/// 16 hexadecimal digits of everything that decides a bit of the network's features: networks with equal ids give equal
/// bits.
std::string network_id(const model::Network& network);

}  // namespace espalier::run
