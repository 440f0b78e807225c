// Inputs of networks that are the same on every machine and resemble what the networks were trained on, so that
// activations stay in the ranges that they were calibrated for. Levels are in [0, 1), the channels last.
'use strict';
const path = require('path');
const {readPng} = require('./png.cjs');

// Small maps show a cat, as those of CIFAR-10 may; others a person.
const cat = readPng(path.join(__dirname, 'cat.png'));
const portrait = readPng(path.join(__dirname, 'portrait.png'));

// Mulberry32.
class Random {
  constructor(seed) {
    this.state = seed * 0x9E3779B9 | 0;
  }
  unit() {
    this.state = this.state + 0x6D2B79F5 | 0;
    let z = Math.imul(this.state ^ this.state >>> 15, 1 | this.state);
    z = z + Math.imul(z ^ z >>> 7, 61 | z) ^ z;
    return ((z ^ z >>> 14) >>> 8) / 16777216;
  }
  // About normal (0, 1).
  normal() {
    return this.unit() + this.unit() + this.unit() + this.unit() - 2;
  }
}

// A random surface of height x width: octaves of a grid of random numbers, interpolated, with amplitudes like 1 / f.
function surface(random, height, width) {
  const values = new Float64Array(height * width);
  let amplitude = 1;
  for (let cells = 2; cells < Math.max(height, width); cells *= 2, amplitude /= 2) {
    const grid = Float64Array.from({length: (cells + 1) * (cells + 1)}, () => random.normal());
    for (let y = 0; y < height; ++y) {
      for (let x = 0; x < width; ++x) {
        const v = y / height * cells;
        const u = x / width * cells;
        const i = Math.floor(v) * (cells + 1) + Math.floor(u);
        const fy = v - Math.floor(v);
        const fx = u - Math.floor(u);
        values[y * width + x] += amplitude * ((1 - fy) * ((1 - fx) * grid[i] + fx * grid[i + 1]) +
          fy * ((1 - fx) * grid[i + cells + 1] + fx * grid[i + cells + 2]));
      }
    }
  }
  return values;
}

// A square window of a photograph, mirrored or not, with another brightness and contrast.
function picture(random, height, width) {
  const photograph = height <= 32 ? cat : portrait;
  const side = Math.min(photograph.height, photograph.width) * (0.5 + 0.45 * random.unit());
  const top = (photograph.height - side) * random.unit();
  const left = (photograph.width - side) * random.unit();
  const mirrored = random.unit() < 0.5;
  const contrast = photograph === cat ? 0.8 + 0.2 * random.unit() : 1 + 0.3 * random.unit();
  const offset = 0.1 * (random.unit() - 0.5);
  const values = new Float64Array(height * width * 3);
  for (let y = 0; y < height; ++y) {
    for (let x = 0; x < width; ++x) {
      const across = mirrored ? width - 1 - x : x;
      for (let c = 0; c < 3; ++c) {
        const level = mean(photograph, top + side * y / height, left + side * across / width, side / height, c);
        values[3 * (y * width + x) + c] = 0.5 + contrast * (level - 0.5) + offset;
      }
    }
  }
  return values;
}

// The mean level of a channel over a square, at least one pixel.
function mean(image, top, left, side, channel) {
  let sum = 0;
  let count = 0;
  for (let y = Math.floor(top); y < Math.max(top + side, Math.floor(top) + 1) && y < image.height; ++y)
    for (let x = Math.floor(left); x < Math.max(left + side, Math.floor(left) + 1) && x < image.width; ++x, ++count)
      sum += image.pixels[3 * (y * image.width + x) + channel];
  return count === 0 ? 0.5 : sum / count / 255;
}

// Cepstral coefficients of a word in front of silence, 10 per frame, in steps of 0.5847 around level 83.
function cepstrum(random, frames, coefficients) {
  const begin = frames * (0.1 + 0.3 * random.unit());
  const end = begin + frames * (0.3 + 0.3 * random.unit());
  const tracks = Array.from({length: coefficients}, () => surface(random, frames, 2));
  const values = new Float64Array(frames * coefficients);
  for (let frame = 0; frame < frames; ++frame) {
    const loud = 1 / (1 + Math.exp(begin - frame)) / (1 + Math.exp(frame - end));
    for (let k = 0; k < coefficients; ++k) {
      const track = tracks[k][2 * frame];
      const real = k === 0 ? -60 + 55 * loud + 4 * track
                           : (loud * 9 + 2) * track / Math.sqrt(k) + 0.5 * random.normal();
      values[frame * coefficients + k] = (real / 0.5847 + 83 + 128) / 256;
    }
  }
  return values;
}

// Five frames of 128 logarithmic mel energies of a machine that hums, in steps of 0.391 around level 89.
function spectrum(random, size) {
  const bands = 128;
  const shape = surface(random, bands, 2);
  const values = new Float64Array(size);
  for (let i = 0; i < size; ++i) {
    const band = i % bands;
    const real = -12 - 22 * Math.sqrt(band / bands) + 3 * shape[2 * band] + 1.5 * random.normal();
    values[i] = (real / 0.391 + 89 + 128) / 256;
  }
  return values;
}

// The levels of a sample for a tensor of this shape.
function generate(sample, shape) {
  const random = new Random(sample + 1);
  const [, height, width, channels] = shape;
  const values = shape.length === 2 ? spectrum(random, shape[1])
    : channels === 1                ? cepstrum(random, height, width)
                                    : picture(random, height, width);
  return values.map((value) => Math.min(Math.max(value, 0), 0.999999));
}

module.exports = {Random, generate};
