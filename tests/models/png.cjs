// Reads PNG files of 8-bit RGB without interlacing.
'use strict';
const fs = require('fs');
const zlib = require('zlib');

// The predictor of Paeth, as the PNG specification defines it.
function paeth(a, b, c) {
  const [pa, pb, pc] = [Math.abs(b - c), Math.abs(a - c), Math.abs(a + b - 2 * c)];
  return pa <= pb && pa <= pc ? a : pb <= pc ? b : c;
}

// {height, width, pixels}: pixels are height x width x 3 bytes.
function readPng(file) {
  const bytes = fs.readFileSync(file);
  const width = bytes.readUInt32BE(16);
  const height = bytes.readUInt32BE(20);
  if (bytes[24] !== 8 || bytes[25] !== 2 || bytes[28] !== 0) throw new Error(file + ' is not 8-bit RGB');
  const parts = [];
  for (let at = 8; at < bytes.length; at += 12 + bytes.readUInt32BE(at))
    if (bytes.toString('latin1', at + 4, at + 8) === 'IDAT')
      parts.push(bytes.subarray(at + 8, at + 8 + bytes.readUInt32BE(at)));
  const data = zlib.inflateSync(Buffer.concat(parts));
  const row = 3 * width;
  const pixels = new Uint8Array(height * row);
  for (let y = 0; y < height; ++y) {
    const filter = data[y * (row + 1)];
    for (let x = 0; x < row; ++x) {
      const left = x < 3 ? 0 : pixels[y * row + x - 3];
      const above = y === 0 ? 0 : pixels[(y - 1) * row + x];
      const corner = x < 3 || y === 0 ? 0 : pixels[(y - 1) * row + x - 3];
      const guess = [0, left, above, (left + above) >> 1, paeth(left, above, corner)][filter];
      pixels[y * row + x] = data[y * (row + 1) + 1 + x] + guess;
    }
  }
  return {height, width, pixels};
}

module.exports = {readPng};
