// node speed.cjs RUNTIME_FOLDER PROGRAM MODEL NAME=SHAPE RUNS: CPU time of a float32 network on one thread, of ONNX
// Runtime in this process and of `espalier bench cpu`, in turns, so that both meet the same machine. Prints the medians
// and their ratio; judges nothing.
'use strict';
const {execFileSync} = require('child_process');
const path = require('path');

const Rounds = 7, WarmUps = 3;

const median = (values) => [...values].sort((a, b) => a - b)[values.length >> 1];

async function measure(session, feeds, runs) {
  const times = [];
  for (let i = 0; i < runs + WarmUps; ++i) {
    const start = process.cpuUsage();
    await session.run(feeds);
    const used = process.cpuUsage(start);
    if (i >= WarmUps) times.push((used.user + used.system) / 1000);
  }
  return median(times);
}

async function main() {
  const [folder, program, model, text, runs] = process.argv.slice(2);
  const ort = require(path.resolve(folder, 'node_modules', 'onnxruntime-node'));
  const [name, list] = text.split('=');
  const shape = list.split(',').map(Number);
  const session = await ort.InferenceSession.create(
      model, {intraOpNumThreads: 1, interOpNumThreads: 1, executionMode: 'sequential', logSeverityLevel: 3});
  const size = shape.reduce((a, b) => a * b);
  const feeds = {[name]: new ort.Tensor('float32', Float32Array.from({length: size}, (_, i) => Math.sin(i)), shape)};
  const theirs = [], ours = [], ratios = [];
  let set = '';
  for (let round = 0; round < Rounds; ++round) {
    theirs.push(await measure(session, feeds, Number(runs)));
    const report = JSON.parse(execFileSync(
        program, ['bench', 'cpu', model, '--shape', text, '--runs', runs, '--json', '--quiet'],
        {encoding: 'utf8', maxBuffer: 1 << 26}));
    ours.push(report.executors[0].cpu_milliseconds.median);
    set = report.instruction_set;
    ratios.push(ours[round] / theirs[round]);
  }
  console.log(`  speed   espalier ${median(ours).toFixed(3)} ms, ONNX Runtime ${median(theirs).toFixed(3)} ms of CPU, ` +
      `one thread (${set}): ${median(ratios).toFixed(2)} of its time, ${Math.min(...ratios).toFixed(2)} to ` +
      `${Math.max(...ratios).toFixed(2)} in ${Rounds} turns of ${runs} runs`);
}

main().catch((error) => {
  console.log(`  speed   not measured: ${error.message.split('\n')[0]}`);
});
