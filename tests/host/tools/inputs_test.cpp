// Properties:
//   - all accepted shapes give the sample in channel, height, width order, batches give several samples
//   - pixels are scaled by 1/255 unless told otherwise; mean and scale apply per channel
//   - wrong shapes, missing files, unknown kinds and values that are not finite are Errors (Input)
#include "tools/inputs.hpp"

#include <gtest/gtest.h>
#include <onnx/onnx_pb.h>
#include <stb/stb_image_write.h>

#include <fstream>
#include <limits>

#include "esp_error.hpp"
#include "tools/files.hpp"
#include "tools/npy.hpp"

namespace espalier::tools {
namespace {

const InputShape Wanted{"x", 2, 1, 3, false, {}};

class Inputs : public testing::Test {
 protected:
  void SetUp() override {
    folder_ = std::filesystem::path(testing::TempDir()) /
              (std::string("espalier_inputs_") + testing::UnitTest::GetInstance()->current_test_info()->name());
    std::filesystem::create_directories(folder_);
  }
  void TearDown() override { std::filesystem::remove_all(folder_); }

  std::filesystem::path write(const std::string& name, const std::vector<std::uint8_t>& bytes) {
    write_file(folder_ / name, {reinterpret_cast<const char*>(bytes.data()), bytes.size()});
    return folder_ / name;
  }
  std::filesystem::path array(const std::vector<std::int64_t>& shape, const std::vector<double>& values) {
    return write("x.npy", format_npy(model::make_array(model::ElementType::Float, shape, values)));
  }

