#include "model/tflite_import.hpp"

#include "model/inference.hpp"
#include "model/tflite_builder.hpp"

namespace espalier::model {

bool is_tflite(std::string_view bytes) { return bytes.size() >= 8 && bytes.substr(4, 4) == tflite::ModelIdentifier(); }

Graph import_tflite_bytes(std::string_view bytes, const ImportOptions& options) {
  TfliteFile file(bytes, options);
  TfliteBuilder builder(file, options);
  RefusalList refusals;
  Graph graph = builder.run(refusals);
  graph.remove_dead_nodes();
  infer(graph, refusals);
  refusals.raise("graph '" + graph.name + "'");
  builder.check_shapes(graph);
  for (Port& port : graph.outputs) {
    port.type = graph.value(port.value).type;
    port.shape = graph.value(port.value).shape;
  }
  return graph;
}

}  // namespace espalier::model
