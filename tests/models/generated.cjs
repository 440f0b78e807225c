// Inputs of networks that are the same on every machine.
'use strict';

// Mulberry32.
class Random {
  constructor(seed) { this.state = seed * 0x9E3779B9 | 0; }
  unit() {
    this.state = this.state + 0x6D2B79F5 | 0;
    let z = Math.imul(this.state ^ this.state >>> 15, 1 | this.state);
    z = z + Math.imul(z ^ z >>> 7, 61 | z) ^ z;
    return ((z ^ z >>> 14) >>> 8) / 16777216;
  }
}

// Levels in 0..1 with the last axis as channels. Kinds in turn: noise, smooth waves, waves with noise, patches.
function generate(sample, shape) {
  const random = new Random(sample + 1);
  const channels = shape[shape.length - 1];
  const width = shape.length > 2 ? shape[shape.length - 2] : 1;
  const count = shape.reduce((a, b) => a * b, 1);
  const wave = Array.from({length: channels * 4}, () => random.unit());
  const kind = sample % 4;
  const values = new Float64Array(count);
  for (let i = 0; i < count; ++i) {
    const c = channels > 4 ? 0 : i % channels;
    const x = channels > 4 ? i % channels : Math.floor(i / channels) % width;
    const y = channels > 4 ? 0 : Math.floor(i / channels / width);
    const phase = 6.2832 * (wave[4 * c] + 0.12 * wave[4 * c + 1] * x + 0.12 * wave[4 * c + 2] * y);
    let value = 0.5 + 0.45 * Math.sin(phase);
    if (kind === 0) value = random.unit();
    if (kind === 2) value = 0.7 * value + 0.3 * random.unit();
    if (kind === 3) value = Math.floor(x / 5 + 3 * wave[0]) % 2 === Math.floor(y / 7) % 2 ? wave[4 * c] : wave[4 * c + 3];
    values[i] = value;
  }
  return values;
}

module.exports = {generate};
