// Views of the pictures beside this file, as a camera has them that moves and zooms: what detectors are calibrated with
// and judged by. The same on every machine, already in the numbers that the networks were trained on.
'use strict';
const path = require('path');
const {Random} = require('./generated.cjs');
const {readPng} = require('./png.cjs');

const [cat, page, portrait] = ['cat', 'page', 'portrait'].map((name) => readPng(path.join(__dirname, name + '.png')));

// Where the face of the portrait is, with hair and chin.
const face = {left: 78, top: 10, right: 146, bottom: 98};

const between = (random, low, high) => low + (high - low) * random.unit();

// A channel at a place between pixels; it is white outside of the picture.
function level(picture, y, x, channel) {
  const pixel = (row, column) => row < 0 || column < 0 || row >= picture.height || column >= picture.width
    ? 255 : picture.pixels[3 * (row * picture.width + column) + channel];
  const [row, column] = [Math.floor(y), Math.floor(x)];
  const [below, right] = [y - row, x - column];
  return (1 - below) * ((1 - right) * pixel(row, column) + right * pixel(row, column + 1)) +
    below * ((1 - right) * pixel(row + 1, column) + right * pixel(row + 1, column + 1));
}

// Levels of 0..255, the channels last, of a square of `side` pixels of a picture.
function look({picture, left, top, side, mirrored, inverted, contrast = 1}, size) {
  const values = new Float64Array(size * size * 3);
  const step = side / size;
  for (let row = 0; row < size; ++row) {
    for (let column = 0; column < size; ++column) {
      const across = mirrored ? size - 1 - column : column;
      for (let channel = 0; channel < 3; ++channel) {
        const seen = level(picture, top + (row + 0.5) * step - 0.5, left + (across + 0.5) * step - 0.5, channel);
        const shown = 127.5 + contrast * ((inverted ? 255 - seen : seen) - 127.5);
        values[3 * (row * size + column) + channel] = Math.min(Math.max(Math.round(shown), 0), 255);
      }
    }
  }
  return values;
}

// A square part of a photograph.
function photograph(random, picture) {
  const whole = Math.min(picture.height, picture.width);
  const side = between(random, 0.5, 1) * whole;
  const top = between(random, 0, picture.height - side);
  return {picture, side, top, left: between(random, 0, picture.width - side)};
}

// The whole portrait, then windows that hold the face; every fourth view is the cat.
function faces(sample) {
  if (sample === 0) return {picture: portrait, left: 0, top: 0, side: portrait.width};
  const random = new Random(sample);
  const view = {mirrored: random.unit() < 0.5, contrast: between(random, 0.8, 1.1)};
  if (sample % 4 === 3) return {...view, ...photograph(random, cat)};
  const side = between(random, 110, portrait.width);
  const place = (first, last) => between(random, Math.max(0, last - side), Math.min(first, portrait.width - side));
  return {...view, picture: portrait, side, left: place(face.left, face.right), top: place(face.top, face.bottom)};
}

// The whole page in the middle of a white square, then shifted and closer or farther; every fourth view is that with
// light and dark exchanged, or a photograph.
function pages(sample) {
  const middle = {picture: page, left: 0, top: (page.height - page.width) / 2, side: page.width};
  if (sample === 0) return middle;
  const random = new Random(sample);
  if (sample % 8 === 7) return photograph(random, portrait);
  const side = between(random, 0.75, 1.3) * page.width;
  const slack = (size) => between(random, Math.min(0, size - side), Math.max(0, size - side));
  return {...middle, side, left: slack(page.width), top: slack(page.height), inverted: sample % 8 === 3,
    contrast: between(random, 0.8, 1)};
}

// How levels become the numbers of a network; of a pixel its red, green and blue in `order`.
const kinds = {
  faces: {view: faces, order: [0, 1, 2], mean: [127.5, 127.5, 127.5], scale: [1 / 127.5, 1 / 127.5, 1 / 127.5]},
  pages: {view: pages, order: [2, 1, 0], mean: [123.675, 116.28, 103.53], scale: [0.01712, 0.01751, 0.01743]},
};

// The numbers of a sample for a tensor of the shape 1 x size x size x 3.
function makeView(kind, sample, shape) {
  const {view, order, mean, scale} = kinds[kind];
  const levels = look(view(sample), shape[1]);
  return levels.map((unused, i) => (levels[i - i % 3 + order[i % 3]] - mean[i % 3]) * scale[i % 3]);
}

module.exports = {makeView};
