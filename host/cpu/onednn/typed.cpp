// What oneDNN does not have: the operators of the operator table.
#include <algorithm>
#include <memory>

#include "cpu/onednn/builder.hpp"
#include "cpu/typed_operator.hpp"
#include "esp_error.hpp"

namespace espalier::cpu::onednn {

void Builder::typed(const model::Node& node) {
  const auto computed = std::make_shared<const TypedOperator>(graph_, node);
  std::vector<Operand> operands;
  std::vector<model::Shape> shapes;
  std::vector<std::ptrdiff_t> sizes;  // of inputs, 0 for those that are not passed
  for (const int input : node.inputs) {
    const bool passed = input >= 0 && !graph_.is_constant(input);
    shapes.push_back(input < 0 ? model::Shape{} : graph_.value(input).shape);
    sizes.push_back(passed ? static_cast<std::ptrdiff_t>(rows(input).desc().get_size() / sizeof(float)) : 0);
    if (passed) operands.push_back(rows(input));
  }
  std::vector<char> written;
  for (const int output : node.outputs) {
    written.push_back(output >= 0 ? 1 : 0);
    if (output < 0) continue;
    operands.push_back(program_.temporary(row_major(shape(output))));
    set(output, operands.back());
  }
  std::vector<std::size_t> expected;
  for (const Operand& operand : operands) expected.push_back(operand.desc().get_size() / sizeof(float));
  const std::string where = node.where();
  program_.add(
      [=](std::span<float* const> data) {
        std::vector<std::span<const float>> inputs;
        std::size_t next = 0;
        for (const std::ptrdiff_t size : sizes)
          inputs.push_back(size == 0 ? std::span<const float>()
                                     : std::span<const float>(data[next++], static_cast<std::size_t>(size)));
        const auto results = computed->run(inputs, shapes);
        for (std::size_t i = 0; i < results.size(); ++i) {
          if (written[i] == 0) continue;
          if (results[i].size() != expected[next])
            throw Error(ErrorCode::Internal, "the result has another size than was inferred", where,
                        std::to_string(results[i].size()), "report this network");
          std::copy(results[i].begin(), results[i].end(), data[next++]);
        }
      },
      operands);
}

}  // namespace espalier::cpu::onednn
