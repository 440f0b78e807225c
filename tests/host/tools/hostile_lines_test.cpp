// Properties of the command line, run in process, for lines that a user may write:
//   - every valid layer runs and gives the bits of the CPU reference, on three arrays
//   - every wrong layer, option and file gives one error with its code; nothing waits, crashes or is passed over
#include <sys/stat.h>

#include "command_runner.hpp"

namespace espalier::tools {
namespace {

constexpr int Usage = 2;
constexpr int Input = 3;

class HostileLines : public CommandRunner {};

TEST_F(HostileLines, UnusualLayersAreExact) {
  for (const char* layer : {"conv ic3 ih9 oc5 kh3 ph1 density0",
                            "conv ic3 ih9 oc5 kh3 ph1 density1",
                            "conv ic1 ih1 oc1",
                            "conv ic16 ih9 oc16 g16 kh3 ph1",
                            "conv ic16 ih9 oc32 g16 kh3 ph1 sh2",
                            "conv ic4 ih20 oc4 kh3 dh4 dw3 ph4 pw3",
                            "conv ic4 ih20 iw7 oc4 kh1 kw7 sh5 sw3",
                            "conv ic4 ih5 oc4 kh2 sh9",
                            "conv ic1 ih1 iw300 kw11 sw4 pw5 kh1 ph0",
                            "conv ic300 ih2 oc7 kh2 density0.1",
                            "conv ic8 ih9 oc8 kh3 ph1 pb0 pr2 relu6",
                            "fc ic16 ih7 iw7 oc10",
                            "maxpool ic7 ih13 kh3 sh2 ph1",
                            "maxpool ic7 ih13 kh2 sh5 dh3",
                            "avgpool ic7 ih13 kh3 sh2 ph1",
                            "avgpool ic3 ih9 kh3 ph1 includepad",
                            "gavgpool ic9 ih7",
                            "gmaxpool ic9 ih7 iw3",
                            "add ic9 ih7",
                            "concat ic9 ih7 n3",
                            "requantise ic3 ih5"}) {
    for (const char* array : {"8x8", "16x16", "16x16_compact"}) {
      EXPECT_EQ(run({"bench", "layer", layer, "--device", "functional", "--array", array}), 0) << layer;
      EXPECT_EQ(answer()["bit_exact"], true) << layer;
    }
  }
}

TEST_F(HostileLines, WrongLayersAreRefused) {
  for (const char* layer : {"",
                            "conv",
                            "conv ic",
                            "conv ic3",
                            "conv ic3 ih9 oc5 kh10",
                            "conv ic3 ih9 oc5 kh0",
                            "conv ic-3 ih9",
                            "conv ic3.5 ih9",
                            "conv ic3 ih9 density2",
                            "conv ic3 ih9 density-0.1",
                            "conv ic3 ih9 densitynan",
                            "conv ic3 ih9 density",
                            "conv ic3 ih9 density0.5x",
                            "conv ic3 ih9 densityinf",
                            "conv ic3 ih9 oc5 g2",
                            "conv ic4 ih9 oc5 g2",
                            "conv ic3 ih9 foo3",
                            "conv ic3 ic4 ih9",
                            "conv ic99999 ih9",
                            "conv ic65535 ih65535",
                            "conv ic65535 ih1 oc65535",
                            "conv ic99999999999999999999 ih1",
                            "conv ic3 ih9 float32",
                            "conv ic3 ih9 int5",
                            "conv ic3 ih9 oh3",
                            "pool ic3 ih3",
                            "fc ic3 ih4 kh2",
                            "add ic3 ih3 density0.5",
                            "concat ic3 ih3 n70000",
                            "CONV ic3 ih3",
                            "conv,ic3,ih3",
                            "conv ic3 ih9 dh65535 kh3"})
    EXPECT_EQ(run({"bench", "layer", layer, "--device", "functional", "--array", "8x8"}), Usage) << layer;
}

TEST_F(HostileLines, WrongOptionsAreRefused) {
  const std::vector<std::string> layer{"bench", "layer", "conv ic3 ih9"};
  for (const std::vector<std::string>& options : std::vector<std::vector<std::string>>{
           {"--device", "foo"},
           {"--device", "xrt:x"},
           {"--array", "9x9"},
           {"--array", ""},
           {"--array", "16x16_fast"},
           {"--device", "functional", "--array", "16x16_compact", "--weight-format", "huffman"},
           {"--device", "functional", "--array", "16x16_compact", "--weight-format", "fixed"},
           {"--array=8X8"},
           {"--memory", "bytes=3"},
           {"--memory", "latency=0"},
           {"--memory", "bytes=64,bytes=64"},
           {"--memory", "foo"},
           {"--weights", "foo"},
           {"--seed", "-1"},
           {"--stall", "nan", "--device", "rtl"},
           {"--stall", "1", "--device", "rtl"},
           {"--stall", "0.5", "--device", "functional"},
           {"--waves", "w.fst", "--device", "functional"},
           {"--xclbin", "x", "--device", "functional"},
           {"--unknown"},
           {"extra"}}) {
    std::vector<std::string> line = layer;
    line.insert(line.end(), options.begin(), options.end());
    EXPECT_EQ(run(line), Usage);
  }
  for (const std::vector<std::string>& line : std::vector<std::vector<std::string>>{
           {}, {"bench"}, {"bench", "foo"}, {"foo"}, {"run"}, {"inspect"}, {"compile"}, {"devices", "x"}})
    EXPECT_EQ(run(line), Usage);
}

// A pipe without a writer, a folder and an endless device are no files: nothing may wait for them.
TEST_F(HostileLines, ThingsThatAreNoFilesAreRefused) {
  for (const char* name : {"pipe.onnx", "pipe.esp"}) ASSERT_EQ(mkfifo(path(name).c_str(), 0600), 0);
  for (const std::string& model : {path("pipe.onnx"), path("pipe.esp"), path(""), path("missing.onnx"),
                                   path("missing.esp"), std::string("/dev/zero"), std::string()}) {
    EXPECT_EQ(run({"inspect", model}), Input) << model;
    EXPECT_EQ(run({"run", model, "--input", "x.npy"}), Input) << model;
  }
}

}  // namespace
}  // namespace espalier::tools