  std::filesystem::path folder_;
};

TEST_F(Inputs, AcceptsTheDocumentedShapes) {
  const std::vector<float> values{1, 2, 3, 4, 5, 6};
  for (const std::vector<std::int64_t>& shape :
       std::vector<std::vector<std::int64_t>>{{2, 1, 3}, {1, 2, 1, 3}, {6}, {1, 6}}) {
    const auto samples = read_samples(array(shape, {values.begin(), values.end()}), Wanted, {});
    ASSERT_EQ(samples.size(), 1U);
    EXPECT_EQ(samples[0].values, values);
  }
  InputOptions options;
  options.layout = Layout::Nhwc;
  EXPECT_EQ(read_samples(array({1, 3, 2}, {1, 2, 3, 4, 5, 6}), Wanted, options)[0].values,
            (std::vector<float>{1, 3, 5, 2, 4, 6}));
  // Without a layout, the one that fits.
  EXPECT_EQ(read_samples(array({1, 3, 2}, {1, 2, 3, 4, 5, 6}), Wanted, {})[0].values,
            (std::vector<float>{1, 3, 5, 2, 4, 6}));
  options.layout = Layout::Nchw;
  EXPECT_THROW(read_samples(array({1, 3, 2}, {1, 2, 3, 4, 5, 6}), Wanted, options), Error);
}

TEST_F(Inputs, SplitsBatches) {
  std::vector<double> values(12);
  values[6] = 9;
  const auto path = array({2, 2, 1, 3}, values);
  EXPECT_EQ(read_samples(path, Wanted, {}).size(), 2U);
  InputOptions second;
  second.index = 1;
  const auto samples = read_samples(path, Wanted, second);
  ASSERT_EQ(samples.size(), 1U);
  EXPECT_EQ(samples[0].values[0], 9);
  second.index = 2;
  EXPECT_THROW(read_samples(path, Wanted, second), Error);
}

TEST_F(Inputs, ScalesPerChannel) {
  InputOptions options;
  options.mean = {1, 2};
  options.scale = {10};
  EXPECT_EQ(read_samples(array({2, 1, 3}, {1, 2, 3, 4, 5, 6}), Wanted, options)[0].values,
            (std::vector<float>{0, 10, 20, 20, 30, 40}));
  options.scale = {1, 2, 3};
  EXPECT_THROW(read_samples(array({2, 1, 3}, {1, 2, 3, 4, 5, 6}), Wanted, options), Error);
}

TEST_F(Inputs, RefusesWrongShapesAndValues) {
  EXPECT_THROW(read_samples(array({3, 1, 2}, {1, 2, 3, 4, 5, 6}), Wanted, {}), Error);
  EXPECT_THROW(read_samples(array({5}, {1, 2, 3, 4, 5}), Wanted, {}), Error);
  EXPECT_THROW(read_samples(array({0, 2, 1, 3}, {}), Wanted, {}), Error);
  EXPECT_THROW(read_samples(array({6}, {1, 2, 3, std::numeric_limits<double>::quiet_NaN(), 5, 6}), Wanted, {}), Error);
  EXPECT_THROW(read_samples(folder_ / "missing.npy", Wanted, {}), Error);
  EXPECT_THROW(read_samples(folder_, Wanted, {}), Error);
  EXPECT_THROW(read_samples(write("x.txt", {'h', 'e', 'l', 'l', 'o'}), Wanted, {}), Error);
}

TEST_F(Inputs, ScalesPixelsOfIdxImagesAlone) {
  const auto images = write("images.idx3-ubyte", {0, 0, 8, 3, 0, 0, 0, 2, 0, 0, 0, 1, 0, 0, 0, 3, 1, 2, 3, 51, 5, 255});
  const auto samples = read_samples(images, {"x", 1, 1, 3, false, {}}, {});
  ASSERT_EQ(samples.size(), 1U);
  EXPECT_FLOAT_EQ(samples[0].values[2], 3 / 255.0F);
  InputOptions second;
  second.index = 1;
  EXPECT_EQ(read_samples(images, {"x", 1, 1, 3, true, {}}, second)[0].values, (std::vector<float>{51, 5, 255}));
  const auto row = write("row.idx1-ubyte", {0, 0, 8, 1, 0, 0, 0, 3, 1, 2, 3});
  EXPECT_EQ(read_samples(row, {"x", 3, 1, 1, false, {}}, {})[0].values, (std::vector<float>{1, 2, 3}));
}

TEST_F(Inputs, ReadsTensorProto) {
  onnx::TensorProto proto;
  proto.set_data_type(onnx::TensorProto::INT8);
  for (const int dimension : {2, 1, 3}) proto.add_dims(dimension);
  for (int value = -3; value < 3; ++value) proto.add_int32_data(value);
  const auto save = [&] {
    const std::string text = proto.SerializeAsString();
    return write("x.pb", {text.begin(), text.end()});
  };
  EXPECT_EQ(read_samples(save(), Wanted, {})[0].values, (std::vector<float>{-3, -2, -1, 0, 1, 2}));
  proto.add_int32_data(1);
  EXPECT_THROW(read_samples(save(), Wanted, {}), Error);
  proto.set_raw_data("abc");
  EXPECT_THROW(read_samples(save(), Wanted, {}), Error);
}

TEST_F(Inputs, ReadsImagesAndResizes) {
  const std::vector<std::uint8_t> pixels{0, 51, 102, 153, 204, 255};
  std::vector<std::uint8_t> png;
  stbi_write_png_to_func(
      [](void* context, void* data, int size) {
        auto* bytes = static_cast<std::vector<std::uint8_t>*>(context);
        bytes->insert(bytes->end(), static_cast<std::uint8_t*>(data), static_cast<std::uint8_t*>(data) + size);
      },
      &png, 3, 2, 1, pixels.data(), 3);
  const auto path = write("x.png", png);
  const auto samples = read_samples(path, {"x", 1, 2, 3, false, {}}, {});
  ASSERT_EQ(samples[0].values.size(), 6U);
  EXPECT_FLOAT_EQ(samples[0].values[1], 51 / 255.0F);
  EXPECT_EQ(read_samples(path, {"x", 1, 2, 3, true, {}}, {})[0].values[1], 51);
  EXPECT_THROW(read_samples(path, {"x", 1, 4, 4, false, {}}, {}), Error);
  InputOptions options;
  options.resize = true;
  EXPECT_EQ(read_samples(path, {"x", 3, 4, 4, false, {}}, options)[0].values.size(), 48U);
  for (std::size_t size = 0; size < png.size(); size += 5) {
    const auto cut = write("x.png", {png.begin(), png.begin() + static_cast<std::ptrdiff_t>(size)});
    try {
      read_samples(cut, {"x", 1, 2, 3, false, {}}, {});
    } catch (const Error& error) {
      EXPECT_EQ(error.code(), ErrorCode::Input);
    }
  }
}

}  // namespace
}  // namespace espalier::tools
