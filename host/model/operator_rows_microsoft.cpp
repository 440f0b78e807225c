#include "model/operator_rows.hpp"

namespace espalier::model {
namespace {

constexpr const char* Bytes = "T=int8,uint8 S=float32";

constexpr OperatorText Microsoft[] = {
    {"DequantizeLinear", 1, 1, "T S T? -> S", "T=int8,uint8,int32 S=float32", "axis:int"},
    {"QGemm", 1, 1, "T S T U S U I? S? V? -> V", "T=int8,uint8 U=int8,uint8 V=int8,uint8 S=float32 I=int32",
     "alpha:float transA:int transB:int"},
    {"QLinearAdd", 1, 1, "T S T T S T S T? -> T", Bytes, ""},
    {"QLinearAveragePool", 1, 1, "T S T S T? -> T", Bytes,
     "auto_pad:text ceil_mode:int channels_last:int count_include_pad:int kernel_shape:ints pads:ints strides:ints"},
    {"QLinearConcat", 1, 1, "S T T S T* -> T", Bytes, "axis:int"},
    {"QLinearGlobalAveragePool", 1, 1, "T S T S T? -> T", Bytes, "channels_last:int"},
    {"QuantizeLinear", 1, 1, "S S T? -> T", Bytes, "axis:int"},
};

}  // namespace

std::span<const OperatorText> microsoft_operators() { return Microsoft; }

}  // namespace espalier::model
