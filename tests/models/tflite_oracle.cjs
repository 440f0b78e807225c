// node tflite_oracle.cjs WASM_FOLDER MODEL SAMPLES OUTPUT [ends]: every activation of a TensorFlow Lite network,
// computed by TensorFlow Lite itself (WebAssembly, from the npm package @tensorflow/tfjs-tflite).
//
// The network runs SAMPLES times on generated inputs, always the same. All operators' results are made outputs of the
// network, so that one run gives the input and the result of every layer. OUTPUT is one line of JSON, {samples,
// tensors: [{name, type, shape, bytes}]} with the inputs first, then the bytes of all tensors of sample 0, of 1, ...
// With `ends` as fifth argument there are only the inputs and the results of the last two operators.
'use strict';
const fs = require('fs');
const path = require('path');
const vm = require('vm');
const {generate} = require('./generated.cjs');

// The vtable of a FlatBuffers table: the place of field `index`, or 0.
function field(view, table, index) {
  const vtable = table - view.getInt32(table, true);
  const entry = 4 + 2 * index;
  const offset = entry < view.getUint16(vtable, true) ? view.getUint16(vtable + entry, true) : 0;
  return offset === 0 ? 0 : table + offset;
}

function target(view, place) {
  return place + view.getUint32(place, true);
}

function tables(view, place) {
  const vector = target(view, place);
  return Array.from({length: view.getUint32(vector, true)}, (_, i) => target(view, vector + 4 + 4 * i));
}

function integers(view, place) {
  const vector = target(view, place);
  return Array.from({length: view.getUint32(vector, true)}, (_, i) => view.getInt32(vector + 4 + 4 * i, true));
}

// The same model with the results of all operators as outputs: a longer list at the end of the file.
function withAllOutputs(bytes) {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
  const model = target(view, 0);
  const subgraph = tables(view, field(view, model, 2))[0];
  const outputs = [];
  for (const operator of tables(view, field(view, subgraph, 3)))
    for (const tensor of integers(view, field(view, operator, 2))) if (!outputs.includes(tensor)) outputs.push(tensor);
  const begin = (bytes.length + 3) & ~3;
  const result = new Uint8Array(begin + 4 + 4 * outputs.length);
  result.set(bytes);
  const written = new DataView(result.buffer);
  const place = field(view, subgraph, 2);
  written.setUint32(place, begin - place, true);
  written.setUint32(begin, outputs.length, true);
  outputs.forEach((tensor, i) => written.setInt32(begin + 4 + 4 * i, tensor, true));
  return result;
}

async function loadRuntime(folder) {
  const name = 'tflite_web_api_cc_simd';
  const sandbox = {
    // What the package expects of a web worker.
    importScripts() {}, self: {location: {href: ''}}, console, WebAssembly, performance, TextDecoder, setTimeout,
    crypto: require('crypto').webcrypto, navigator: {hardwareConcurrency: 1},
  };
  vm.createContext(sandbox);
  const source = fs.readFileSync(path.join(folder, name + '.js'), 'utf8');
  vm.runInContext(source + '\nthis.factory = tflite_web_api_ModuleFactory;', sandbox);
  const messages = [];
  const module = await sandbox.factory({
    wasmBinary: fs.readFileSync(path.join(folder, name + '.wasm')),
    print: (text) => messages.push(text),
    printErr: (text) => messages.push(text),
  });
  module.messages = messages;
  return module;
}

function openModel(module, bytes) {
  const place = module._malloc(bytes.length);
  module.HEAPU8.set(bytes, place);
  const options = {numThreads: 1, enableProfiling: false, maxProfilingBufferEntries: 1024};
  const runner = module.TFLiteWebModelRunner.CreateFromBufferAndOptions(place, bytes.length, options);
  if (!runner.ok()) throw new Error(runner.errorMessage() + '\n' + module.messages.join('\n'));
  return runner.value();
}

function list(vector) {
  return Array.from({length: vector.size()}, (_, i) => vector.get(i));
}

function fill(tensor, sample) {
  const shape = tensor.shape.split(',').map(Number);
  const values = generate(sample, shape);
  const data = tensor.data();
  for (let i = 0; i < values.length; ++i) {
    if (tensor.dataType === 'int8') data[i] = Math.min(127, Math.floor(values[i] * 256) - 128);
    else if (tensor.dataType === 'uint8') data[i] = Math.min(255, Math.floor(values[i] * 256));
    else data[i] = Math.fround(2 * values[i] - 1);
  }
}

async function main() {
  const [folder, model, samples, output, part] = process.argv.slice(2);
  const module = await loadRuntime(folder);
  const runner = openModel(module, withAllOutputs(fs.readFileSync(model)));
  const bytesOf = (tensor) => {
    const data = tensor.data();
    return Buffer.from(data.buffer, data.byteOffset, data.byteLength);
  };
  const results = () => part === 'ends' ? list(runner.GetOutputs()).slice(-2) : list(runner.GetOutputs());
  const tensors = () => [...list(runner.GetInputs()), ...results()];
  const describe = (tensor) =>
    ({name: tensor.name, type: tensor.dataType, shape: tensor.shape, bytes: bytesOf(tensor).length});
  const file = fs.openSync(output, 'w');
  fs.writeSync(file, JSON.stringify({samples: Number(samples), tensors: tensors().map(describe)}) + '\n');
  for (let sample = 0; sample < Number(samples); ++sample) {
    for (const tensor of list(runner.GetInputs())) fill(tensor, sample);
    if (!runner.Infer()) throw new Error('inference failed\n' + module.messages.join('\n'));
    for (const tensor of tensors()) fs.writeSync(file, bytesOf(tensor));
  }
  fs.closeSync(file);
}

main().catch((error) => {
  console.error(error);
  process.exit(1);
});
