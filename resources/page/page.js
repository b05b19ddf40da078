"use strict";

const find = (id) => document.getElementById(id);
const { decoder, shape: [height, width, channels], extent, sheet: side, points, labels, classes } =
  unpackAll(JSON.parse(find("data").textContent));
const plane = find("plane"), canvas = find("canvas"), sliders = [find("z1"), find("z2")];
const count = points.length / 2;
const hidden = new Set();
let pinned = [0, 0], shown = null, asked = null, saving = 0;

const round = (value) => Math.min(Math.max(Math.round(value * 100), -100 * extent), 100 * extent) / 100 || 0;
const minus = (text) => text.replaceAll("-", "−");
const percent = (value) => 50 + (50 * value) / extent + "%";
const color = (name) => getComputedStyle(document.documentElement).getPropertyValue(name).trim();
const pressed = (button) => button.getAttribute("aria-pressed") === "true";
const COLORS = color("--classes").split(/\s+/);
const classColor = (label) => COLORS[Math.min(label, COLORS.length - 1)];

function pixels(z) {
  const values = decode(decoder, z), image = new ImageData(width, height);
  for (let i = 0; i < width * height; i++) {
    for (let c = 0; c < 3; c++) image.data[4 * i + c] = Math.round(255 * values[channels * i + c % channels]);
    image.data[4 * i + 3] = 255;
  }
  return image;
}

// The image at z, beside the map; the cursor stays.
function show(z) {
  if (!asked) requestAnimationFrame(paintImage);
  asked = z;
}

function paintImage() {
  const [z1, z2] = (shown = asked);
  asked = null;
  find("image").getContext("2d").putImageData(pixels(shown), 0, 0);
  const told = `(${z1.toFixed(2)}, ${z2.toFixed(2)})`;
  find("link").textContent = minus(`z = ${told}`);
  find("link").href = address(shown);
  find("image").setAttribute("aria-label", `Decoded image at z = ${told}`);
  find("nearest").textContent = nearest(shown);
  find("up").style.left = percent(z1);
  find("across").style.bottom = percent(z2);
}

function nearest([z1, z2]) {
  let best = -1, least = Infinity;
  for (let i = 0; i < count; i++) {
    const square = (points[2 * i] / 1000 - z1) ** 2 + (points[2 * i + 1] / 1000 - z2) ** 2;
    if (square < least && !(labels && hidden.has(labels[i]))) [best, least] = [i, square];
  }
  if (best < 0) return "";
  return `nearest point: ${labels ? classes[labels[best]] + ", " : ""}${Math.sqrt(least).toFixed(2)} away`;
}

// The position that stays when the pointer leaves.
function pin(z) {
  pinned = z.map(round);
  sliders.forEach((slider, i) => {
    slider.value = pinned[i];
    slider.nextElementSibling.textContent = minus(pinned[i].toFixed(2));
  });
  find("cursor").style.left = percent(pinned[0]);
  find("cursor").style.bottom = percent(pinned[1]);
  show(pinned);
  clearTimeout(saving); // browsers refuse to be told of an address at every move
  saving = setTimeout(() => history.replaceState(null, "", address(pinned)), 250);
}

const address = ([z1, z2]) => `#z=${z1.toFixed(2)},${z2.toFixed(2)}`;

function restore() {
  const found = location.hash.match(/^#z=(-?\d+(?:\.\d+)?),(-?\d+(?:\.\d+)?)$/);
  if (found) pin([+found[1], +found[2]]);
}

function under(event) {
  const box = canvas.getBoundingClientRect();
  const [x, y] = [(event.clientX - box.left) / box.width, (event.clientY - box.top) / box.height];
  return [round((2 * x - 1) * extent), round((1 - 2 * y) * extent)];
}

plane.addEventListener("pointerdown", (event) => {
  if (event.button) return;
  plane.setPointerCapture(event.pointerId);
  pin(under(event));
});
plane.addEventListener("pointermove", (event) => {
  if (plane.hasPointerCapture(event.pointerId)) pin(under(event));
  else if (event.isPrimary && event.pointerType !== "touch") show(under(event));
});
plane.addEventListener("pointerleave", () => show(pinned));

function arrows(event) {
  const moves = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowDown: [0, -1], ArrowUp: [0, 1] };
  if (!(event.key in moves) || event.altKey || event.metaKey) return;
  const slider = sliders.indexOf(event.target), [right, up] = moves[event.key];
  const move = slider < 0 ? [right, up] : [0, 1].map((i) => (i === slider ? right + up : 0));
  const step = event.shiftKey ? 1 : event.ctrlKey ? 0.01 : 0.1;
  pin(pinned.map((value, i) => value + step * move[i]));
  event.preventDefault();
}
plane.addEventListener("keydown", arrows);
sliders.forEach((slider, i) => {
  slider.min = -extent;
  slider.max = extent;
  slider.addEventListener("keydown", arrows);
  slider.addEventListener("input", () => pin(pinned.map((value, j) => (i === j ? +slider.value : value))));
});

