// The picture of a placed network: layers in rows by their distance from the inputs, edges for tensors.
#include <fmt/format.h>

#include <algorithm>
#include <vector>

#include "placement_report.hpp"
#include "svg_chart.hpp"
#include "table.hpp"

namespace espalier::tools {
namespace {

constexpr int BoxWidth = 190, BoxHeight = 44, GapX = 26, GapY = 30, Margin = 20, LegendHeight = 44;
constexpr int LeastWidth = 480;  // of the legend
constexpr std::size_t MostLetters = 22;

std::size_t at(int index) { return static_cast<std::size_t>(index); }

enum class Kind { Port, Accelerator, Host, Refused };

const char* fill_of(Kind kind) {
  switch (kind) {
    case Kind::Port:
      return "#e5e7eb";
    case Kind::Accelerator:
      return "#a7d8b8";
    case Kind::Host:
      return "#f7d08a";
    case Kind::Refused:
      return "#f2a39b";
  }
  return "#ffffff";
}

struct Box {
  std::string title, line, hint;
  Kind kind = Kind::Port;
  int rank = 0;
  int x = 0, y = 0;
  double wish = 0;  // where the boxes above it are
};

struct Edge {
  std::size_t from, to;
  bool crosses;
};

std::string shape_of(const model::Feature& feature) {
  return fmt::format("{}x{}x{}", feature.channels, feature.height, feature.width);
}

class Picture {
 public:
  explicit Picture(const plan::MixedPlan& plan) : plan_(plan) {
    boxes_of_ports_and_layers();
    place_boxes();
  }

  std::string text() const {
    std::string svg = fmt::format(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"{0}\" height=\"{1}\" viewBox=\"0 0 {0} {1}\" "
        "font-family=\"sans-serif\" font-size=\"12\">\n<rect width=\"{0}\" height=\"{1}\" fill=\"#ffffff\"/>\n",
        width_, height_);
    svg += legend();
    for (const Edge& edge : edges_) svg += line(edge);
    for (const Box& box : boxes_) svg += rectangle(box);
    return svg + "</svg>\n";
  }

 private:
  void boxes_of_ports_and_layers() {
    const model::Network& network = plan_.network;
    std::vector<int> box_of(network.features.size(), -1);
    for (const int input : network.inputs) {
      const model::Feature& feature = network.features[at(input)];
      box_of[at(input)] = static_cast<int>(boxes_.size());
      boxes_.push_back({"input " + feature.name, shape_of(feature), feature.name, Kind::Port, 0});
    }
    for (std::size_t i = 0; i < network.layers.size(); ++i) {
      const plan::LayerPlacement& placement = plan_.layers[i];
      const bool host = placement.place == plan::Place::Host;
      const Kind kind = !host ? Kind::Accelerator : placement.refusal.empty() ? Kind::Host : Kind::Refused;
      const std::size_t box = boxes_.size();
      boxes_.push_back({placement.layer, line_of(placement), hint_of(placement), kind, 1});
      for (const int input : network.layers[i].inputs) connect(at(box_of[at(input)]), box);
      box_of[at(network.layers[i].output)] = static_cast<int>(box);
    }
    for (const int output : network.outputs) {
      const model::Feature& feature = network.features[at(output)];
      const std::size_t box = boxes_.size();
      boxes_.push_back({"output " + feature.name, shape_of(feature), feature.name, Kind::Port, 1});
      connect(at(box_of[at(output)]), box);
    }
  }

  void connect(std::size_t from, std::size_t to) {
    boxes_[to].rank = std::max(boxes_[to].rank, boxes_[from].rank + 1);
    const bool there = boxes_[from].kind == Kind::Accelerator;
    edges_.push_back({from, to, there != (boxes_[to].kind == Kind::Accelerator)});
  }

  static std::string line_of(const plan::LayerPlacement& placement) {
    const bool host = placement.place == plan::Place::Host;
    std::string text = placement.op + ", " + plan::to_string(placement.place);
    if (host && placement.host) text += fmt::format(", {:.1f} us", static_cast<double>(placement.host->median) / 1000);
    if (!host && placement.accelerator)
      text += fmt::format(", {:.1f} us", static_cast<double>(*placement.accelerator) / 1000);
    return text;
  }

  static std::string hint_of(const plan::LayerPlacement& placement) {
    return fmt::format("{} ({}) {}: {}", placement.layer, placement.op, placement.shape, placement.reason);
  }

