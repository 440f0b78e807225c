// halves.mjs PROGRAM DIGITS PACKAGES: the halves that `espalier plan --export-cut` writes, chained in ONNX Runtime, give
// the output that ONNX Runtime gives for the whole network, to the bit.
//
// Cut behind every layer of the pruned network, so that one, two and three tensors cross, and behind some of the dense
// one and of a float network. Exits with 77 if the packages are not there.
import assert from 'node:assert/strict';
import {execFileSync} from 'node:child_process';
import fs from 'node:fs';
import {createRequire} from 'node:module';
import os from 'node:os';
import path from 'node:path';

const [program, digits, packages] = process.argv.slice(2);
const require = createRequire(path.resolve(packages, 'package.json'));
let ort;
try {
  ort = require('onnxruntime-node');
} catch (error) {
  console.log(`skipped: the npm packages are not in ${packages}; ./run proof edge fetches them (${error.code})`);
  process.exit(77);
}
const folder = fs.mkdtempSync(path.join(os.tmpdir(), 'espalier_halves_'));
const pixels = fs.readFileSync(path.join(digits, 'images.idx3-ubyte')).subarray(16);
const images = 20;

const load = (file) => ort.InferenceSession.create(file, {intraOpNumThreads: 1, interOpNumThreads: 1, logSeverityLevel: 3});

function image(index) {
  const values = Float32Array.from(pixels.subarray(index * 784, (index + 1) * 784), (byte) => byte * Math.fround(1 / 255));
  return new ort.Tensor('float32', values, [1, 1, 28, 28]);
}

/// The tensors that a session takes, by name, from those there are; its outputs join them.
async function extend(session, tensors) {
  const feeds = Object.fromEntries(session.inputNames.map((name) => [name, tensors[name]]));
  Object.assign(tensors, await session.run(feeds));
}

async function compare(model, cuts) {
  const whole = await load(model);
  const crossing = new Set();
  for (const cut of cuts) {
    const {cut: written} = JSON.parse(
        execFileSync(program, ['plan', model, '--export-cut', String(cut), folder, '--json', '--quiet']));
    crossing.add(written.crossing.length);
    const halves = [await load(written.front.file), await load(written.back.file)];
    for (let i = 0; i < images; ++i) {
      const input = {[whole.inputNames[0]]: image(i)};
      const expected = await whole.run(input);
      const tensors = {...input};
      for (const half of halves) await extend(half, tensors);
      for (const name of whole.outputNames)
        assert.deepEqual(Array.from(tensors[name].data), Array.from(expected[name].data), `${model}, cut ${cut}, ${i}`);
    }
  }
  console.log(`${path.basename(model)}: ${cuts.length} cuts, ${[...crossing].sort().join(', ')} tensors cross, ` +
              `${images} images each: equal`);
}

try {
  const every = Array.from({length: 13}, (_, index) => index);
  await compare(path.join(digits, 'digits_pruned_int8.onnx'), every);
  await compare(path.join(digits, 'digits_dense_int8.onnx'), [0, 4, 8, 11]);
  const quantised = path.join(folder, 'quantised.onnx');
  execFileSync(program, ['compile', path.join(digits, 'digits_dense.onnx'), '--quiet', '-o', path.join(folder, 'q.esp'),
                         '--quantised', quantised]);
  await compare(quantised, [2, 5, 12]);
} finally {
  fs.rmSync(folder, {recursive: true});
}
process.exit(0);
