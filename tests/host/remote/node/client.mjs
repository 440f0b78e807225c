// client.mjs PROGRAM RELAY PROTO DIGITS PACKAGES: drives `espalier serve` with a client stack that was not written
// here.
//
// Properties: live, ready, metadata and inference (raw and typed contents) answer over loopback and behind a link;
// the server's answer is that of `espalier run`; a deadline and a cancel end a call, the server then serves on; SIGTERM ends
// it gracefully. Exits with 77 if the packages are not there.
import assert from 'node:assert/strict';
import {execFileSync, spawn} from 'node:child_process';
import fs from 'node:fs';
import {createRequire} from 'node:module';
import path from 'node:path';

const [program, relayProgram, proto, digits, packages] = process.argv.slice(2);
const require = createRequire(path.resolve(packages, 'package.json'));
let grpc, loader;
try {
  grpc = require('@grpc/grpc-js');
  loader = require('@grpc/proto-loader');
} catch (error) {
  console.log(`skipped: the npm packages are not in ${packages}; ./run proof edge fetches them (${error.code})`);
  process.exit(77);
}

const definition = loader.loadSync(proto, {longs: Number, defaults: true, oneofs: true, keepCase: true});
const {inference} = grpc.loadPackageDefinition(definition);
const model = path.join(digits, 'digits_pruned_int8.onnx');
const images = path.join(digits, 'images.idx3-ubyte');

function firstDocument(child) {
  return new Promise((resolve, reject) => {
    let text = '';
    child.stdout.on('data', (data) => {
      text += data;
      try {
        resolve(JSON.parse(text));
      } catch {
        // the document is not whole yet
      }
    });
    child.on('exit', (code) => reject(new Error(`ended with ${code}: ${text}`)));
  });
}

const ended = (child) => new Promise((resolve) => child.on('exit', (code, signal) => resolve({code, signal})));

function connect(port) {
  return new inference.GRPCInferenceService(`127.0.0.1:${port}`, grpc.credentials.createInsecure());
}

/// {response} or {error}; `during(call)` may cancel it.
function call(client, method, request, options = {}, during = () => {}) {
  return new Promise((resolve) => {
    const started = client[method](request, options, (error, response) => resolve({error, response}));
    during(started);
  });
}

async function answer(client, method, request) {
  const {error, response} = await call(client, method, request, {deadline: Date.now() + 60000});
  assert.equal(error, null, String(error));
  return response;
}

/// Pixels of an image as the network takes them.
function pixels(index) {
  const bytes = fs.readFileSync(images);
  const image = bytes.subarray(16 + index * 784, 16 + (index + 1) * 784);
  return Array.from(image, (byte) => Math.fround(byte * Math.fround(1 / 255)));
}

function request(index, raw) {
  const values = pixels(index);
  const tensor = {name: port.inputs[0].name, datatype: port.inputs[0].datatype, shape: port.inputs[0].shape};
  const parameters = {deadline_ns: {int64_param: 60e9}};
  const common = {model_name: 'digits', id: `i${index}`, parameters};
  if (!raw) return {...common, inputs: [{...tensor, contents: {fp32_contents: values}}]};
  return {...common, inputs: [tensor], raw_input_contents: [Buffer.from(new Float32Array(values).buffer)]};
}

function floats(response) {
  if (response.raw_output_contents.length === 0) return Array.from(response.outputs[0].contents.fp32_contents);
  const bytes = Uint8Array.from(response.raw_output_contents[0]);
  return Array.from(new Float32Array(bytes.buffer));
}

// Paced so that an inference takes about two seconds: there is time to cancel one.
function serve(...options) {
  return spawn(program, ['serve', `digits=${model}`, '--array', '8x8', '--port', '0', '--json', '--quiet', ...options],
               {stdio: ['ignore', 'pipe', 'inherit']});
}

let port;  // metadata of the model
const count = 10;

async function checkAnswers(client, expected) {
  assert.equal((await answer(client, 'ServerLive', {})).live, true);
  assert.equal((await answer(client, 'ServerReady', {})).ready, true);
  assert.equal((await answer(client, 'ModelReady', {name: 'digits'})).ready, true);
  assert.equal((await answer(client, 'ModelReady', {name: 'digits', version: '7'})).ready, false);
  assert.equal((await answer(client, 'ServerMetadata', {})).name, 'espalier');
  port = await answer(client, 'ModelMetadata', {name: 'digits'});
  assert.deepEqual(port.versions, ['1']);
  for (let i = 0; i < count; ++i) {
    for (const raw of [false, true]) {
      const response = await answer(client, 'ModelInfer', request(i, raw));
      assert.equal(response.id, `i${i}`);
      assert.deepEqual(floats(response), expected[i]);
      assert.ok(response.parameters.bound_ns.int64_param > 0);
      assert.match(response.parameters.plan_id.string_param, /^[0-9a-f]{16}$/);
    }
  }
}

async function checkEndings(client) {
  const late = await call(client, 'ModelInfer', request(0, true), {deadline: Date.now() + 200});
  assert.equal(late.error.code, grpc.status.DEADLINE_EXCEEDED);
  const impossible = request(0, true);
  impossible.parameters = {deadline_ns: {int64_param: 1000}};
  assert.equal((await call(client, 'ModelInfer', impossible)).error.code, grpc.status.DEADLINE_EXCEEDED);
  const cancelled =
      await call(client, 'ModelInfer', request(0, true), {}, (started) => setTimeout(() => started.cancel(), 100));
  assert.equal(cancelled.error.code, grpc.status.CANCELLED);
  const unknown = await call(client, 'ModelInfer', {...request(0, true), model_name: 'other'});
  assert.equal(unknown.error.code, grpc.status.NOT_FOUND);
  await answer(client, 'ModelInfer', request(0, true));
}

const local = JSON.parse(execFileSync(
    program, ['run', model, '--array', '8x8', '--input', images, '--count', String(count), '--json', '--quiet'],
    {maxBuffer: 1 << 26}));
const expected = local.outputs.map((output) => output.data);

const server = serve();
const relays = [];
try {
  const {port: number} = await firstDocument(server);
  await checkAnswers(connect(number), expected);
  console.log('loopback: live, ready, metadata, 20 inferences with the outputs of espalier run');
  const relay = spawn(relayProgram, [String(number), '1', '0:1250000:5:0.01'], {stdio: ['pipe', 'pipe', 'inherit']});
  relays.push(relay);
  const relayPort = await firstDocument(relay);
  await checkAnswers(connect(relayPort), expected);
  console.log('behind a link of 10 Mbit/s, 5 ms each way, 1 % losses: the same');
  const done = ended(server);
  server.kill('SIGTERM');
  assert.deepEqual(await done, {code: 0, signal: null});
  console.log('SIGTERM: ended with 0');
} finally {
  server.kill('SIGKILL');
  for (const relay of relays) relay.stdin.end();
}

const slow = serve('--pace', '10000');
try {
  const {port: number} = await firstDocument(slow);
  await checkEndings(connect(number));
  console.log('deadline and cancel end a call, the server serves on');
} finally {
  slow.kill('SIGKILL');
}
process.exit(0);
