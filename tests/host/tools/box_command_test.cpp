// Properties:
//   - --results boxes finds the light rectangle of an image in a network that hands it on, in pixels of the file: as it
//     is, stretched, in a letterbox, cropped, with channels last; --draw writes a PNG of the same size with it
//   - regressors and scores become boxes of the default anchors; --anchors that do not fit are errors
//   - --results labels adds the largest values; options of boxes without boxes are errors
#include <gtest/gtest.h>
#include <stb/stb_image_write.h>

#include "command_runner.hpp"
#include "esp_error.hpp"
#include "onnx_builder.hpp"
#include "tools/box_results.hpp"
#include "tools/image.hpp"

namespace espalier::tools {
namespace {

void append(void* text, void* data, int size) {
  static_cast<std::string*>(text)->append(static_cast<const char*>(data), static_cast<std::size_t>(size));
}

class BoxCommand : public CommandRunner {
 protected:
  /// A grey image, white in rows 8 to 16 and columns 10 to 26.
  std::string image(int height, int width) {
    std::vector<std::uint8_t> pixels(static_cast<std::size_t>(height * width), 20);
    for (int y = 8; y < 16; ++y)
      for (int x = 10; x < 26; ++x) pixels[static_cast<std::size_t>(y * width + x)] = 255;
    std::string png;
    stbi_write_png_to_func(append, &png, width, height, 1, pixels.data(), width);
    return write("image.png", png);
  }

  /// Hands its input on.
  std::string network(const model::Shape& shape) {
    test::OnnxBuilder b;
    b.input("x", shape);
    b.node("Relu", {"x"}, "y");
    b.output("y");
    return write("relu.onnx", b.bytes());
  }

  /// The only box, within a pixel of the rectangle that grew by area x ratio / perimeter.
  void expect_box(const std::vector<std::string>& options, double tolerance) {
    ASSERT_EQ(answer()["boxes"].size(), 1U) << testing::PrintToString(options) << answer();
    const auto& box = answer()["boxes"][0];
    const double by = 16.0 * 8 * 1.5 / 48;
    EXPECT_NEAR(box["left"], 10 - by, tolerance) << box;
    EXPECT_NEAR(box["right"], 26 + by, tolerance) << box;
    EXPECT_NEAR(box["top"], 8 - by, tolerance) << box;
    EXPECT_NEAR(box["bottom"], 16 + by, tolerance) << box;
    EXPECT_EQ(box["label"], 0);
    EXPECT_EQ(box["sample"], 0);
    EXPECT_GT(box["score"], 0.8);
  }

  void expect_found(const model::Shape& shape, const std::string& file, const std::vector<std::string>& options,
                    double tolerance) {
    std::vector<std::string> all{"run", network(shape), "--device", "cpu", "--input", file, "--results", "boxes"};
    all.insert(all.end(), options.begin(), options.end());
    ASSERT_EQ(run(all), 0) << answer();
    expect_box(options, tolerance);
  }
};

TEST_F(BoxCommand, FindsWhatIsInTheImageAndDrawsIt) {
  const std::string drawn = path("drawn.png");
  expect_found({1, 1, 32, 40}, image(32, 40), {"--draw", drawn}, 1e-3);
  const std::vector<std::uint8_t> bytes = read_file(drawn);
  const model::Array picture = parse_image(bytes, "drawn", 3);
  ASSERT_EQ(picture.shape, (model::Shape{3, 32, 40}));
  const auto& planes = std::get<std::vector<std::uint8_t>>(picture.values);
  const auto pixel = [&](std::size_t channel, std::size_t y, std::size_t x) {
    return planes[(channel * 32 + y) * 40 + x];
  };
  EXPECT_EQ(pixel(0, 4, 20), 0);  // the upper line
  EXPECT_EQ(pixel(1, 4, 20), 230);
  EXPECT_EQ(pixel(1, 12, 6), 230);
  EXPECT_EQ(pixel(0, 12, 20), 255);
  EXPECT_EQ(pixel(0, 1, 1), 20);
}

TEST_F(BoxCommand, KnowsHowTheImageWasFitted) {
  expect_found({1, 1, 64, 80}, image(32, 40), {"--resize"}, 1);
  expect_found({1, 1, 64, 160}, image(32, 40), {"--resize"}, 4);  // grows with the stretched rectangle
  expect_found({1, 1, 80, 80}, image(32, 40), {"--resize", "--fit", "letterbox"}, 1);
  expect_found({1, 1, 80, 80}, image(32, 40), {"--resize", "--fit", "crop"}, 4);
  expect_found({1, 32, 40, 1}, image(32, 40), {}, 1e-3);
}

/// 896 anchors of 128 pixels: those of the cell at row 2 and column 3 of the first grid say what is there.
TEST_F(BoxCommand, AnchorsOfPublishedNetworksAreKnown) {
  std::vector<double> sides(896 * 16, 0), scores(896, -5);
  const std::size_t anchor = (2 * 16 + 3) * 2;
  sides[anchor * 16 + 2] = sides[anchor * 16 + 3] = 10;
  sides[(anchor + 1) * 16 + 2] = sides[(anchor + 1) * 16 + 3] = 12;
  scores[anchor] = scores[anchor + 1] = 5;
  const std::vector<run::Output> outputs{{"r", "float32", {1, 896, 16}, sides}, {"s", "float32", {1, 896, 1}, scores}};
  const InputShape picture{"x", 3, 128, 128, false, {}};
  ResultTexts texts;
  const std::vector<results::Box> boxes = find_boxes(outputs, picture, texts);
  ASSERT_EQ(boxes.size(), 1U);
  EXPECT_DOUBLE_EQ(boxes[0].left, 28 - 5.5);
  EXPECT_DOUBLE_EQ(boxes[0].bottom, 20 + 5.5);
  texts.suppression = "plain";
  EXPECT_DOUBLE_EQ(find_boxes(outputs, picture, texts).at(0).left, 28 - 5);
  texts.overlap = 0.9;
  EXPECT_EQ(find_boxes(outputs, picture, texts).size(), 2U);
  texts.least_score = 0.999;
  EXPECT_TRUE(find_boxes(outputs, picture, texts).empty());
  texts.anchors = "8:2";
  EXPECT_THROW(find_boxes(outputs, picture, texts), Error);
}

TEST_F(BoxCommand, LabelsAreTheLargestValues) {
  ASSERT_EQ(run({"run", network({1, 1, 32, 40}), "--device", "cpu", "--input", image(32, 40), "--results", "labels"}),
            0);
  EXPECT_EQ(answer()["outputs"][0]["labels"].size(), 5U);
  EXPECT_EQ(answer()["outputs"][0]["labels"][0]["index"], 8 * 40 + 10);
  EXPECT_FALSE(answer().contains("boxes"));
}

TEST_F(BoxCommand, RefusesWhatIsNoBox) {
  const std::string model = network({1, 1, 32, 40}), file = image(32, 40);
  EXPECT_NE(run({"run", model, "--device", "cpu", "--input", file, "--draw", path("x.png")}), 0);
  EXPECT_NE(run({"run", model, "--device", "cpu", "--input", file, "--anchors", "8:2"}), 0);
  EXPECT_NE(run({"run", model, "--device", "cpu", "--input", file, "--results", "circles"}), 0);
  EXPECT_NE(run({"run", network({1, 10}), "--device", "cpu", "--input", file, "--results", "boxes"}), 0);
}

}  // namespace
}  // namespace espalier::tools
