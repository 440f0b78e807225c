// node onnx_oracle.cjs RUNTIME_FOLDER MODEL SAMPLES OUTPUT NAME=SHAPE...: the outputs of an ONNX network, computed by
// ONNX Runtime (npm package onnxruntime-node in RUNTIME_FOLDER/node_modules) on one thread.
//
// The inputs are generated float32 tensors in [-1, 1], always the same. OUTPUT is as tflite_oracle.cjs
// writes it: inputs and outputs of the network.
'use strict';
const fs = require('fs');
const path = require('path');
const {generate} = require('./generated.cjs');

// The generator has the channels last; a network whose last size is at most 4 has, too.
function arrange(values, shape) {
  if (shape[3] <= 4) return Float32Array.from(values, (value) => 2 * value - 1);
  const [, channels, height, width] = shape;
  const result = new Float32Array(values.length);
  for (let c = 0; c < channels; ++c)
    for (let i = 0; i < height * width; ++i) result[c * height * width + i] = 2 * values[i * channels + c] - 1;
  return result;
}

async function main() {
  const [folder, model, samples, output, ...shapes] = process.argv.slice(2);
  const ort = require(path.resolve(folder, 'node_modules', 'onnxruntime-node'));
  const session = await ort.InferenceSession.create(model, {intraOpNumThreads: 1, interOpNumThreads: 1});
  const sizes = Object.fromEntries(shapes.map((text) => {
    const [name, list] = text.split('=');
    return [name, list.split(',').map(Number)];
  }));
  const chunks = [];
  let tensors = [];
  for (let sample = 0; sample < Number(samples); ++sample) {
    const feeds = {};
    for (const name of session.inputNames) {
      const size = sizes[name];
      const [n, c, h, w] = size;
      const last = w <= 4 ? size : [n, h, w, c];
      feeds[name] = new ort.Tensor('float32', arrange(generate(sample, last), size), size);
    }
    const results = await session.run(feeds);
    const all = [...session.inputNames.map((name) => [name, feeds[name]]),
                 ...session.outputNames.map((name) => [name, results[name]])];
    tensors = all.map(([name, tensor]) => ({
      name, type: tensor.type, shape: tensor.dims.join(','), bytes: tensor.data.byteLength,
    }));
    for (const [, tensor] of all)
      chunks.push(Buffer.from(tensor.data.buffer, tensor.data.byteOffset, tensor.data.byteLength));
  }
  const header = Buffer.from(JSON.stringify({samples: Number(samples), tensors}) + '\n');
  fs.writeFileSync(output, Buffer.concat([header, ...chunks]));
}

main().catch((error) => {
  console.error(error);
  process.exit(1);
});
