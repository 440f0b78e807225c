// node onnx_oracle.cjs RUNTIME_FOLDER MODEL SAMPLES OUTPUT NAME=SHAPE[@VIEWS]...: the outputs of an ONNX network,
// computed by ONNX Runtime (npm package onnxruntime-node in RUNTIME_FOLDER/node_modules) on one thread.
//
// The inputs are generated float32 tensors in [-1, 1], or views of pictures (faces or pages), always the same. OUTPUT
// is as tflite_oracle.cjs writes it: inputs and outputs of the network.
'use strict';
const fs = require('fs');
const path = require('path');
const {generate} = require('./generated.cjs');
const {makeView} = require('./views.cjs');

// Pictures are made with the channels last; a network whose last size is at most 4 has them there, too.
function arrange(values, shape) {
  if (shape[3] <= 4) return Float32Array.from(values);
  const [, channels, height, width] = shape;
  const result = new Float32Array(values.length);
  for (let c = 0; c < channels; ++c)
    for (let i = 0; i < height * width; ++i) result[c * height * width + i] = values[i * channels + c];
  return result;
}

async function main() {
  const [folder, model, samples, output, ...shapes] = process.argv.slice(2);
  const ort = require(path.resolve(folder, 'node_modules', 'onnxruntime-node'));
  const session = await ort.InferenceSession.create(model, {intraOpNumThreads: 1, interOpNumThreads: 1});
  const forms = Object.fromEntries(shapes.map((text) => {
    const [name, form] = text.split('=');
    const [list, views] = form.split('@');
    return [name, {size: list.split(',').map(Number), views}];
  }));
  const chunks = [];
  let tensors = [];
  for (let sample = 0; sample < Number(samples); ++sample) {
    const feeds = {};
    for (const name of session.inputNames) {
      const {size, views} = forms[name];
      const [n, c, h, w] = size;
      const last = w <= 4 ? size : [n, h, w, c];
      const values = views ? makeView(views, sample, last) : generate(sample, last).map((level) => 2 * level - 1);
      feeds[name] = new ort.Tensor('float32', arrange(values, size), size);
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