  /// Rows by rank; in a row, boxes are ordered by the middle of those above them.
  void place_boxes() {
    int ranks = 0;
    for (const Box& box : boxes_) ranks = std::max(ranks, box.rank + 1);
    std::vector<std::vector<std::size_t>> rows(at(ranks));
    for (std::size_t i = 0; i < boxes_.size(); ++i) rows[at(boxes_[i].rank)].push_back(i);
    std::size_t widest = 2;
    for (const auto& row : rows) widest = std::max(widest, row.size());
    width_ = std::max(LeastWidth, 2 * Margin + static_cast<int>(widest) * (BoxWidth + GapX) - GapX);
    height_ = LegendHeight + 2 * Margin + ranks * (BoxHeight + GapY) - GapY;
    for (auto& row : rows) {
      for (const std::size_t index : row) boxes_[index].wish = middle_above(index);
      std::stable_sort(row.begin(), row.end(),
                       [&](std::size_t a, std::size_t b) { return boxes_[a].wish < boxes_[b].wish; });
      const int used = static_cast<int>(row.size()) * (BoxWidth + GapX) - GapX;
      for (std::size_t i = 0; i < row.size(); ++i) {
        boxes_[row[i]].x = (width_ - used) / 2 + static_cast<int>(i) * (BoxWidth + GapX);
        boxes_[row[i]].y = LegendHeight + Margin + boxes_[row[i]].rank * (BoxHeight + GapY);
      }
    }
  }

  double middle_above(std::size_t index) const {
    double sum = 0;
    int count = 0;
    for (const Edge& edge : edges_) {
      if (edge.to != index) continue;
      sum += boxes_[edge.from].x;
      ++count;
    }
    return count == 0 ? 0 : sum / count;
  }

  static std::string text_at(int x, int y, const char* style, const std::string& text) {
    return fmt::format("<text x=\"{}\" y=\"{}\" {}>{}</text>\n", x, y, style, escaped(text));
  }

  std::string legend() const {
    std::string svg;
    const std::vector<std::pair<Kind, const char*>> entries{
        {Kind::Accelerator, "accelerator"}, {Kind::Host, "CPU"}, {Kind::Refused, "CPU (refused)"}};
    int x = Margin;
    for (const auto& [kind, name] : entries) {
      svg += fmt::format("<rect x=\"{}\" y=\"14\" width=\"16\" height=\"16\" rx=\"3\" fill=\"{}\" stroke=\"#444\"/>\n",
                         x, fill_of(kind));
      svg += text_at(x + 22, 27, "", name);
      x += 110;
    }
    svg += fmt::format("<line x1=\"{}\" y1=\"22\" x2=\"{}\" y2=\"22\" stroke=\"#c0392b\" stroke-width=\"3\"/>\n",
                       x + 16, x + 40);
    return svg + text_at(x + 46, 27, "", "transfer");
  }

  /// Edges that skip rows bend around the boxes between.
  std::string line(const Edge& edge) const {
    const Box &from = boxes_[edge.from], &to = boxes_[edge.to];
    const int x1 = from.x + BoxWidth / 2, y1 = from.y + BoxHeight, x2 = to.x + BoxWidth / 2, y2 = to.y;
    const int skipped = to.rank - from.rank - 1;
    const int bend = skipped > 0 ? BoxWidth / 2 + GapX / 2 : 0;
    const std::string path =
        skipped > 0 ? fmt::format("M{0} {1} C{2} {3} {2} {4} {5} {6}", x1, y1, std::max(x1, x2) + bend * 4 / 3,
                                  y1 + GapY, y2 - GapY, x2, y2)
                    : fmt::format("M{0} {1} C{0} {2} {3} {4} {3} {5}", x1, y1, y1 + GapY / 2, x2, y2 - GapY / 2, y2);
    return fmt::format("<path d=\"{}\" fill=\"none\" stroke=\"{}\" stroke-width=\"{}\"/>\n", path,
                       edge.crosses ? "#c0392b" : "#888888", edge.crosses ? 3 : 1.5);
  }

  static std::string rectangle(const Box& box) {
    return fmt::format(
               "<g><title>{}</title><rect x=\"{}\" y=\"{}\" width=\"{}\" height=\"{}\" rx=\"6\" fill=\"{}\" "
               "stroke=\"#444\"/>\n",
               escaped(box.hint), box.x, box.y, BoxWidth, BoxHeight, fill_of(box.kind)) +
           text_at(box.x + BoxWidth / 2, box.y + 19, "text-anchor=\"middle\" font-weight=\"bold\"",
                   shortened(box.title, MostLetters)) +
           text_at(box.x + BoxWidth / 2, box.y + 35, "text-anchor=\"middle\" fill=\"#333\"",
                   shortened(box.line, MostLetters + 6)) +
           "</g>\n";
  }

  const plan::MixedPlan& plan_;
  std::vector<Box> boxes_;
  std::vector<Edge> edges_;
  int width_ = 0, height_ = 0;
};

}  // namespace

std::string placement_svg(const plan::MixedPlan& plan) { return Picture(plan).text(); }

}  // namespace espalier::tools
