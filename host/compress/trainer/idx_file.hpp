// IDX files, the format of the MNIST data: big-endian magic (type 0x08 = unsigned byte, number of dimensions), one
// 32-bit big-endian size per dimension, then the bytes in row-major order.
//
//   IdxFile images = read_idx("train-images-idx3-ubyte");   // images.sizes == {60000, 28, 28}
//   write_idx("first.idx3-ubyte", first(images, 100));
#pragma once

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <vector>

namespace espalier::trainer {

struct IdxFile {
  std::vector<std::uint32_t> sizes;
  std::vector<std::uint8_t> bytes;
};

// Throws espalier::Error when the file is missing, is not a byte IDX file or has another length than its header says.
IdxFile read_idx(const std::filesystem::path& path);

void write_idx(const std::filesystem::path& path, const IdxFile& file);

// The first `count` entries along the outermost dimension.
IdxFile first(const IdxFile& file, std::uint32_t count);

}  // namespace espalier::trainer