// The manifold: side × side decoded positions, each in the middle of its cell, some a frame.
const [tile, tiles] = [0, 1].map(() => document.createElement("canvas").getContext("2d"));
const tileSize = [width, height].map((pixels) => Math.min(pixels, Math.floor(2048 / side)));
let made = 0;

function decodeTiles() {
  if (!pressed(find("show-sheet")) || made === side ** 2) return;
  for (const end = performance.now() + 12; made < side ** 2 && performance.now() < end; made++) {
    const column = made % side, row = Math.floor(made / side);
    const z = [2 * (column + 0.5) - side, side - 2 * (row + 0.5)].map((at) => (at / side) * extent);
    tile.putImageData(pixels(z), 0, 0);
    tiles.drawImage(tile.canvas, column * tileSize[0], row * tileSize[1], ...tileSize);
  }
  paintMap();
  requestAnimationFrame(decodeTiles);
}

function paintMap() {
  const size = plane.clientWidth, scale = devicePixelRatio, paint = canvas.getContext("2d");
  canvas.width = canvas.height = Math.round(size * scale);
  paint.scale(scale, scale);
  const x = (z) => (size / 2) * (1 + z / extent), y = (z) => (size / 2) * (1 - z / extent);
  if (pressed(find("show-sheet"))) paint.drawImage(tiles.canvas, 0, 0, size, size);
  else {
    paint.fillStyle = color("--grid");
    for (const tick of ticks) {
      paint.fillRect(Math.round(x(tick)), 0, 1, size);
      paint.fillRect(0, Math.round(y(tick)), size, 1);
    }
  }
  if (!pressed(find("show-points"))) return;
  const radius = Math.max(1.4, size / 320), groups = classes.map(() => [[], []]);
  for (let i = 0; i < count; i++) {
    if (labels && hidden.has(labels[i])) continue;
    const [z1, z2] = [points[2 * i] / 1000, points[2 * i + 1] / 1000];
    paint.fillStyle = labels ? classColor(labels[i]) : color("--accent");
    paint.beginPath();
    paint.arc(x(z1), y(z2), radius, 0, 7);
    paint.fill();
    if (labels) groups[labels[i]].forEach((values, axis) => values.push([z1, z2][axis]));
  }
  if (classes.length > COLORS.length) return;
  paint.font = "600 15px system-ui, sans-serif";
  paint.textAlign = "center";
  paint.textBaseline = "middle";
  paint.lineJoin = "round";
  paint.lineWidth = 4;
  paint.strokeStyle = color("--canvas");
  paint.fillStyle = color("--text");
  groups.forEach((values, label) => {
    if (!values[0].length) return;
    const [z1, z2] = values.map((some) => some.sort((a, b) => a - b)[some.length >> 1]);
    paint.strokeText(classes[label], x(z1), y(z2));
    paint.fillText(classes[label], x(z1), y(z2));
  });
}

function toggle(button, act) {
  button.addEventListener("click", () => {
    button.setAttribute("aria-pressed", !pressed(button));
    act();
    paintMap();
  });
}
toggle(find("show-points"), () => {});
toggle(find("show-sheet"), decodeTiles);
classes.forEach((name, label) => {
  const button = document.createElement("button"), dot = document.createElement("i");
  dot.style.background = classColor(label);
  button.append(dot, name);
  button.setAttribute("aria-pressed", true);
  toggle(button, () => {
    if (!hidden.delete(label)) hidden.add(label);
    show(pinned);
  });
  find("classes").append(button);
});
if (!count) find("show-points").hidden = true;

const step = extent > 5 ? 2 : 1, ticks = [];
for (let tick = -Math.floor(extent / step) * step; tick <= extent; tick += step) ticks.push(tick);
for (const tick of ticks) {
  for (const side of ["across", "up"]) {
    const text = document.createElement("span");
    text.className = `tick ${side}`;
    text.textContent = minus(String(tick));
    const margin = side === "up" ? "34px" : "44px";
    text.style[side === "up" ? "bottom" : "left"] = `calc(${margin} + (100% - ${margin}) * ${0.5 + tick / extent / 2})`;
    find("map").append(text);
  }
}

for (const shown of [find("image"), tile.canvas]) [shown.width, shown.height] = [width, height];
[tiles.canvas.width, tiles.canvas.height] = tileSize.map((pixels) => side * pixels);
new ResizeObserver(paintMap).observe(plane);
matchMedia("(prefers-color-scheme: dark)").addEventListener("change", paintMap);
addEventListener("hashchange", restore);
pin(pinned);
restore();
