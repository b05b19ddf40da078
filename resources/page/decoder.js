"use strict";
// The decoder of a VAE: its layers are JSON, their numbers little-endian bytes in base64.

const TYPES = { "<f4": Float32Array, "<i2": Int16Array, "<u2": Uint16Array };

function unpack({ type, base64, scale }) {
  const bytes = Uint8Array.from(atob(base64), (letter) => letter.charCodeAt(0));
  const numbers = new TYPES[type](bytes.buffer);
  if (!scale) return numbers;
  const scales = unpack(scale), row = numbers.length / scales.length;
  return Float32Array.from(numbers, (number, i) => number * scales[Math.floor(i / row)]);
}

function unpackAll(value) {
  if (!value || typeof value !== "object") return value;
  if (value.base64 !== undefined) return unpack(value);
  if (Array.isArray(value)) return value.map(unpackAll);
  return Object.fromEntries(Object.entries(value).map(([name, one]) => [name, unpackAll(one)]));
}

// Abramowitz & Stegun 7.1.26, to 1.5e-7.
function erf(x) {
  const t = 1 / (1 + 0.3275911 * Math.abs(x));
  const sum = t * (0.254829592 + t * (-0.284496736 + t * (1.421413741 + t * (-1.453152027 + t * 1.061405429))));
  return Math.sign(x) * (1 - sum * Math.exp(-x * x));
}

const LAYERS = {
  gelu: (h) => h.map((x) => (x / 2) * (1 + erf(x * Math.SQRT1_2))),
  relu: (h) => h.map((x) => Math.max(x, 0)),
  tanh: (h) => h.map(Math.tanh),

  fourier(h, { frequencies }) {
    const n = frequencies.length / 2, out = new Float32Array(2 + 2 * n);
    out.set(h);
    for (let i = 0; i < n; i++) {
      const phase = h[0] * frequencies[i] + h[1] * frequencies[n + i];
      out[2 + i] = Math.sin(phase);
      out[2 + n + i] = Math.cos(phase);
    }
    return out;
  },

  linear: (h, { weight, bias }) => bias.map((sum, row) => {
    for (let i = 0, k = row * h.length; i < h.length; i++, k++) sum += weight[k] * h[i];
    return sum;
  }),

  norm(h, { weight, bias, eps }) {
    const mean = h.reduce((sum, x) => sum + x, 0) / h.length;
    const variance = h.reduce((sum, x) => sum + (x - mean) ** 2, 0) / h.length;
    return h.map((x, i) => ((x - mean) / Math.sqrt(variance + eps)) * weight[i] + bias[i]);
  },

  residual(h, { branch }) {
    const added = run(branch, h);
    return h.map((x, i) => x + added[i]);
  },

  // Maps of (channel, row, column), each pixel the nearest.
  resize(h, { from: [rows, columns], to: [high, wide] }) {
    const out = new Float32Array((h.length / rows / columns) * high * wide);
    return out.map((_, i) => {
      const x = Math.floor(((i % wide) * columns) / wide);
      const y = Math.floor(((Math.floor(i / wide) % high) * rows) / high);
      return h[(Math.floor(i / wide / high) * rows + y) * columns + x];
    });
  },

  // 3 × 3, with one pixel of nothing around.
  conv(h, { weight, bias, size: [rows, columns] }) {
    const pixels = rows * columns, inputs = h.length / pixels;
    const out = new Float32Array(bias.length * pixels);
    for (let to = 0, k = 0; to < bias.length; to++) {
      out.fill(bias[to], to * pixels, (to + 1) * pixels);
      for (let from = 0; from < inputs; from++)
        for (let dy = -1; dy <= 1; dy++)
          for (let dx = -1; dx <= 1; dx++, k++)
            for (let y = Math.max(0, -dy); y < Math.min(rows, rows - dy); y++) {
              const source = from * pixels + (y + dy) * columns + dx, target = to * pixels + y * columns;
              for (let x = Math.max(0, -dx); x < Math.min(columns, columns - dx); x++)
                out[target + x] += weight[k] * h[source + x];
            }
    }
    return out;
  },

  // Maps of channels become pixels of channels, each number with a bias of its own.
  pixels(h, { bias, channels }) {
    const pixels = h.length / channels;
    return bias.map((b, i) => b + h[(i % channels) * pixels + Math.floor(i / channels)]);
  },
};

const MEANS = {
  bernoulli: (l) => 1 / (1 + Math.exp(-l)),
  "continuous-bernoulli": (l) =>
    Math.abs(l) < 0.1 ? 0.5 + l / 12 - l ** 3 / 720 : 0.5 + 0.5 / Math.tanh(l / 2) - 1 / l,
  gaussian: (l) => l,
};

function run(layers, h) {
  return layers.reduce((before, layer) => LAYERS[layer.kind](before, layer), h);
}

// E[x|z] in [0, 1]: row after row, in colour three numbers a pixel.
function decode({ layers, likelihood }, z) {
  return run(layers, Float32Array.from(z)).map((l) => Math.min(Math.max(MEANS[likelihood](l), 0), 1));
}
