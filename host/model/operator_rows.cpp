#include "model/operator_rows.hpp"

namespace espalier::model {
namespace {

constexpr const char* Window =
    "auto_pad:text(NOTSET,SAME_UPPER,SAME_LOWER,VALID) dilations:ints group:int kernel_shape:ints pads:ints "
    "strides:ints";
constexpr const char* TransposedWindow =
    "auto_pad:text(NOTSET,SAME_UPPER,SAME_LOWER,VALID) dilations:ints group:int kernel_shape:ints output_padding:ints "
    "output_shape:ints pads:ints strides:ints";
constexpr const char* AveragePool =
    "auto_pad:text(NOTSET,SAME_UPPER,SAME_LOWER,VALID) ceil_mode:int count_include_pad:int kernel_shape:ints pads:ints "
    "strides:ints";
constexpr const char* MaxPool =
    "auto_pad:text(NOTSET,SAME_UPPER,SAME_LOWER,VALID) ceil_mode:int dilations:ints kernel_shape:ints pads:ints "
    "storage_order:int strides:ints";
constexpr const char* LpPool =
    "auto_pad:text(NOTSET,SAME_UPPER,SAME_LOWER,VALID) kernel_shape:ints p:int pads:ints strides:ints";
constexpr const char* Resize =
    "coordinate_transformation_mode:text(half_pixel,pytorch_half_pixel,align_corners,asymmetric,tf_crop_and_resize,"
    "tf_half_pixel_for_nn) cubic_coeff_a:float exclude_outside:int extrapolation_value:float "
    "mode:text(nearest,linear,cubic) nearest_mode:text(round_prefer_floor,round_prefer_ceil,floor,ceil)";
constexpr const char* Reduced = "T=real,int32,int64,uint32";
constexpr const char* ReducedSmall = "T=real,int8,int32,int64,uint8,uint32,uint64";
constexpr const char* Axes = "axes:ints keepdims:int";
constexpr const char* Constants = "value:tensor value_float:float value_floats:floats value_int:int value_ints:ints";

constexpr OperatorText Standard[] = {
    // Arithmetic, element by element
    {"Abs", 7, 17, "T -> T", "T=number", ""},
    {"Acos", 7, 17, "T -> T", "T=real", ""},
    {"Acosh", 9, 17, "T -> T", "T=real", ""},
    {"Add", 7, 17, "T T -> T", "T=number", ""},
    {"And", 7, 17, "T T -> T", "T=bool", ""},
    {"Asin", 7, 17, "T -> T", "T=real", ""},
    {"Asinh", 9, 17, "T -> T", "T=real", ""},
    {"Atan", 7, 17, "T -> T", "T=real", ""},
    {"Atanh", 9, 17, "T -> T", "T=real", ""},
    {"BitShift", 11, 17, "T T -> T", "T=unsigned", "direction:text(LEFT,RIGHT)"},
    {"Cast", 7, 17, "T -> @to", "T=any", "to:type"},
    {"CastLike", 15, 17, "T U -> U", "T=any U=any", ""},
    {"Ceil", 7, 17, "T -> T", "T=real", ""},
    {"Celu", 12, 17, "T -> T", "T=float32", "alpha:float"},
    {"Clip", 7, 10, "T -> T", "T=real", "max:float min:float"},
    {"Clip", 11, 17, "T T? T? -> T", "T=number", ""},
    {"Cos", 7, 17, "T -> T", "T=real", ""},
    {"Cosh", 9, 17, "T -> T", "T=real", ""},
    {"Div", 7, 17, "T T -> T", "T=number", ""},
    {"Elu", 7, 17, "T -> T", "T=real", "alpha:float"},
    {"Equal", 7, 17, "T T -> B", "T=number,bool B=bool", ""},
    {"Erf", 9, 17, "T -> T", "T=real", ""},
    {"Exp", 7, 17, "T -> T", "T=real", ""},
    {"Floor", 7, 17, "T -> T", "T=real", ""},
    {"Greater", 7, 17, "T T -> B", "T=number B=bool", ""},
    {"GreaterOrEqual", 12, 17, "T T -> B", "T=number B=bool", ""},
    {"HardSigmoid", 7, 17, "T -> T", "T=real", "alpha:float beta:float"},
    {"HardSwish", 14, 17, "T -> T", "T=real", ""},
    {"Identity", 7, 17, "T -> T", "T=any", ""},
    {"IsInf", 10, 17, "T -> B", "T=float32,float64 B=bool", "detect_negative:int detect_positive:int"},
    {"IsNaN", 9, 17, "T -> B", "T=real B=bool", ""},
    {"LeakyRelu", 7, 17, "T -> T", "T=real", "alpha:float"},
    {"Less", 7, 17, "T T -> B", "T=number B=bool", ""},
    {"LessOrEqual", 12, 17, "T T -> B", "T=number B=bool", ""},
    {"Log", 7, 17, "T -> T", "T=real", ""},
    {"Max", 8, 17, "T* -> T", "T=number", ""},
    {"Mean", 8, 17, "T* -> T", "T=real", ""},
    {"Min", 8, 17, "T* -> T", "T=number", ""},
    {"Mod", 10, 17, "T T -> T", "T=number", "fmod:int"},
    {"Mul", 7, 17, "T T -> T", "T=number", ""},
    {"Neg", 7, 17, "T -> T", "T=real,signed", ""},
    {"Not", 7, 17, "T -> T", "T=bool", ""},
    {"Or", 7, 17, "T T -> T", "T=bool", ""},
    {"PRelu", 7, 17, "T T -> T", "T=real,int32,int64,uint32,uint64", ""},
    {"Pow", 7, 11, "T T -> T", "T=real", ""},
    {"Pow", 12, 17, "T U -> T", "T=real,int32,int64 U=number", ""},
    {"Reciprocal", 7, 17, "T -> T", "T=real", ""},
    {"Relu", 7, 17, "T -> T", "T=real,signed", ""},
    {"Round", 11, 17, "T -> T", "T=real", ""},
    {"Selu", 7, 17, "T -> T", "T=real", "alpha:float gamma:float"},
    {"Shrink", 9, 17, "T -> T", "T=number", "bias:float lambd:float"},
    {"Sigmoid", 7, 17, "T -> T", "T=real", ""},
    {"Sign", 9, 17, "T -> T", "T=number", ""},
    {"Sin", 7, 17, "T -> T", "T=real", ""},
    {"Sinh", 9, 17, "T -> T", "T=real", ""},
    {"Softplus", 7, 17, "T -> T", "T=real", ""},
    {"Softsign", 7, 17, "T -> T", "T=real", ""},
    {"Sqrt", 7, 17, "T -> T", "T=real", ""},
    {"Sub", 7, 17, "T T -> T", "T=number", ""},
    {"Sum", 8, 17, "T* -> T", "T=real", ""},
    {"Tan", 7, 17, "T -> T", "T=real", ""},
    {"Tanh", 7, 17, "T -> T", "T=real", ""},
    {"ThresholdedRelu", 10, 17, "T -> T", "T=real", "alpha:float"},
    {"Where", 9, 17, "B T T -> T", "B=bool T=any", ""},
    {"Xor", 7, 17, "T T -> T", "T=bool", ""},
    // Reductions, sorting and counting
    {"ArgMax", 7, 17, "T -> I", "T=number I=int64", "axis:int keepdims:int select_last_index:int"},
    {"ArgMin", 7, 17, "T -> I", "T=number I=int64", "axis:int keepdims:int select_last_index:int"},
    {"CumSum", 11, 17, "T I -> T", "T=real,int32,int64,uint32,uint64 I=int32,int64", "exclusive:int reverse:int"},
    {"ReduceL1", 7, 17, "T -> T", Reduced, Axes},
    {"ReduceL2", 7, 17, "T -> T", Reduced, Axes},
    {"ReduceLogSum", 7, 17, "T -> T", "T=real", Axes},
    {"ReduceLogSumExp", 7, 17, "T -> T", "T=real", Axes},
    {"ReduceMax", 7, 17, "T -> T", ReducedSmall, Axes},
    {"ReduceMean", 7, 17, "T -> T", Reduced, Axes},
    {"ReduceMin", 7, 17, "T -> T", ReducedSmall, Axes},
    {"ReduceProd", 7, 17, "T -> T", Reduced, Axes},
    {"ReduceSum", 7, 12, "T -> T", Reduced, Axes},
    {"ReduceSum", 13, 17, "T I? -> T", "T=real,int32,int64,uint32 I=int64", "keepdims:int noop_with_empty_axes:int"},
    {"ReduceSumSquare", 7, 17, "T -> T", Reduced, Axes},
    {"TopK", 10, 17, "T I -> T I", "T=number I=int64", "axis:int largest:int sorted:int"},
    {"Unique", 11, 17, "T -> T I? I? I?", "T=number,bool I=int64", "axis:int sorted:int"},
    // Matrices
    {"Det", 11, 17, "T -> T", "T=real", ""},
    {"Einsum", 12, 17, "T* -> T", "T=number", "equation:text"},
    {"Gemm", 7, 10, "T T T -> T", "T=real", "alpha:float beta:float transA:int transB:int"},
    {"Gemm", 11, 17, "T T T? -> T", "T=real", "alpha:float beta:float transA:int transB:int"},
    {"MatMul", 7, 17, "T T -> T", "T=real,int32,int64,uint32,uint64", ""},
    // Convolutions and pools
    {"AveragePool", 7, 17, "T -> T", "T=real", AveragePool},
    {"Conv", 7, 17, "T T T? -> T", "T=real", Window},
    {"ConvTranspose", 7, 17, "T T T? -> T", "T=real", TransposedWindow},
    {"GlobalAveragePool", 7, 17, "T -> T", "T=real", ""},
    {"GlobalLpPool", 7, 17, "T -> T", "T=real", "p:int"},
    {"GlobalMaxPool", 7, 17, "T -> T", "T=real", ""},
    {"LpPool", 7, 17, "T -> T", "T=real", LpPool},
    {"MaxPool", 7, 17, "T -> T I?", "T=real,int8,uint8 I=int64", MaxPool},
    {"MaxUnpool", 9, 17, "T I I? -> T", "T=real I=int64", "kernel_shape:ints pads:ints strides:ints"},
    {"RoiAlign", 10, 17, "T T I -> T", "T=real I=int64",
     "coordinate_transformation_mode:text(half_pixel,output_half_pixel) mode:text(avg,max) output_height:int "
     "output_width:int sampling_ratio:int spatial_scale:float"},
    // Normalisation and what ends a classifier
    {"BatchNormalization", 7, 8, "T T T T T -> T", "T=real", "epsilon:float momentum:float spatial:int(1)"},
    {"BatchNormalization", 9, 13, "T T T T T -> T", "T=real", "epsilon:float momentum:float"},
    {"BatchNormalization", 14, 14, "T T T U U -> T U? U?", "T=real U=real",
     "epsilon:float momentum:float training_mode:int"},
    {"BatchNormalization", 15, 17, "T V V U U -> T U? U?", "T=real V=real U=real",
     "epsilon:float momentum:float training_mode:int"},
    {"Dropout", 7, 9, "T -> T T?", "T=real", "ratio:float"},
    {"Dropout", 10, 11, "T -> T B?", "T=real B=bool", "ratio:float"},
    {"Dropout", 12, 17, "T U? -> T B?", "T=real U=real B=bool", "seed:int"},
    {"Hardmax", 7, 17, "T -> T", "T=real", "axis:int"},
    {"InstanceNormalization", 7, 17, "T T T -> T", "T=real", "epsilon:float"},
    {"LRN", 7, 17, "T -> T", "T=real", "alpha:float beta:float bias:float size:int"},
    {"LayerNormalization", 17, 17, "T T T? -> T U? U?", "T=real U=float32", "axis:int epsilon:float stash_type:int(1)"},
    {"LogSoftmax", 7, 17, "T -> T", "T=real", "axis:int"},
    {"LpNormalization", 7, 17, "T -> T", "T=real", "axis:int p:int(1,2)"},
    {"MeanVarianceNormalization", 9, 17, "T -> T", "T=real", "axes:ints"},
    {"NonMaxSuppression", 10, 17, "T T I? T? T? -> I", "T=float32 I=int64", "center_point_box:int(0,1)"},
    {"Softmax", 7, 17, "T -> T", "T=real", "axis:int"},
    // Quantised forms
    {"ConvInteger", 10, 17, "T U T? U? -> I", "T=int8,uint8 U=int8,uint8 I=int32", Window},
    {"DequantizeLinear", 10, 12, "T S T? -> S", "T=int8,uint8,int32 S=float32", ""},
    {"DequantizeLinear", 13, 17, "T S T? -> S", "T=int8,uint8,int32 S=float32", "axis:int"},
    {"DynamicQuantizeLinear", 11, 17, "S -> T S T", "S=float32 T=uint8", ""},
    {"MatMulInteger", 10, 17, "T U T? U? -> I", "T=int8,uint8 U=int8,uint8 I=int32", ""},
    {"QLinearConv", 10, 17, "T S T U S U S V I? -> V", "T=int8,uint8 U=int8,uint8 V=int8,uint8 S=float32 I=int32",
     Window},
    {"QLinearMatMul", 10, 17, "T S T U S U S V -> V", "T=int8,uint8 U=int8,uint8 V=int8,uint8 S=float32", ""},
    {"QuantizeLinear", 10, 12, "X S T? -> T", "X=float32,int32 S=float32 T=int8,uint8", ""},
    {"QuantizeLinear", 13, 17, "X S T? -> T", "X=float32,int32 S=float32 T=int8,uint8", "axis:int"},
    // Resampling
    {"GridSample", 16, 17, "T U -> T", "T=real U=real",
     "align_corners:int mode:text(bilinear,nearest,bicubic) padding_mode:text(zeros,border,reflection)"},
    {"Resize", 10, 10, "T S -> T", "T=real,int8,uint8,int32 S=float32", "mode:text(nearest,linear)"},
    {"Resize", 11, 12, "T R S I? -> T", "T=real,int8,uint8,int32 R=real S=float32 I=int64", Resize},
    {"Resize", 13, 17, "T R? S? I? -> T", "T=real,int8,uint8,int32 R=real S=float32 I=int64", Resize},
    {"Upsample", 7, 8, "T -> T", "T=real,int8,uint8,int32", "mode:text(nearest,linear) scales:floats"},
    {"Upsample", 9, 9, "T S -> T", "T=real,int8,uint8,int32 S=float32", "mode:text(nearest,linear)"},
    // Shapes: values are moved, not changed
    {"Compress", 9, 17, "T B -> T", "T=any B=bool", "axis:int"},
    {"Concat", 7, 17, "T* -> T", "T=any", "axis:int"},
    {"Constant", 7, 17, "-> @value", "", Constants},
    {"ConstantOfShape", 9, 17, "I -> @value", "I=int64", "value:tensor"},
    {"DepthToSpace", 7, 17, "T -> T", "T=any", "blocksize:int mode:text(DCR,CRD)"},
    {"Expand", 8, 17, "T I -> T", "T=any I=int64", ""},
    {"EyeLike", 9, 17, "T -> @dtype", "T=number,bool", "dtype:type k:int"},
    {"Flatten", 7, 17, "T -> T", "T=any", "axis:int"},
    {"Gather", 7, 17, "T I -> T", "T=any I=int32,int64", "axis:int"},
    {"GatherElements", 11, 17, "T I -> T", "T=any I=int32,int64", "axis:int"},
    {"GatherND", 11, 17, "T I -> T", "T=any I=int64", "batch_dims:int"},
    {"NonZero", 9, 17, "T -> I", "T=any I=int64", ""},
    {"OneHot", 9, 17, "I D T -> T", "I=number D=number T=number,bool", "axis:int"},
    {"Pad", 7, 10, "T -> T", "T=real", "mode:text(constant,reflect,edge) pads:ints value:float"},
    {"Pad", 11, 17, "T I T? -> T", "T=number,bool I=int64", "mode:text(constant,reflect,edge)"},
    {"Range", 11, 17, "T T T -> T", "T=float32,float64,int16,int32,int64", ""},
    {"Reshape", 7, 13, "T I -> T", "T=any I=int64", ""},
    {"Reshape", 14, 17, "T I -> T", "T=any I=int64", "allowzero:int"},
    {"ReverseSequence", 10, 17, "T I -> T", "T=any I=int64", "batch_axis:int time_axis:int"},
    {"Scatter", 9, 10, "T I T -> T", "T=any I=int32,int64", "axis:int"},
    {"ScatterElements", 11, 15, "T I T -> T", "T=any I=int32,int64", "axis:int"},
    {"ScatterElements", 16, 17, "T I T -> T", "T=any I=int32,int64", "axis:int reduction:text(none,add,mul)"},
    {"ScatterND", 11, 15, "T I T -> T", "T=any I=int64", ""},
    {"ScatterND", 16, 17, "T I T -> T", "T=any I=int64", "reduction:text(none,add,mul)"},
    {"Shape", 7, 14, "T -> I", "T=any I=int64", ""},
    {"Shape", 15, 17, "T -> I", "T=any I=int64", "end:int start:int"},
    {"Size", 7, 17, "T -> I", "T=any I=int64", ""},
    {"Slice", 7, 9, "T -> T", "T=any", "axes:ints ends:ints starts:ints"},
    {"Slice", 10, 17, "T I I I? I? -> T", "T=any I=int32,int64", ""},
    {"SpaceToDepth", 7, 17, "T -> T", "T=any", "blocksize:int"},
    {"Split", 7, 12, "T -> T*", "T=any", "axis:int split:ints"},
    {"Split", 13, 17, "T I? -> T*", "T=any I=int64", "axis:int"},
    {"Squeeze", 7, 12, "T -> T", "T=any", "axes:ints"},
    {"Squeeze", 13, 17, "T I? -> T", "T=any I=int64", ""},
    {"Tile", 7, 17, "T I -> T", "T=any I=int64", ""},
    {"Transpose", 7, 17, "T -> T", "T=any", "perm:ints"},
    {"Trilu", 14, 17, "T I? -> T", "T=any I=int64", "upper:int"},
    {"Unsqueeze", 7, 12, "T -> T", "T=any", "axes:ints"},
    {"Unsqueeze", 13, 17, "T I -> T", "T=any I=int64", ""},
};

}  // namespace

std::span<const OperatorText> standard_operators() { return Standard; }

}  // namespace espalier::model
